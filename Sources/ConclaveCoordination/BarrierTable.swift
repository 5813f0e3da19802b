import ConclaveBase
import ConclaveWire

/// The barriers that somebody waits at, or whose decisions somebody may still ask for.
struct BarrierTable: Sendable {
    private var rows = Arena<Barrier>()
    private var indexes: [ObjectName: Int] = [:]
    /// Bytes of all payloads together.
    private(set) var payloadByteCount = 0

    var count: Int { rows.count }

    var frozen: Arena<Barrier> { rows.frozen }

    subscript(index: Int) -> Barrier { rows[index] }

    func index(of name: ObjectName) -> Int? { indexes[name] }

    /// In no order that may show.
    var unsorted: [Int] { rows.indexes }

    mutating func insert(_ barrier: Barrier) -> Int {
        let index = rows.insert(barrier)
        indexes[barrier.name] = index
        payloadByteCount += barrier.arrivals.reduce(0) { $0 + $1.payload.count }
        payloadByteCount += barrier.decisions.reduce(0) { $0 + $1.payloadByteCount }
        return index
    }

    /// - Precondition: nothing disagrees with the arrival, and the generation is not complete.
    mutating func gather(_ arrival: Arrival, parties: UInt32, at index: Int) {
        rows[index].gather(arrival, parties: parties)
        payloadByteCount += arrival.payload.count
    }

    /// Puts back a decision as it was, from a snapshot.
    ///
    /// - Precondition: it is newer than those there.
    mutating func restore(_ decision: BarrierDecision, at index: Int) {
        rows[index].restore(decision)
        payloadByteCount += decision.payloadByteCount
    }

    /// Ends the generation that gathers. The decision stays as long as `refer` was called more
    /// often for it than `release`.
    mutating func decide(
        _ outcome: BarrierDecision.Outcome, absent: [BarrierDecision.KnownParty] = [],
        at index: Int
    ) -> [(arrival: Arrival, rank: UInt32)] {
        if case .broken = outcome {
            payloadByteCount -= rows[index].arrivals.reduce(0) { $0 + $1.payload.count }
        }
        return rows[index].decide(outcome, absent: absent)
    }

    mutating func refer(to reference: DecisionReference) {
        rows[reference.barrier].refer(to: reference.generation)
    }

    mutating func release(_ reference: DecisionReference) {
        if let gone = rows[reference.barrier].release(reference.generation) {
            payloadByteCount -= gone.payloadByteCount
        }
        removeIfUnused(reference.barrier)
    }

    mutating func removeIfUnused(_ index: Int) {
        guard rows[index].isUnused else { return }
        indexes[rows.remove(index).name] = nil
    }

    func reply(_ reference: DecisionReference) -> Reply? {
        let barrier = rows[reference.barrier]
        return barrier.decision(of: reference.generation)?
            .reply(name: barrier.name, rank: reference.rank)
    }
}
