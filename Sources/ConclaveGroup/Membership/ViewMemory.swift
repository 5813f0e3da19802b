package import ConclaveBase

/// What the view journal says: the durable part of `Membership`.
package struct ViewMemory: Equatable, Sendable {
    package var founding: Founding?
    /// The newest decided view this member knows.
    package var current: NextView? {
        didSet {
            view = current?.view ?? View(epoch: .none, members: [])
            viewLineage = current?.lineage ?? .none
        }
    }
    /// Of `current`, as plain facts, since they are asked for all the time.
    package private(set) var view = View(epoch: .none, members: [])
    package private(set) var viewLineage = Lineage.none
    package var voteFrom = Epoch(.max)
    /// Of the present epoch.
    package var promised = Ballot.none
    package var accepted: Promise.Accepted?
    /// The incarnation of this node that was ready to be let in.
    package var joining: Member?
    /// Acknowledged data of this node may be missing, and it has earned no vote since.
    package var loss: Loss?

    package struct Founding: Equatable, Sendable {
        package var lineage: Lineage
        package var members: [NodeID]
    }

    /// What is known of a history that was set aside as damaged.
    package struct Loss: Equatable, Sendable {
        /// None: not even that could be read.
        package var lineage: Lineage
        /// The newest view that was still to be read of.
        package var epoch: Epoch
        /// The member list of that view: its members may know more.
        package var list: MemberList
        /// Counts what this node has set aside.
        package var number: UInt32

        package init(
            lineage: Lineage, epoch: Epoch, list: MemberList = .empty, number: UInt32
        ) {
            self.lineage = lineage
            self.epoch = epoch
            self.list = list
            self.number = number
        }
    }

    package init() {}

    /// Whether the state of a group of that lineage may be learned, of which a view may be known.
    /// Who lost what it had comes back to its own group, or to what that one became, and to no other.
    package func mayJoin(_ lineage: Lineage, of view: NextView? = nil) -> Bool {
        guard let loss, current == nil, loss.lineage != .none else { return true }
        return loss.lineage == lineage || view?.givenUp.contains(loss.lineage) ?? false
    }

    package var lineage: Lineage { current?.lineage ?? founding?.lineage ?? .none }

    package var epoch: Epoch { view.epoch }

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
            if voteFrom <= value.epoch { loss = nil }
        case .joining(let member):
            joining = member
        case .lost(let loss):
            self = ViewMemory()
            self.loss = loss
        }
    }

    /// From which view on `own`, which gets no seat by it, has a vote once it knows `value`. If its node
    /// has a seat there that another disk started from, that one may have promised and voted, and
    /// nobody here knows what (V13).
    package func voteFrom(knowing value: NextView, as own: Member) -> Epoch {
        let seat = value.members.first { $0.node == own.node }
        guard let seat, seat.incarnation.disk != own.incarnation.disk else { return voteFrom }
        return Epoch(.max)
    }

    /// The records that say the same as the whole journal, for a fresh one.
    package var summary: [ViewRecord] {
        var records: [ViewRecord] = []
        if let loss { records.append(.lost(loss)) }
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
