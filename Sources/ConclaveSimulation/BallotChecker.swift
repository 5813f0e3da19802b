import ConclaveBase
import ConclaveGroup

/// C1, from within: what every member has said about the view after an epoch, over all its starts.
///
/// That a decision is unique rests on two things (Lamport, "Paxos Made Simple", 2001, section 2.2):
/// nobody takes a lower ballot than one that it has promised or accepted, and whoever proposes a
/// value knows that no other one can be chosen in a lower ballot any more. Two views of one number
/// need an unlikely chain of events on top; a member that breaks these shows here at once.
struct BallotChecker {
    /// The votes about the view after one epoch.
    private struct Vote {
        var values: [Ballot: NextView] = [:]
        var acceptors: [Ballot: Set<NodeID>] = [:]
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
        if let view {
            for lower in vote.values.keys.sorted() where vote.values[lower] != value {
                guard lower < ballot else { continue }
                let possible = vote.possibleAcceptors(
                    in: lower, of: view.members.map(\.node))
                guard possible.count < view.quorum else {
                    throw Violation(
                        .oneChainOfViews,
                        "node \(node) proposes a view after \(epoch) in ballot \(ballot), though "
                            + "another one may be chosen in \(lower) by \(possible)")
                }
            }
        }
        votes[epoch, default: Vote()].values[ballot] = value
    }
}
