import ConclaveBase
import ConclaveCoordination
import ConclaveWire
import Testing

@Suite struct `Leader slots with several places` {
    private var stage = Stage()
    private let slot = ObjectName(known: "crawler")
    private let sessions: [SessionID]

    init() {
        sessions = stage.open(all: 1...5)
    }

    private var state: LeaderState { stage.coordinator.leaderState(slot) }

    private mutating func campaign(_ session: Int, _ number: UInt64 = 1, places: UInt32? = 2) {
        stage.request(
            sessions[session], number,
            .campaign(slot: slot, value: [UInt8(session)], places: places))
    }

    private mutating func resign(_ session: Int, _ number: UInt64 = 2) {
        let term = state.leaders.first { $0.session == sessions[session] }?.token
        stage.request(
            sessions[session], number, .resign(slot: slot, token: term ?? FencingToken(0)))
    }

    private func term(_ session: Int, _ number: UInt64 = 1) -> Term? {
        guard case .elected(let term) = stage.reply(to: number, of: sessions[session]) else {
            return nil
        }
        return term
    }

    @Test mutating func `as many lead as there are places, each under its own term`() throws {
        campaign(0)
        let first = try #require(term(0))
        campaign(1)
        let second = try #require(term(1))
        campaign(2)
        #expect(stage.position(of: 1, of: sessions[2]) == 0)
        #expect(first.place == 0)
        #expect(second.place == 1)
        #expect(second.token > first.token)
        #expect(state.places == 2)
        #expect(state.leaders.map(\.session) == [sessions[0], sessions[1]])
        #expect(state.leaders.map(\.value) == [[0], [1]])
        #expect(state.standbyCount == 1)
    }

    @Test mutating func `who comes next gets the place and the value of who went`() throws {
        for session in 0..<4 { campaign(session) }
        resign(0)
        let third = try #require(term(2))
        #expect(third.place == 0)
        #expect(third.previousValue == [0])
        #expect(third.previousEnd == .released)
        stage.end(sessions[1], .died)
        let fourth = try #require(term(3))
        #expect(fourth.place == 1)
        #expect(fourth.previousEnd == .died)
        #expect(state.leaders.map(\.session) == [sessions[2], sessions[3]])
    }

    @Test mutating func `the first candidate fixes how many there are`() {
        campaign(0, places: 2)
        campaign(1, places: 3)
        #expect(stage.refusal(of: 1, of: sessions[1]) == .invalid)
        campaign(2, places: nil)
        #expect(term(2)?.place == 1)
        resign(0)
        resign(2)
        #expect(stage.coordinator.objectCount == 0)
        campaign(3, places: nil)
        campaign(4, places: 2)
        #expect(stage.refusal(of: 1, of: sessions[4]) == .invalid)
        #expect(state.places == 1)
    }

    @Test mutating func `a leader changes its own value alone`() throws {
        campaign(0)
        campaign(1)
        let token = try #require(term(1)?.token)
        stage.request(sessions[1], 2, .announce(slot: slot, token: token, value: [9]))
        #expect(state.leaders.map(\.value) == [[0], [9]])
    }

    @Test mutating func `those that are elected together differ in their places`() {
        stage = Stage(stateWasLost: true)
        let sessions = stage.open(all: 1...3)
        for session in sessions {
            stage.request(session, 1, .campaign(slot: slot, value: [], places: 2))
        }
        stage.apply(.openGrants(epoch: stage.epoch))
        #expect(state.leaders.map(\.session) == Array(sessions[..<2]))
        #expect(state.leaders.map(\.place) == [0, 1])
    }

    @Test mutating func `a snapshot keeps who has which place`() throws {
        for session in 0..<3 { campaign(session) }
        resign(0)
        let before = state
        try stage.restore()
        #expect(state == before)
        resign(1)
        #expect(state.leaders.map(\.place) == [0])
        campaign(3)
        #expect(term(3)?.place == 1)
    }

    @Test mutating func `the report of a slot says how many places it has`() throws {
        for session in 0..<3 { campaign(session) }
        let report = try #require(stage.coordinator.why(slot).objects.first)
        #expect(report.limit == 2)
        #expect(report.holders.map(\.session) == Array(sessions[..<2]))
        #expect(report.holders.map(\.mode) == [.exclusive, .exclusive])
        #expect(report.waiters.map(\.session) == [sessions[2]])
    }
}
