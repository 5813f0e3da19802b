import ConclaveBase
import ConclaveGroup
import ConclaveWire
import Testing

/// Members that learn, and the one that lets them in.
@Suite struct `A learner` {
    private let members = Sample.three
    private let start = Sample.start

    private func view(_ epoch: UInt64) -> NextView {
        var value = Sample.view
        value.installed.view = View(epoch: Epoch(epoch), members: Array(members[..<2]))
        value.installed.departed = []
        value.installed.absent = []
        value.trim = [3, 3]
        return value
    }

    /// The first member, restarted in view 4.
    private func restarted() -> Membership {
        var memory = ViewMemory()
        memory.apply(.installed(view(4), voteFrom: Epoch(1)))
        let membership = Membership(
            own: members[0], configured: members.map(\.node), settings: Sample.settings,
            memory: memory, vector: [3, 3], random: SeededRandom(seed: 1), now: start)
        for member in members[1...] {
            _ = step(.connected(member), membership, at: start)
        }
        return membership
    }

    /// With its own records synced at once.
    private func step(
        _ input: Membership.Input, _ membership: Membership, at now: Instant
    ) -> [Membership.Effect] {
        var effects: [Membership.Effect] = []
        membership.step(input, now: now, effects: &effects)
        for case .record(_, let token) in effects {
            membership.step(.recorded(token: token), now: now, effects: &effects)
        }
        return effects
    }

    /// The first member, which brings the third one level with a trim of 4 and 4.
    private func levelling(at now: Instant) throws -> Membership {
        let membership = restarted()
        _ = step(.frame(from: members[1].node, .install(view(5))), membership, at: start)
        try #require(membership.seat == .member)
        try attempt(membership, at: now)
        return membership
    }

    private func attempt(_ membership: Membership, at now: Instant) throws {
        var effects = letIn(membership, at: now)
        effects += step(.frozen(vector: [4, 4], echoed: []), membership, at: now)
        var ballot: Ballot?
        for case .record(.promise(_, let own), token: _) in effects { ballot = own }
        let promise = Promise(
            epoch: membership.memory.epoch, ballot: try #require(ballot), from: members[1],
            vector: [4, 5], livedThrough: true, accepted: nil, hears: members.map(\.node),
            silences: [])
        let later = now.advanced(by: .milliseconds(300))
        for nonce in [now.nanoseconds] {
            _ = step(.frame(from: members[1].node, .pong(nonce)), membership, at: later)
        }
        effects = step(.frame(from: members[1].node, .promise(promise)), membership, at: later)
        effects += step(.tick, membership, at: now.advanced(by: .milliseconds(600)))
        let isAsked = effects.contains {
            if case .levelJoiner(members[2], trim: [4, 4]) = $0 { true } else { false }
        }
        #expect(isAsked)
    }

    private func letIn(_ membership: Membership, at now: Instant) -> [Membership.Effect] {
        step(.joinerReady(members[2], hears: []), membership, at: now)
            + step(.admit, membership, at: now)
    }

    private func proposes(_ effects: [Membership.Effect]) -> Bool {
        effects.contains {
            if case .record(.accept, token: _) = $0 { true } else { false }
        }
    }

    @Test func `V22: that was level with an earlier attempt's trim is not level`() throws {
        let now = start.advanced(by: .seconds(1))
        let membership = try levelling(at: now)
        let later = now.advanced(by: .milliseconds(700))
        #expect(!proposes(step(.joinerLevel(members[2], trim: [2, 2]), membership, at: later)))
        #expect(proposes(step(.joinerLevel(members[2], trim: [4, 4]), membership, at: later)))
    }

    @Test func `V23: that did not get level in time is let try again after a pause`() throws {
        var now = start.advanced(by: .seconds(1))
        let membership = try levelling(at: now)
        now = now.advanced(by: .seconds(3))
        _ = step(.tick, membership, at: now)
        _ = step(.frame(from: members[1].node, .install(view(6))), membership, at: now)
        try #require(membership.memory.epoch == Epoch(6) && !membership.isEnding)
        _ = letIn(membership, at: now.advanced(by: .seconds(1)))
        #expect(!membership.isEnding)
        _ = letIn(membership, at: now.advanced(by: .seconds(9)))
        #expect(membership.isEnding)
    }

    @Test func `takes no view from others that its teacher gives it`() {
        let membership = restarted()
        let isTaken = membership.learns(view(5))
        #expect(isTaken)
        let effects = step(
            .frame(from: members[1].node, .install(view(5))), membership, at: start)
        #expect(effects.isEmpty)
        membership.learned(view(5), voteFrom: Epoch(1), now: start)
        #expect(membership.memory.epoch == Epoch(5))
        #expect(membership.seat == .outside)
    }

    @Test func `takes no view from its teacher while it enters one`() {
        let membership = restarted()
        var effects: [Membership.Effect] = []
        membership.step(
            .frame(from: members[1].node, .install(view(5))), now: start, effects: &effects)
        let isTaken = membership.learns(view(5))
        #expect(!isTaken)
    }

    @Test(arguments: [true, false])
    func `V13: that restarts before the view that lets it in votes there if it was ready`(
        wasReady: Bool
    ) {
        var memory = ViewMemory()
        memory.apply(.installed(view(4), voteFrom: Epoch(.max)))
        if wasReady { memory.apply(.joining(members[2])) }
        let membership = Membership(
            own: Member(node: members[2].node, incarnation: Incarnation(9)),
            configured: members.map(\.node), settings: Sample.settings, memory: memory,
            vector: [3, 3], random: SeededRandom(seed: 1), now: start)
        var next = view(5)
        next.installed.view = View(epoch: Epoch(5), members: members)
        _ = step(.frame(from: members[0].node, .install(next)), membership, at: start)
        #expect(membership.mayVote == wasReady)
        #expect(membership.memory.epoch == Epoch(wasReady ? 5 : 4))
    }
}
