import ConclaveBase

/// In some runs clients ask for locks to stay closed for a while when they are lost.
struct LockDelays {
    private var random: SeededRandom

    /// From numbers of its own, then and later: whatever else a seed decides stays as it was.
    static func drawn(seed: UInt64) -> LockDelays? {
        var random = SeededRandom(seed: seed ^ 0x6C6F_636B_6465_6C61)
        return random.chance(perMille: 300) ? LockDelays(random: random) : nil
    }

    private init(random: SeededRandom) {
        self.random = random
    }

    /// What the next one asks for: often nothing.
    mutating func next() -> Interval {
        guard random.chance(perMille: 400) else { return .zero }
        return WorldShape.logarithmic(.milliseconds(1) ... .seconds(4), &random)
    }
}
