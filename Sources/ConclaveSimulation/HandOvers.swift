import ConclaveBase
import ConclaveWire

/// In some runs leaders hand over to a standby of their choice.
struct HandOvers {
    private var random: SeededRandom

    /// From numbers of its own, then and later: whatever else a seed decides stays as it was.
    static func drawn(seed: UInt64) -> HandOvers? {
        var random = SeededRandom(seed: seed ^ 0x6861_6E64_6F76_6572)
        return random.chance(perMille: 500) ? HandOvers(random: random) : nil
    }

    private init(random: SeededRandom) {
        self.random = random
    }

    /// Whom a leader names that wants to go: mostly one that stands by just now, and may not when
    /// the group comes to it. `nil`: nobody, it resigns.
    mutating func next(of slot: ObjectName, order: OrderChecker) -> SessionID? {
        guard random.chance(perMille: 500) else { return nil }
        let standbys = order.standbys(of: slot)
        guard random.chance(perMille: 900), !standbys.isEmpty else {
            return order.anySession(&random)?.0
        }
        return WorldShape.pick(standbys, &random)
    }
}
