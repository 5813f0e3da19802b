import ConclaveBase
import ConclaveWire

/// In some runs clients ask for several locks as one, beside those who take the same locks one by one.
struct LockSets {
    private var random: SeededRandom

    /// From numbers of its own, then and later: whatever else a seed decides stays as it was.
    static func drawn(seed: UInt64) -> LockSets? {
        var random = SeededRandom(seed: seed ^ 0x6C6F_636B_7365_7473)
        return random.chance(perMille: 500) ? LockSets(random: random) : nil
    }

    private init(random: SeededRandom) {
        self.random = random
    }

    /// Whether somebody who would ask for one lock asks for several.
    mutating func isNext() -> Bool { random.chance(perMille: 400) }

    /// Whether somebody who lets go of one of several lets go of all.
    mutating func isLetGoOfWhole() -> Bool { random.chance(perMille: 600) }

    mutating func isTry() -> Bool { random.chance(perMille: 200) }

    /// Several of `wishes`, each of another name, or all if there are less than two.
    mutating func some(of wishes: [NestedWork.Wish]) -> [NestedWork.Wish] {
        guard wishes.count > 2 else { return wishes }
        var left = wishes
        let count = 2 + Int(random.below(UInt64(wishes.count - 1)))
        while left.count > count { left.remove(at: Int(random.below(UInt64(left.count)))) }
        return left
    }

    mutating func mode() -> LockMode { random.chance(perMille: 700) ? .exclusive : .shared }

    mutating func permits(limit: UInt32) -> UInt32 { 1 + UInt32(random.below(UInt64(limit))) }
}
