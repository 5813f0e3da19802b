import ConclaveBase
import ConclaveWire

/// In some runs clients take one lock while they hold another, in any order, so that they would
/// wait for each other for ever; and some say which of their tasks does, and who waits for it.
struct NestedWork {
    /// What is asked for.
    struct Wish {
        var name: String
        var mode: LockMode
    }

    private static let lockNames = ["nest/0", "nest/1", "nest/2"]
    private static let semaphoreName = "nest/permits"
    private static let limit: UInt32 = 2
    static let count = lockNames.count + 1

    /// From numbers of its own: whatever else a seed decides stays as it was.
    static func drawn(seed: UInt64) -> NestedWork? {
        var random = SeededRandom(seed: seed ^ 0x6E65_7374_6564_776F)
        return random.chance(perMille: 300) ? NestedWork() : nil
    }

    /// One of those that are not among `held`; there must be one.
    func wish(_ random: inout SeededRandom, besides held: [String] = []) -> Wish {
        let free = (Self.lockNames + [Self.semaphoreName]).filter { !held.contains($0) }
        let name = WorldShape.pick(free, &random)
        if name == Self.semaphoreName {
            let count = 1 + UInt32(random.below(UInt64(Self.limit)))
            return Wish(name: name, mode: .permits(count, of: Self.limit))
        }
        return Wish(name: name, mode: random.chance(perMille: 700) ? .exclusive : .shared)
    }

    /// Who asks, at random: `other` may be anybody.
    func tag(_ random: inout SeededRandom, other: SessionID?) -> TaskTag {
        guard random.chance(perMille: 600) else { return TaskTag() }
        let number = random.below(3)
        guard let other, random.chance(perMille: 400) else { return TaskTag(number: number) }
        let around = TaskReference(session: other, number: random.below(2))
        return TaskTag(number: number, within: [around])
    }
}
