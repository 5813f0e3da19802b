import ConclaveBase
import ConclaveWire

/// What a run with bursts draws: how little of a session the group keeps, and how much more than
/// that some programs ask for at once.
struct ClientBursts {
    var requestsPerSession: Int
    /// The library knows that number, and then nobody runs into it; or it takes it for the usual
    /// one, and what is too much is refused.
    var isKnown: Bool
    var callCount: UInt64

    /// From numbers of its own: runs without bursts are as they were before there were any.
    static func drawn(seed: UInt64) -> ClientBursts? {
        var random = SeededRandom(seed: seed ^ 0x6275_7273_7473_0000)
        guard random.chance(perMille: 150) else { return nil }
        let requestsPerSession = WorldShape.pick([2, 4, 8, 16], &random)
        return ClientBursts(
            requestsPerSession: requestsPerSession, isKnown: random.chance(perMille: 500),
            callCount: UInt64(requestsPerSession) * (1 + random.below(3)) + random.below(8))
    }

    /// What the library has in flight at most.
    var requestsInFlight: Int {
        isKnown ? requestsPerSession : ClientLimits.requestsInFlight
    }
}
