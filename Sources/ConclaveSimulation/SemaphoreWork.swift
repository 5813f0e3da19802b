import ConclaveBase
import ConclaveWire

/// In some runs clients take parts of semaphores as well, and ask with priorities.
struct SemaphoreWork {
    /// What a client asks for.
    struct Wish {
        var name: String
        var mode: LockMode
        /// The same, with the limit that the checkers know of.
        var known: LockMode
        /// It names another limit than there may be, or none.
        var mayBeRefused: Bool
    }

    /// Its limit is changed while it is in use, and not known to anybody.
    static let changingName = "semaphore/changing"
    private static let changingLimits: ClosedRange<UInt64> = 1...4

    private let limits: [UInt32]

    /// From numbers of its own: whatever else a seed decides stays as it was.
    static func drawn(seed: UInt64) -> SemaphoreWork? {
        var random = SeededRandom(seed: seed ^ 0x7365_6D61_7068_6F72)
        guard random.chance(perMille: 300) else { return nil }
        let count = 1 + random.below(2)
        return SemaphoreWork(limits: (0..<count).map { _ in 1 + UInt32(random.below(4)) })
    }

    private init(limits: [UInt32]) {
        self.limits = limits
    }

    func wish(_ random: inout SeededRandom) -> Wish {
        guard !random.chance(perMille: 300) else { return changingWish(&random) }
        let index = Int(random.below(UInt64(limits.count)))
        let limit = limits[index]
        let count = 1 + UInt32(random.below(UInt64(limit)))
        // Some name no limit, and get nothing if nobody has the semaphore.
        let named = random.chance(perMille: 100) ? nil : limit
        return Wish(
            name: "semaphore/\(index)", mode: .permits(count, of: named),
            known: .permits(count, of: limit), mayBeRefused: named == nil)
    }

    private func changingWish(_ random: inout SeededRandom) -> Wish {
        let limit = changingLimit(&random)
        let count = 1 + UInt32(random.below(UInt64(limit)))
        let isNamed = random.chance(perMille: 500)
        return Wish(
            name: Self.changingName, mode: .permits(count, of: isNamed ? limit : nil),
            known: .permits(count), mayBeRefused: true)
    }

    func changingLimit(_ random: inout SeededRandom) -> UInt32 {
        UInt32(random.below(Self.changingLimits.upperBound) + Self.changingLimits.lowerBound)
    }

    /// Who waits for ever waits with no lower priority than others ask with while all is well: a low
    /// one may never have its turn. `endsByItself`: a try, or a wait with a bound.
    func priority(
        _ random: inout SeededRandom, endsByItself: Bool, world: ClientWorld
    ) -> Int32 {
        let low: [Int32] = endsByItself ? [-1, .min] : [2]
        let drawn = WorldShape.pick([0, 0, 0, 1, .max] + low, &random)
        return world.isHealing ? min(drawn, 0) : drawn
    }
}
