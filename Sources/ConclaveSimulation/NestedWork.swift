import ConclaveBase
import ConclaveWire

/// In some runs clients take one lock while they hold another, in any order, so that they would
/// wait for each other for ever; and some say which of their tasks does, and who waits for it. In half
/// of those a leader slot is among what they take.
struct NestedWork {
    /// What is asked for.
    struct Wish {
        var kind = ObjectKind.lock
        var name: String
        var mode: LockMode
    }

    private static let lockNames = ["nest/0", "nest/1", "nest/2"]
    private static let semaphoreName = "nest/permits"
    private static let slotName = "nest/slot"
    private static let limit: UInt32 = 2

    let hasSlot: Bool
    private var names: [String] {
        Self.lockNames + [Self.semaphoreName] + (hasSlot ? [Self.slotName] : [])
    }
    /// Of what there is to be taken.
    var count: Int { names.count }

    /// From numbers of its own: whatever else a seed decides stays as it was.
    static func drawn(seed: UInt64) -> NestedWork? {
        var random = SeededRandom(seed: seed ^ 0x6E65_7374_6564_776F)
        guard random.chance(perMille: 300) else { return nil }
        return NestedWork(hasSlot: random.chance(perMille: 500))
    }

    /// One of those that are not among `held`; there must be one.
    func wish(_ random: inout SeededRandom, besides held: [String] = []) -> Wish {
        let name = WorldShape.pick(names.filter { !held.contains($0) }, &random)
        if name == Self.slotName { return slot }
        if name == Self.semaphoreName {
            let count = 1 + UInt32(random.below(UInt64(Self.limit)))
            return Wish(name: name, mode: .permits(count, of: Self.limit))
        }
        return Wish(name: name, mode: random.chance(perMille: 700) ? .exclusive : .shared)
    }

    /// Several of the locks and the semaphore, besides those `held`; none: less than two are left.
    func several(_ sets: inout LockSets, besides held: [String]) -> [Wish] {
        let left = (Self.lockNames + [Self.semaphoreName]).filter { !held.contains($0) }
        guard left.count > 1 else { return [] }
        let wishes = left.map { name in
            let mode: LockMode =
                name == Self.semaphoreName
                ? .permits(sets.permits(limit: Self.limit), of: Self.limit) : sets.mode()
            return Wish(name: name, mode: mode)
        }
        return sets.some(of: wishes)
    }

    /// To lead.
    var slot: Wish { Wish(kind: .leaderSlot, name: Self.slotName, mode: .exclusive) }

    /// Who asks, at random: `other` may be anybody.
    func tag(_ random: inout SeededRandom, other: SessionID?) -> TaskTag {
        guard random.chance(perMille: 600) else { return TaskTag() }
        let number = random.below(3)
        guard let other, random.chance(perMille: 400) else { return TaskTag(number: number) }
        let around = TaskReference(session: other, number: random.below(2))
        return TaskTag(number: number, within: [around])
    }
}
