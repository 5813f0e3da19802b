import ConclaveBase
import ConclaveGroup

/// What a member that is asked to go on alone has heard from those that it reaches, and whether that
/// lets it (V27).
struct Survey {
    let own: NodeID
    private(set) var ownHolding: Holding
    private(set) var holdings: [NodeID: Holding] = [:]
    /// Whoever has no state may go on with an empty one, if nobody else has any.
    private let mayBeginEmpty: Bool

    init(own: NodeID, holding: Holding, mayBeginEmpty: Bool = false) {
        self.own = own
        self.mayBeginEmpty = mayBeginEmpty
        ownHolding = holding
    }

    mutating func take(_ holding: Holding, from node: NodeID) {
        holdings[node] = holding
    }

    /// What this member has may have become more meanwhile.
    mutating func update(_ holding: Holding) {
        ownHolding = holding
    }

    /// The newest view that anybody knows: who could go on by themselves is a question of that one.
    var newest: NextView? {
        ([ownHolding] + holdings.values).compactMap(\.newest).max { $0.epoch < $1.epoch }
    }

    var highestEra: UInt16 {
        holdings.values.reduce(ownHolding.highestEra) { max($0, $1.highestEra) }
    }

    /// Why this member may not go on alone, if it may not. `reached`: whom there are paths to.
    func refusal(reached: [NodeID]) -> String? {
        guard let newest, ownHolding.state != nil || mayBeginEmpty else {
            return "this member has no state to go on with"
        }
        guard newest.list.contains(own) else {
            return "this member was removed from the group in view \(newest.epoch) or before"
        }
        let better = holdings.keys.sorted().first {
            holdings[$0]?.isBetter(at: $0, than: ownHolding, at: own) ?? false
        }
        if let better {
            return "member \(better) has as much of the history or more: recover there"
        }
        return refusalByVotes(in: newest, reached: reached)
    }

    /// A majority that is there goes on by itself, if it has the state and enough members can be in
    /// the next view.
    private func refusalByVotes(in newest: NextView, reached: [NodeID]) -> String? {
        let voters = newest.members.map(\.node).filter { node in
            guard let holding = node == own ? ownHolding : holdings[node],
                let known = holding.newest
            else { return false }
            return holding.mayVote && known.epoch.next >= newest.epoch
        }
        let hasState = voters.contains { node in
            (node == own ? ownHolding : holdings[node])?.isLevel ?? false
        }
        let present = newest.list.nodes.count { $0 == own || reached.contains($0) }
        // In memory mode another process of a member shows that its state is gone.
        let isKnownToBeGone =
            mayBeginEmpty
            && newest.members.allSatisfy { $0.node == own || reached.contains($0.node) }
        guard voters.count >= newest.view.quorum, hasState || isKnownToBeGone,
            present >= newest.installed.minimumMembers
        else { return nil }
        let names = voters.map(\.description).joined(separator: ", ")
        return "\(voters.count) of the \(newest.members.count) members of view \(newest.epoch) are "
            + "here (\(names)): they go on by themselves"
    }
}
