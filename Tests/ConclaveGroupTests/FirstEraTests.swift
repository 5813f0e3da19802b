import ConclaveBase
import ConclaveGroup
import Testing

@Suite struct `The era of a new group` {
    private let own = Member(node: NodeID(1), incarnation: Incarnation(1))

    /// The first view of a group of one, founded at that time.
    private func founded(at seconds: UInt64) throws -> NextView {
        var now = Instant(nanoseconds: 1_000_000_000)
        let membership = Membership(
            own: own, configured: [own.node],
            settings: MembershipSettings(
                heartbeat: .milliseconds(100), suspicion: .milliseconds(400), minimumMembers: 0,
                minimumEra: 1, maximumSessionTTL: .seconds(60)),
            memory: ViewMemory(), vector: nil, random: SeededRandom(seed: 1), now: now)
        membership.wallClock = Timestamp(microseconds: seconds * 1_000_000)
        for _ in 0..<50 where membership.memory.current == nil {
            now = now.advanced(by: .milliseconds(100))
            var effects: [Membership.Effect] = []
            membership.step(.tick, now: now, effects: &effects)
            while !effects.isEmpty {
                let tokens = effects.compactMap { effect in
                    if case .record(_, let token) = effect { token } else { nil }
                }
                effects = []
                for token in tokens {
                    membership.step(.recorded(token: token), now: now, effects: &effects)
                }
            }
        }
        return try #require(membership.memory.current)
    }

    @Test func `V28: is not below the day`() throws {
        #expect(try founded(at: 1_764_381_600).era == 332)
    }

    @Test func `is the first one where the clock cannot be right`() throws {
        #expect(try founded(at: 0).era == 1)
        #expect(try founded(at: 10_000_000_000).era == 1)
    }
}
