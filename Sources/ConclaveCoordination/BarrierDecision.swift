import ConclaveBase
import ConclaveWire

/// How a generation ended. Kept as long as a party's reply refers to it.
struct BarrierDecision: Equatable, Sendable {
    enum Outcome: Equatable, Sendable {
        /// By rank.
        case tripped([BarrierParty])
        case broken(BarrierBreak)
    }

    /// A party whose place in this generation is known: it came, or it was missed by name.
    struct KnownParty: Equatable, Sendable {
        var rank: UInt32
        var session: SessionID
        var host: NodeID
        var pid: UInt32
        var lastSeen: Timestamp?
        /// Whether it arrived; a party that was missed by name did not.
        var hasArrived: Bool
    }

    var generation: UInt64
    var outcome: Outcome
    var parties: UInt32
    /// The parties chose their ranks, so that a rank means the same party in each generation.
    var ranksWereGiven: Bool
    /// By rank.
    var known: [KnownParty]
    /// Of the group whose members the parties were, the number of the view.
    var view: UInt64?
    /// How many stored replies refer to this decision; and who decides, until it has answered all.
    var references = 1

    /// The rank under which `session` took part.
    func rank(of session: SessionID) -> UInt32? {
        known.first { $0.session == session && $0.hasArrived }?.rank
    }

    var payloadByteCount: Int {
        guard case .tripped(let parties) = outcome else { return 0 }
        return parties.reduce(0) { $0 + $1.payload.count }
    }

    /// What the party of `rank` is told.
    func reply(name: ObjectName, rank: UInt32) -> Reply {
        switch outcome {
        case .tripped(let parties):
            .tripped(
                BarrierResult(
                    name: name, generation: generation, rank: rank, parties: parties,
                    view: view))
        case .broken(let report): .broken(report)
        }
    }
}
