package import ConclaveBase

/// What the view journal says: the durable part of `Membership`.
package struct ViewMemory: Equatable, Sendable {
    package var founding: Founding?
    /// The newest decided view this member knows.
    package var current: NextView?
    package var voteFrom = Epoch(.max)
    /// Of the present epoch.
    package var promised = Ballot.none
    package var accepted: Promise.Accepted?
    /// The incarnation of this node that was ready to be let in.
    package var joining: Member?

    package struct Founding: Equatable, Sendable {
        package var lineage: Lineage
        package var members: [NodeID]
    }

    package init() {}

    package var lineage: Lineage { current?.lineage ?? founding?.lineage ?? .none }

    package var epoch: Epoch { current?.epoch ?? .none }

    package mutating func apply(_ record: ViewRecord, forgetsAccepted: Bool = false) {
        switch record {
        case .founding(let lineage, let members):
            founding = Founding(lineage: lineage, members: members)
        case .promise(let epoch, let ballot):
            guard epoch == self.epoch, ballot > promised else { return }
            promised = ballot
            if forgetsAccepted { accepted = nil }
        case .accept(let ballot, let value):
            guard value.epoch == epoch.next, ballot >= promised else { return }
            promised = ballot
            accepted = Promise.Accepted(ballot: ballot, value: value)
        case .installed(let value, let voteFrom):
            guard value.epoch > epoch || value.lineage != lineage else { return }
            current = value
            self.voteFrom = voteFrom
            promised = .none
            accepted = nil
            joining = nil
        case .joining(let member):
            joining = member
        }
    }

    /// The records that say the same as the whole journal, for a fresh one.
    package var summary: [ViewRecord] {
        var records: [ViewRecord] = []
        if let founding {
            records.append(.founding(founding.lineage, members: founding.members))
        }
        if let current { records.append(.installed(current, voteFrom: voteFrom)) }
        if let accepted { records.append(.accept(accepted.ballot, accepted.value)) }
        if promised > (accepted?.ballot ?? .none) {
            records.append(.promise(epoch, promised))
        }
        if let joining { records.append(.joining(joining)) }
        return records
    }
}
