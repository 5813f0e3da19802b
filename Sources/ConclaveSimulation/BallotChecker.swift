import ConclaveBase
import ConclaveGroup

/// C1, from within: what every member has said about the view after an epoch, over all its starts.
///
/// That a decision is unique rests on two things (Lamport, "Paxos Made Simple", 2001, section 2.2):
/// nobody takes a lower ballot than one that it has promised or accepted, and whoever proposes a
/// value knows that no other one can be chosen in a lower ballot any more, since a majority has
/// promised it this very ballot. Two views of one number need an unlikely chain of events on top; a
/// member that breaks these shows here at once.
struct BallotChecker {
    /// The votes about the view after one epoch.
    private struct Vote {
        var values: [Ballot: NextView] = [:]
        var acceptors: [Ballot: Set<NodeID>] = [:]
        /// Who has told the coordinator of a ballot that it promises it.
        var promisers: [Ballot: Set<NodeID>] = [:]
        /// The highest ballot that each member has taken.
        var highest: [NodeID: Ballot] = [:]

        /// Who has accepted a value in that ballot, or may still do so.
        func possibleAcceptors(in ballot: Ballot, of members: [NodeID]) -> [NodeID] {
            members.filter { node in
                highest[node] ?? .none <= ballot || acceptors[ballot]?.contains(node) == true
            }
        }
    }

    private var votes: [Epoch: Vote] = [:]

    /// `view`: who votes about the view after an epoch, if that is known.
    mutating func take(
        _ event: GroupEvent, by node: NodeID, view: (Epoch) -> View?
    ) throws(Violation) {
        switch event {
        case .promised(let epoch, let ballot):
            try rise(to: ballot, by: node, after: epoch, "promises")
        case .accepted(let epoch, let ballot):
            try rise(to: ballot, by: node, after: epoch, "accepts")
            votes[epoch]!.acceptors[ballot, default: []].insert(node)
        case .proposed(let ballot, let value):
            let epoch = Epoch(value.epoch.number - 1)
            try rise(to: ballot, by: node, after: epoch, "proposes")
            try propose(value, in: ballot, by: node, view: view(epoch))
        default: break
        }
    }

    /// A member says so in a frame, before anybody can rely on it.
    mutating func promised(_ ballot: Ballot, after epoch: Epoch, by node: NodeID) {
        votes[epoch, default: Vote()].promisers[ballot, default: []].insert(node)
    }

    private mutating func rise(
        to ballot: Ballot, by node: NodeID, after epoch: Epoch, _ what: String
    ) throws(Violation) {
        let before = votes[epoch]?.highest[node] ?? .none
        guard ballot >= before else {
            throw Violation(
                .oneChainOfViews,
                "node \(node) \(what) a view after \(epoch) in ballot \(ballot), after it was in "
                    + "\(before)")
        }
        votes[epoch, default: Vote()].highest[node] = ballot
    }

    private mutating func propose(
        _ value: NextView, in ballot: Ballot, by node: NodeID, view: View?
    ) throws(Violation) {
        let epoch = Epoch(value.epoch.number - 1)
        let vote = votes[epoch] ?? Vote()
        guard vote.values[ballot] == nil else {
            throw Violation(
                .oneChainOfViews,
                "node \(node) proposes a view after \(epoch) in ballot \(ballot) again")
        }
        if let view { try check(value, in: ballot, by: node, vote, of: view) }
        votes[epoch, default: Vote()].values[ballot] = value
    }

    private func check(
        _ value: NextView, in ballot: Ballot, by node: NodeID, _ vote: Vote, of view: View
    ) throws(Violation) {
        let words = "node \(node) proposes a view after \(view.epoch) in ballot \(ballot)"
        let nodes = view.members.map(\.node)
        let promisers = nodes.filter { $0 == node || vote.promisers[ballot]?.contains($0) == true }
        guard promisers.count >= view.quorum else {
            throw Violation(
                .oneChainOfViews, "\(words), which of \(nodes) only \(promisers) have promised")
        }
        for lower in vote.values.keys.sorted() where vote.values[lower] != value {
            guard lower < ballot else { continue }
            let possible = vote.possibleAcceptors(in: lower, of: nodes)
            guard possible.count < view.quorum else {
                throw Violation(
                    .oneChainOfViews,
                    "\(words), though another one may be chosen in \(lower) by \(possible)")
            }
        }
    }
}
