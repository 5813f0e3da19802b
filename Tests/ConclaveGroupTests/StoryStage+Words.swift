import ConclaveBase
import ConclaveGroup

/// How a story's answers read.
extension StoryStage {
    func describe(_ node: Node) -> String {
        guard let membership = node.membership else { return "\(node.id) is down" }
        let epoch = membership.memory.epoch
        return "\(node.id) is \(membership.seat) in epoch \(epoch)"
            + (membership.isEnding ? ", which is ending" : "")
    }

    /// The node's number and a letter for its run.
    func describe(_ member: Member) -> String {
        let letters = Array("?abcdefgh")
        return "\(member.node)\(letters[Int(member.incarnation.number & 7)])"
    }

    private func short(_ lineage: Lineage) -> Substring {
        lineage.description.prefix(4)
    }

    func describe(_ members: [Member]) -> String {
        members.map(describe).joined(separator: " ")
    }

    func describe(_ value: NextView) -> String {
        var text = "view \(value.epoch): \(describe(value.members))"
        let installed = value.installed
        for departed in installed.departed {
            let silent = departed.silent.milliseconds
            text += ", \(describe(departed.member)) \(departed.reason) silent \(silent)"
        }
        for absent in installed.absent {
            text += ", \(describe(absent.member)) absent silent \(absent.silent.milliseconds)"
        }
        if installed.stateWasLost { text += ", state lost, era \(value.era)" }
        if !value.trim.isEmpty { text += ", trim \(value.trim)" }
        return text
    }

    func describe(_ ranges: [FillRange]) -> String {
        ranges.map { "\($0.ordinals) of rank \($0.sender)" }.joined(separator: ", ")
    }

    func describe(_ record: ViewRecord) -> String {
        switch record {
        case .founding(let lineage, _): "the founding of \(short(lineage))"
        case .promise(let epoch, let ballot): "its promise of \(ballot) in epoch \(epoch)"
        case .accept(let ballot, let value): "\(ballot), \(describe(value))"
        case .installed(let value, let voteFrom):
            voteFrom == Epoch(.max)
                ? "view \(value.epoch), without a vote"
                : "view \(value.epoch), with a vote from \(voteFrom)"
        case .joining(let member): "that \(describe(member)) joins"
        case .lost(let loss): "the loss of \(short(loss.lineage)) in epoch \(loss.epoch)"
        }
    }

    func describe(_ frame: MembershipFrame) -> (kind: String, text: String) {
        switch frame {
        case .ping: ("ping", "")
        case .pong: ("pong", "")
        case .accuse(_, let whom, let reason, _): ("accuse", " \(whom), \(reason)")
        case .prepare(let ballot, let decided): ("prepare", " \(ballot) after \(decided.epoch)")
        case .promise(let promise): ("promise", describe(promise))
        case .overtaken(_, let ballot): ("overtaken", " by \(ballot)")
        case .raise(_, let ballot, let trim): ("raise", " \(ballot) to \(trim)")
        case .fill(_, _, let to, let ranges): ("fill", " \(to) with \(describe(ranges))")
        case .level(_, let ballot): ("level", " \(ballot)")
        case .accept(let ballot, let value): ("accept", " \(ballot), \(describe(value))")
        case .accepted(_, let ballot): ("accepted", " \(ballot)")
        case .install(let value): ("install", " \(value.epoch)")
        case .found(let lineage, _, _):
            ("found", lineage == .none ? ": is anybody not blank?" : " lineage \(short(lineage))")
        case .founded(let lineage, let founder, _):
            (
                "founded",
                (lineage == .none ? ": blank" : ": recorded \(short(lineage))")
                    + ", to run \(founder.number & 7)"
            )
        case .leave: ("leave", "")
        case .change(_, let change): ("change", " \(describe(change))")
        }
    }

    func describe(_ change: MemberChange) -> String {
        switch change.action {
        case .add(let entry): "add \(entry.node)"
        case .remove(let node): "remove \(node)"
        }
    }

    private func describe(_ promise: Promise) -> String {
        var text = " \(promise.ballot)"
        if let vector = promise.vector { text += " holds \(vector)" } else { text += " no state" }
        text += promise.livedThrough ? " lived" : " restarted"
        text += " hears \(promise.hears)"
        if let accepted = promise.accepted { text += " accepted \(accepted.ballot)" }
        if let wanted = promise.wanted { text += " wants to \(describe(wanted))" }
        for silence in promise.silences {
            text += " \(describe(silence.member)):\(silence.interval.milliseconds)"
        }
        return text
    }

    /// Nil for what other lines say already.
    func describe(_ event: GroupEvent) -> String? {
        switch event {
        case .suspected(let node, let reason, _, _): "suspects \(node), \(reason)"
        case .overtaken(_, let ballot): "is overtaken by \(ballot)"
        case .leftOut: "is left out"
        case .listed(let list, _, let change):
            change.map { "has the list \(list.nodes) after \(describe($0))" }
        case .withoutVote: "has no vote"
        case .waiting(let nodes, let purpose): "waits for \(nodes), \(purpose)"
        case .refused(let node, _): "refuses \(node)"
        case .suspicionHeld(let node, _, let pause):
            "keeps its suspicion of \(node) to itself for \(pause.milliseconds)"
        case .heldBack(let node, let pause): "holds back \(node) for \(pause.milliseconds)"
        case .proposed(let ballot, let value):
            "proposes \(value.members.count) members at \(ballot)"
        default: nil
        }
    }
}
