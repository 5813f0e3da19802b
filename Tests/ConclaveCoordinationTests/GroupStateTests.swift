import ConclaveBase
import ConclaveCoordination
import ConclaveWire
import Testing

@Suite struct `States of task groups` {
    private var stage = Stage()
    private let sessions: [SessionID]
    private var numbers: [SessionID: UInt64] = [:]
    private var tokens: [FencingToken] = []
    private let stock = ObjectName(known: "stock")

    init() throws {
        sessions = stage.open(all: 1...4)
        for session in sessions {
            let reply = ask(session, .joinGroup(GroupJoin(name: stock, wantsState: true)))
            guard case .joined(let joined) = reply else { continue }
            tokens.append(joined.token)
        }
        try #require(tokens.count == 4)
    }

    private mutating func ask(_ session: SessionID, _ operation: Operation) -> Reply? {
        let number = (numbers[session] ?? 0) + 1
        numbers[session] = number
        stage.request(session, number, confirmed: number - 1, operation)
        return stage.reply(to: number, of: session)
    }

    private mutating func adopt(_ member: Int, upTo: Version?) -> Reply? {
        ask(
            sessions[member], .adoptState(name: stock, member: tokens[member], upTo: upTo))
    }

    private mutating func provide(
        _ member: Int, to newcomer: Int, upTo: Version? = nil
    ) -> Reply? {
        let state = ProvidedState(
            from: tokens[member], to: tokens[newcomer], upTo: upTo ?? stage.version, part: 0,
            partCount: 1, payload: [9])
        return ask(sessions[member], .provideState(name: stock, state))
    }

    private mutating func leave(_ member: Int) {
        _ = ask(sessions[member], .leaveGroup(name: stock, member: tokens[member]))
    }

    private func code(_ reply: Reply?) -> RefusalCode? {
        if case .refused(let refusal) = reply { refusal.code } else { nil }
    }

    private func possessions(at version: Version? = nil) -> [StatePossession] {
        stage.coordinator.groupMembers(stock, at: version ?? stage.version).members
            .map(\.possession)
    }

    private func told(to member: Int?) -> [GroupEntry.Content] {
        stage.coordinator.groupEntries(
            stock, after: .zero, member: member.map { tokens[$0] }
        ).entries.map(\.content)
    }

    @Test mutating func `one member begins a state when nobody has any, and makes a view by that`()
    {
        #expect(possessions() == [.wanted, .wanted, .wanted, .wanted])
        let before = stage.version
        let number = stage.coordinator.groupMembers(stock, at: before).number
        #expect(adopt(0, upTo: nil) == .done)
        #expect(possessions() == [.held, .wanted, .wanted, .wanted])
        #expect(stage.coordinator.groupMembers(stock, at: stage.version).number == number + 1)
        #expect(told(to: nil).last == .adopted(tokens[0]))
        // Who follows from before is told it as it was then.
        #expect(possessions(at: before) == [.wanted, .wanted, .wanted, .wanted])
        #expect(stage.coordinator.groupMembers(stock, at: before).number == number)
        #expect(code(adopt(1, upTo: nil)) == .refused)
        #expect(adopt(0, upTo: nil) == .done)
    }

    @Test mutating func `a state is told to the newcomer alone, who has it once it says so`() {
        _ = adopt(0, upTo: nil)
        let upTo = stage.version
        #expect(provide(0, to: 1) == .done)
        guard case .provided(let state)? = told(to: 1).last else {
            Issue.record("the newcomer is told \(told(to: 1))")
            return
        }
        #expect(state.payload == [9] && state.upTo == upTo)
        #expect(told(to: 0).last == .adopted(tokens[0]))
        #expect(told(to: nil).last == .adopted(tokens[0]))
        #expect(adopt(1, upTo: upTo) == .done)
        #expect(possessions() == [.held, .held, .wanted, .wanted])
    }

    @Test
    mutating func `only who has the state provides it, to who wants it, as of a view of both`() {
        #expect(code(provide(0, to: 1)) == .refused)
        _ = adopt(0, upTo: nil)
        #expect(code(provide(1, to: 2)) == .refused)
        #expect(code(provide(0, to: 0)) == .refused)
        #expect(code(provide(0, to: 1, upTo: Version(stage.version.number + 2))) == .refused)
        #expect(code(provide(0, to: 3, upTo: Version(tokens[2].number))) == .refused)
        let strange = ProvidedState(
            from: tokens[0], to: tokens[1], upTo: stage.version, part: 0, partCount: 1,
            payload: [])
        #expect(code(ask(sessions[2], .provideState(name: stock, strange))) == .notHeld)
        let adopt = Operation.adoptState(name: stock, member: tokens[0], upTo: nil)
        #expect(code(ask(sessions[2], adopt)) == .notHeld)
    }

    @Test mutating func `a state that the dead left is void once somebody began anew`() {
        _ = adopt(0, upTo: nil)
        let upTo = stage.version
        _ = provide(0, to: 1)
        _ = provide(0, to: 2)
        leave(0)
        #expect(adopt(1, upTo: nil) == .done)
        #expect(code(adopt(2, upTo: upTo)) == .refused)
        #expect(possessions() == [.held, .wanted, .wanted])
        #expect(adopt(2, upTo: stage.version) == .done)
    }

    @Test mutating func `a state that the dead left lives on in who says first that it has it`() {
        _ = adopt(0, upTo: nil)
        let upTo = stage.version
        _ = provide(0, to: 2)
        leave(0)
        #expect(adopt(2, upTo: upTo) == .done)
        #expect(code(adopt(1, upTo: nil)) == .refused)
        #expect(possessions() == [.wanted, .held, .wanted])
    }

    @Test mutating func `who joined without a share of the state has none`() {
        leave(3)
        guard case .joined(let joined)? = ask(sessions[3], .joinGroup(GroupJoin(name: stock)))
        else {
            Issue.record("no member")
            return
        }
        let adopt = Operation.adoptState(name: stock, member: joined.token, upTo: nil)
        #expect(code(ask(sessions[3], adopt)) == .refused)
        #expect(possessions().last == StatePossession.none)
    }
}
