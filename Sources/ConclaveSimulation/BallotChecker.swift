import ConclaveBase
import ConclaveGroup

/// C1, from within: what every member has said about the view after an epoch, over all its starts.
///
/// That a decision is unique rests on this alone (Lamport, "Paxos Made Simple", 2001, section 2.2):
/// nobody takes a lower ballot than one that it has promised or accepted, and no ballot is proposed
/// twice. Two views of one number need an unlikely chain of events on top; a member that forgets
/// shows here at once.
struct BallotChecker {
    private struct Voter: Hashable {
        var node: NodeID
        var epoch: Epoch
    }

    private var highest: [Voter: Ballot] = [:]
    private var proposed: [Voter: Ballot] = [:]

    mutating func take(_ event: GroupEvent, by node: NodeID) throws(Violation) {
        switch event {
        case .promised(let epoch, let ballot):
            try rise(to: ballot, by: Voter(node: node, epoch: epoch), "promises")
        case .accepted(let epoch, let ballot):
            try rise(to: ballot, by: Voter(node: node, epoch: epoch), "accepts")
        case .proposed(let epoch, let ballot, _):
            let voter = Voter(node: node, epoch: epoch)
            try rise(to: ballot, by: voter, "proposes")
            if let before = proposed.updateValue(ballot, forKey: voter), before >= ballot {
                throw Violation(
                    .oneChainOfViews,
                    "node \(node) proposes a view after \(epoch) in ballot \(ballot) again")
            }
        default: break
        }
    }

    private mutating func rise(
        to ballot: Ballot, by voter: Voter, _ what: String
    ) throws(Violation) {
        let before = highest[voter] ?? .none
        guard ballot >= before else {
            throw Violation(
                .oneChainOfViews,
                "node \(voter.node) \(what) a view after \(voter.epoch) in ballot \(ballot), "
                    + "after it was in \(before)")
        }
        highest[voter] = ballot
    }
}
