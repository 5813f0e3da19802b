package import ConclaveBase
package import ConclaveWire

/// What a member writes and syncs about views before it acts on it: the content of its view
/// journal, from which `Membership` starts again.
package enum ViewRecord: Equatable, Sendable {
    /// The founding that this member confirmed or, as the founder, proposed.
    case founding(Lineage, members: [NodeID])
    case promise(Epoch, Ballot)
    indirect case accept(Ballot, NextView)
    /// A decided view; `voteFrom`: the first epoch in which this `NodeID` may vote (V13).
    indirect case installed(NextView, voteFrom: Epoch)
    /// A learner is level with the trim that lets this incarnation of it in.
    case joining(Member)
    /// What this node had of that history is damaged and set aside: from here on it is blank.
    indirect case lost(ViewMemory.Loss)

    package func encode(into writer: inout ByteWriter) {
        switch self {
        case .founding(let lineage, let members):
            writer.integer(UInt8(1))
            writer.lineage(lineage)
            writer.list(members) { $1.integer($0.number) }
        case .promise(let epoch, let ballot):
            writer.integer(UInt8(2))
            writer.integer(epoch.number)
            writer.ballot(ballot)
        case .accept(let ballot, let value):
            writer.integer(UInt8(3))
            writer.ballot(ballot)
            value.encode(into: &writer)
        case .installed(let value, let voteFrom):
            writer.integer(UInt8(4))
            value.encode(into: &writer)
            writer.integer(voteFrom.number)
        case .joining(let member):
            writer.integer(UInt8(5))
            writer.member(member)
        case .lost(let loss):
            writer.integer(UInt8(6))
            writer.lineage(loss.lineage)
            writer.integer(loss.epoch.number)
            writer.memberList(loss.list)
            writer.integer(loss.number)
        }
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        let kind = try reader.byte("view record")
        switch kind {
        case 1:
            let lineage = try reader.lineage("lineage")
            var members: [NodeID] = []
            for _ in 0..<(try reader.count("members", maximum: View.maximumMembers)) {
                members.append(try reader.node("member"))
            }
            self = .founding(lineage, members: members)
        case 2: self = .promise(try reader.epoch("epoch"), try reader.ballot("ballot"))
        case 3:
            let ballot = try reader.ballot("ballot")
            self = .accept(ballot, try NextView(from: &reader))
        case 4:
            let value = try NextView(from: &reader)
            self = .installed(value, voteFrom: try reader.epoch("vote from"))
        case 5: self = .joining(try reader.member("joining"))
        case 6:
            self = .lost(
                ViewMemory.Loss(
                    lineage: try reader.lineage("lineage"), epoch: try reader.epoch("epoch"),
                    list: try reader.memberList("member list"),
                    number: try reader.integer("number")))
        default: throw .unknown(field: "view record", value: UInt64(kind))
        }
    }
}
