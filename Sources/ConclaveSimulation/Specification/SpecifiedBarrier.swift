import ConclaveBase
import ConclaveWire

/// A barrier: the generation that gathers, and results that somebody may still ask for.
struct SpecifiedBarrier {
    struct Arrival {
        var session: SessionID
        var number: UInt64
        var host: NodeID
        var pid: UInt32
        var rank: UInt32?
        var payload: [UInt8]
        var at: Timestamp
        var member: FencingToken?
    }

    struct Decision {
        /// As each party is told it, by rank.
        var replies: [(session: SessionID, rank: UInt32, reply: Reply)]
        /// What is told to others, if they may know.
        var toOthers: Reply?
        var payloadByteCount = 0
    }

    /// Whose process came to it first.
    var uid: UInt32
    var generation: UInt64
    var parties: UInt32 = 0
    /// Whose members the parties are; `nil`: they are counted.
    var group: BarrierGroup?
    var arrivals: [Arrival] = []
    /// By generation.
    var decisions: [UInt64: Decision] = [:]

    var payloadByteCount: Int {
        let named = arrivals.isEmpty ? 0 : 8 * (group?.among.count ?? 0)
        let waiting = arrivals.reduce(named) { $0 + $1.payload.count }
        return decisions.values.reduce(waiting) { $0 + $1.payloadByteCount }
    }

    /// Each arrival's rank: as it chose, or the lowest that nobody chose, in order of arrival.
    var ranks: [UInt32] {
        let chosen = Set(arrivals.compactMap(\.rank))
        var free = (0..<max(parties, 1)).filter { !chosen.contains($0) }[...]
        return arrivals.map { $0.rank ?? free.removeFirst() }
    }

    func disagrees(_ arrival: Arrival, parties named: UInt32, of other: BarrierGroup?) -> Bool {
        guard !arrivals.isEmpty else { return false }
        return named != parties || group != other
            || (arrival.rank != nil && arrivals.contains { $0.rank == arrival.rank })
    }
}
