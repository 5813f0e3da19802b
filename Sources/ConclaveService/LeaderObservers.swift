import ConclaveBase

/// A leader slot that is observed.
struct ObservedSlot: Named {
    let name: ObjectName
}

/// Who observes leader slots, with the version of the state that each was told. What came between two
/// states that somebody takes is not told: who leads now is what an observer asks.
typealias LeaderObservers = NamedFollowers<ObservedSlot, Version>

extension LeaderObservers {
    @inline(never)
    mutating func noteChange(of slot: ObjectName) {
        for id in told(of: slot) {
            guard let version = table[id]?.place else { continue }
            setBehind(id, at: version)
        }
    }
}
