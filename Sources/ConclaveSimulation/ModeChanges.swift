import ConclaveBase

/// In some runs clients share what they hold alone, and would have alone what they share.
struct ModeChanges {
    private var random: SeededRandom

    /// From numbers of its own, then and later: whatever else a seed decides stays as it was.
    static func drawn(seed: UInt64) -> ModeChanges? {
        var random = SeededRandom(seed: seed ^ 0x6D6F_6465_6368_616E)
        return random.chance(perMille: 500) ? ModeChanges(random: random) : nil
    }

    private init(random: SeededRandom) {
        self.random = random
    }

    /// Whether somebody who could do something else changes the mode of what he has.
    mutating func isNext() -> Bool { random.chance(perMille: 300) }
}
