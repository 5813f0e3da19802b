import ConclaveBase
import ConclaveGroup
import ConclaveWire
import Testing

/// Frames that decode but that no honest member sends: they must not end the daemon (C9).
@Suite struct `Frames from outside` {
    private let members = Sample.three
    private let start = Sample.start

    private func restarted() -> Membership {
        return Membership(
            own: members[0], configured: members.map(\.node), settings: Sample.settings,
            memory: Sample.memory(of: members), vector: [3, 3, 3], random: SeededRandom(seed: 1),
            now: start)
    }

    /// Brings `membership` to the point where it has asked the others for promises.
    private func preparing(_ membership: Membership) -> Ballot? {
        var effects: [Membership.Effect] = []
        membership.step(
            .frozen(vector: [3, 3, 3], echoed: []), now: start, effects: &effects)
        membership.step(.connected(members[1]), now: start, effects: &effects)
        membership.step(.connected(members[2]), now: start, effects: &effects)
        let later = start.advanced(by: .seconds(1))
        membership.step(.tick, now: later, effects: &effects)
        for case .record(.promise(_, let ballot), let token) in effects {
            membership.step(.recorded(token: token), now: later, effects: &effects)
            return ballot
        }
        return nil
    }

    @Test(arguments: [[], [1], [9, 9, 9, 9, 9], [UInt64.max, UInt64.max, UInt64.max]])
    func `a promise with a vector of any length is taken`(vector: [UInt64]) throws {
        let membership = restarted()
        let ballot = try #require(preparing(membership))
        var effects: [Membership.Effect] = []
        for (index, held) in [(1, vector), (2, [5, 5, 5])] {
            let promise = Promise(
                epoch: Epoch(4), ballot: ballot, from: members[index], vector: held,
                livedThrough: index == 1, accepted: nil, hears: members.map(\.node), silences: [])
            membership.step(
                .frame(from: members[index].node, .promise(promise)),
                now: start.advanced(by: .milliseconds(1_200)), effects: &effects)
        }
        membership.step(.tick, now: start.advanced(by: .seconds(2)), effects: &effects)
        #expect(!effects.isEmpty)
    }

    @Test(arguments: 1...60 as ClosedRange<UInt64>)
    func `any order of changed frames is survived`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let membership = restarted()
        var effects: [Membership.Effect] = []
        _ = preparing(membership)
        var now = start
        for _ in 0..<300 {
            now = now.advanced(by: .milliseconds(Int64(random.below(60))))
            let sample = Sample.frames[Int(random.below(UInt64(Sample.frames.count)))]
            let from = members[Int(random.below(3))].node
            if let frame = sample.frame(changed: &random) {
                membership.step(.frame(from: from, frame), now: now, effects: &effects)
            }
            membership.step(.tick, now: now, effects: &effects)
            for case .record(_, let token) in effects {
                membership.step(.recorded(token: token), now: now, effects: &effects)
                break
            }
            effects.removeAll()
        }
        #expect(membership.memory.current != nil)
    }
}

extension Sample {
    fileprivate func frame(changed random: inout SeededRandom) -> MembershipFrame? {
        var reader = ByteReader(random.chance(perMille: 500) ? changed(&random) : bytes)
        return try? MembershipFrame(from: &reader)
    }
}

/// Machines of the list that have no seat.
@Suite struct `A machine without a seat` {
    private let members = Sample.three
    private let start = Sample.start

    /// All members of the view that it knows may be gone by then, and its path be open for long.
    @Test func `hears of each view from those that it has a path to`() throws {
        let membership = Membership(
            own: members[0], configured: members.map(\.node), settings: Sample.settings,
            memory: Sample.memory(of: members), vector: [3, 3, 3], random: SeededRandom(seed: 1),
            now: start)
        var effects: [Membership.Effect] = []
        for peer in members[1...] {
            membership.step(.connected(peer), now: start, effects: &effects)
        }
        var value = Sample.view(5, of: Array(members[..<2]))
        value.list = MemberList(
            members.map { MemberList.Entry(node: $0.node, address: []) }, givenMinimum: 2)
        membership.step(
            .frame(from: members[1].node, .install(value)), now: start, effects: &effects)
        let token = try #require(
            effects.lazy.compactMap { effect in
                if case .record(.installed, let token) = effect { token } else { nil }
            }.first)
        effects.removeAll()
        membership.step(.recorded(token: token), now: start, effects: &effects)
        let told = effects.compactMap { effect in
            if case .send(.install(value), let node) = effect { node } else { nil }
        }
        #expect(told == [members[2].node])
    }
}
