import ConclaveBase
import ConclaveGroup
import Testing

/// A member that has lost what it had acknowledged, without a word (V30), in a change of views.
@Suite struct `A member that lacks what was acknowledged` {
    private let members = Sample.three
    private let start = Sample.start

    /// The first member, restarted with three messages of each: what it does with the promises of the
    /// others, who have five, of which they have delivered that many.
    private func effects(deliveredByOthers delivered: UInt64) throws -> [Membership.Effect] {
        let membership = Membership(
            own: members[0], configured: members.map(\.node), settings: Sample.settings,
            memory: Sample.memory(of: members), vector: [3, 3, 3], random: SeededRandom(seed: 1),
            now: start)
        var effects: [Membership.Effect] = []
        membership.step(.frozen(vector: [3, 3, 3], echoed: []), now: start, effects: &effects)
        for peer in members[1...] {
            membership.step(.connected(peer), now: start, effects: &effects)
        }
        let later = start.advanced(by: .seconds(1))
        membership.step(.tick, now: later, effects: &effects)
        var ballot = Ballot.none
        for case .record(.promise(_, let own), let token) in effects {
            ballot = own
            membership.step(.recorded(token: token), now: later, effects: &effects)
        }
        effects.removeAll()
        membership.step(.frozen(vector: [3, 3, 3], echoed: []), now: later, effects: &effects)
        for peer in members[1...] {
            membership.step(
                .frame(from: peer.node, .pong(later.nanoseconds)), now: later, effects: &effects)
        }
        for peer in members[1...] {
            let promise = Promise(
                epoch: Epoch(4), ballot: ballot, from: peer, vector: [5, 5, 5],
                delivered: Array(repeating: delivered, count: 3), livedThrough: true,
                accepted: nil, hears: members.map(\.node), silences: [])
            membership.step(
                .frame(from: peer.node, .promise(promise)),
                now: later.advanced(by: .milliseconds(1)), effects: &effects)
        }
        return effects
    }

    private func proposed(by effects: [Membership.Effect]) -> [Member]? {
        for case .record(.accept(_, let value), token: _) in effects { return value.members }
        return nil
    }

    @Test func `is left out of the view if nobody can give it that`() throws {
        let effects = try effects(deliveredByOthers: 4)
        #expect(proposed(by: effects) == Array(members[1...]))
    }

    @Test func `is brought level if somebody can`() throws {
        let effects = try effects(deliveredByOthers: 3)
        #expect(proposed(by: effects) == nil)
        let isRaised = effects.contains { if case .raise([5, 5, 5]) = $0 { true } else { false } }
        #expect(isRaised)
    }
}
