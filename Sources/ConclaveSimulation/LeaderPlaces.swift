import ConclaveBase
import ConclaveWire

/// In some runs several lead a slot at once.
struct LeaderPlaces {
    /// By slot: what all name. Empty: each candidate names what it likes, or nothing, and the first
    /// one decides.
    private let agreed: [String: UInt32]
    private var random: SeededRandom

    /// From numbers of its own, then and later: whatever else a seed decides stays as it was.
    static func drawn(seed: UInt64, slots: [String]) -> LeaderPlaces? {
        var random = SeededRandom(seed: seed ^ 0x706C_6163_6573_6F66)
        guard random.chance(perMille: 500) else { return nil }
        var agreed: [String: UInt32] = [:]
        if random.chance(perMille: 800) {
            for slot in slots { agreed[slot] = WorldShape.pick([1, 2, 2, 3], &random) }
        }
        return LeaderPlaces(agreed: agreed, random: random)
    }

    private init(agreed: [String: UInt32], random: SeededRandom) {
        self.agreed = agreed
        self.random = random
    }

    /// What a candidate names. Where all name the same nobody is refused for it.
    mutating func next(for slot: ObjectName) -> UInt32? {
        if let agreed = agreed[slot.text] { return agreed }
        return random.chance(perMille: 500) ? nil : 1 + UInt32(random.below(3))
    }

    var mayBeRefused: Bool { agreed.isEmpty }

    /// How many there are; `nil`: whoever comes first decides.
    func count(of slot: ObjectName) -> UInt32? { agreed[slot.text] }
}
