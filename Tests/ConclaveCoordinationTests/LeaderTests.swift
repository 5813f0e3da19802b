import ConclaveBase
import ConclaveCoordination
import ConclaveWire
import Testing

@Suite struct `Leader slots` {
    private var stage = Stage()
    private let slot = ObjectName(known: "scheduler")
    private let sessions: [SessionID]

    init() {
        sessions = stage.open(all: 1...3, hostCount: 3)
    }

    private var state: LeaderState { stage.coordinator.leaderState(slot) }

    private mutating func campaign(_ session: SessionID, _ number: UInt64, value: UInt8 = 0) {
        stage.request(session, number, .campaign(slot: slot, value: [value]))
    }

    private func elected(after end: PreviousEnd = .none, value: [UInt8] = []) -> Reply {
        .elected(
            Term(slot: slot, token: stage.token, previousEnd: end, previousValue: value))
    }

    @Test mutating func `the first candidate leads, with its value and the version as term`() {
        campaign(sessions[0], 1, value: 7)
        #expect(
            stage.effects == [
                .reply(session: sessions[0], number: 1, elected()), .leaderChanged(slot: slot),
            ])
        #expect(
            state.leaders.first
                == LeaderState.Leader(
                    session: sessions[0], host: NodeID(1), pid: 1, label: "label-1",
                    token: stage.token, value: [7], since: stage.time))
    }

    @Test mutating func `C8: what is read after a view is newer than what was read before`() {
        campaign(sessions[0], 1)
        let before = state.version
        // Nothing is left of the state, so an observer must not take this for older.
        var fresh = Coordinator()
        stage.install(Stage.members)
        var effects: [CoordinationEffect] = []
        fresh.install(
            InstalledView(
                view: View(epoch: Epoch(9), members: Stage.members), joined: [], departed: [],
                absent: [], minimumMembers: 2, stateWasLost: true),
            at: stage.version, time: stage.time, effects: &effects)
        #expect(state.version > before)
        #expect(fresh.leaderState(slot).version == stage.version)
    }

    @Test mutating func `others stand by, and are told in the order in which they came`() {
        campaign(sessions[0], 1)
        let term = stage.token
        campaign(sessions[1], 1)
        campaign(sessions[2], 1)
        #expect(stage.effects == [.queued(session: sessions[2], number: 1, position: 1)])
        #expect(state.standbyCount == 2)
        stage.request(sessions[0], 2, .announce(slot: slot, token: term, value: [9]))
        stage.request(sessions[0], 3, .resign(slot: slot, token: term))
        #expect(
            stage.effects == [
                .reply(session: sessions[0], number: 3, .done),
                .reply(session: sessions[1], number: 1, elected(after: .released, value: [9])),
                .leaderChanged(slot: slot),
            ])
        #expect(state.leaders.first?.session == sessions[1])
        #expect(state.leaders.first?.value == [0])
    }

    @Test mutating func `observers are told of nobody, too`() {
        campaign(sessions[0], 1)
        stage.end(sessions[0], .died)
        #expect(stage.effects.last == .leaderChanged(slot: slot))
        #expect(state.leaders.first == nil)
        #expect(stage.coordinator.objectCount == 0)
    }

    @Test mutating func `a leader's death elects the next at once, with what was published`() {
        campaign(sessions[0], 1, value: 5)
        campaign(sessions[1], 1)
        stage.end(sessions[0], .died)
        #expect(stage.reply(to: 1, of: sessions[1]) == elected(after: .died, value: [5]))
        #expect(stage.effects.filter { $0 == .leaderChanged(slot: slot) }.count == 1)
    }

    @Test mutating func `a new value is no new term`() {
        campaign(sessions[0], 1)
        let term = stage.token
        stage.request(sessions[0], 2, .announce(slot: slot, token: term, value: [1, 2]))
        #expect(
            stage.effects
                == [.reply(session: sessions[0], number: 2, .done), .leaderChanged(slot: slot)])
        #expect(state.leaders.first?.value == [1, 2])
        #expect(state.leaders.first?.token == term)
    }

    @Test mutating func `only the leader of the term announces or resigns`() {
        campaign(sessions[0], 1)
        let term = stage.token
        campaign(sessions[1], 1)
        for (session, token) in [(sessions[1], term), (sessions[0], FencingToken(3))] {
            stage.request(session, 8, .announce(slot: slot, token: token, value: []))
            #expect(stage.refusal(of: 8, of: session) == .notHeld)
            stage.request(session, 9, .resign(slot: slot, token: token))
            #expect(stage.refusal(of: 9, of: session) == .notHeld)
        }
        #expect(state.leaders.first?.session == sessions[0])
    }

    private mutating func handOver(
        _ number: UInt64, from leader: Int, to standby: Int, under token: FencingToken
    ) {
        stage.request(
            sessions[leader], number,
            .handOver(slot: slot, token: token, to: sessions[standby]))
    }

    @Test mutating func `a leader hands over to the standby that it names, at one version`() {
        campaign(sessions[0], 1, value: 5)
        let term = stage.token
        campaign(sessions[1], 1)
        campaign(sessions[2], 1)
        handOver(2, from: 0, to: 2, under: term)
        #expect(
            stage.effects == [
                .reply(session: sessions[0], number: 2, .done),
                .reply(session: sessions[2], number: 1, elected(after: .released, value: [5])),
                .leaderChanged(slot: slot),
            ])
        #expect(state.leaders.map(\.session) == [sessions[2]])
        #expect(state.standbyCount == 1)
        handOver(2, from: 0, to: 2, under: term)
        #expect(stage.effects == [.reply(session: sessions[0], number: 2, .done)])
    }

    @Test mutating func `nobody is handed a slot who does not stand by for it`() {
        campaign(sessions[0], 1)
        let term = stage.token
        campaign(sessions[1], 1)
        handOver(2, from: 0, to: 2, under: term)
        #expect(stage.refusal(of: 2, of: sessions[0]) == .refused)
        handOver(3, from: 0, to: 0, under: term)
        #expect(stage.refusal(of: 3, of: sessions[0]) == .refused)
        handOver(2, from: 1, to: 2, under: term)
        #expect(stage.refusal(of: 2, of: sessions[1]) == .notHeld)
        #expect(state.leaders.map(\.session) == [sessions[0]])
        #expect(state.leaders.map(\.token) == [term])
    }

    @Test mutating func `C8: whoever was passed over must not wait for itself then`() {
        let lock = ObjectName(known: "lock")
        campaign(sessions[0], 1)
        let term = stage.token
        stage.acquire(sessions[1], 1, lock)
        campaign(sessions[1], 2)
        campaign(sessions[2], 1)
        // The second standby waits for what the first one holds.
        stage.acquire(sessions[2], 2, lock)
        handOver(2, from: 0, to: 2, under: term)
        #expect(stage.refusal(of: 2, of: sessions[0]) == .deadlock)
        #expect(state.leaders.map(\.token) == [term])
        #expect(state.standbyCount == 2)
        handOver(3, from: 0, to: 1, under: term)
        #expect(state.leaders.map(\.session) == [sessions[1]])
    }

    @Test mutating func `a leader or candidate cannot campaign again`() {
        campaign(sessions[0], 1)
        campaign(sessions[1], 1)
        campaign(sessions[0], 2)
        #expect(stage.refusal(of: 2, of: sessions[0]) == .alreadyHeld)
        campaign(sessions[1], 2)
        #expect(stage.refusal(of: 2, of: sessions[1]) == .alreadyHeld)
    }

    @Test mutating func `a candidate that gives up leaves the leader and the others as they are`() {
        for session in sessions { campaign(session, 1) }
        stage.request(sessions[1], 2, .cancel(number: 1, reason: .timedOut))
        #expect(
            stage.effects == [
                .reply(session: sessions[1], number: 1, .cancelled),
                .reply(session: sessions[1], number: 2, .cancelOutcome(wasCancelled: true)),
            ])
        #expect(state.standbyCount == 1)
        stage.end(sessions[0], .goodbye)
        #expect(state.leaders.first?.session == sessions[2])
    }

    @Test mutating func `locks and slots have name spaces of their own`() {
        campaign(sessions[0], 1)
        stage.acquire(sessions[1], 1, slot)
        #expect(stage.reply(to: 1, of: sessions[1]) == stage.granted(slot))
        #expect(stage.coordinator.objectCount == 2)
    }

    @Test mutating func `values are bounded together`() {
        var quotas = Quotas()
        quotas.valueByteCount = 10
        stage = Stage(quotas: quotas)
        let sessions = stage.open(all: 1...2)
        stage.request(sessions[0], 1, .campaign(slot: slot, value: Array(repeating: 1, count: 8)))
        let term = stage.token
        stage.request(sessions[1], 1, .campaign(slot: slot, value: [1, 2, 3]))
        #expect(stage.refusal(of: 1, of: sessions[1]) == .quotaExceeded)
        stage.request(
            sessions[0], 2,
            .announce(slot: slot, token: term, value: Array(repeating: 2, count: 11)))
        #expect(stage.refusal(of: 2, of: sessions[0]) == .quotaExceeded)
        stage.request(sessions[0], 3, .announce(slot: slot, token: term, value: [1]))
        stage.request(sessions[1], 2, .campaign(slot: slot, value: [1, 2, 3]))
        #expect(stage.position(of: 2, of: sessions[1]) == 0)
        stage.end(sessions[0], .died)
        stage.end(sessions[1], .died)
        let last = stage.open(9)
        stage.request(last, 1, .campaign(slot: slot, value: Array(repeating: 1, count: 10)))
        #expect(stage.reply(to: 1, of: last) == elected())
    }
}
