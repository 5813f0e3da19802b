import ConclaveBase
import ConclaveCoordination
import ConclaveWire
import Testing

@Suite struct `Semaphores` {
    private var stage = Stage()
    private let builds = ObjectName(known: "builds")
    private let sessions: [SessionID]

    init() {
        sessions = stage.open(all: 1...5, hostCount: 3)
    }

    private var holders: [SessionID] { stage.lock(builds)?.holders.map(\.session) ?? [] }
    private var waiters: [SessionID] { stage.lock(builds)?.waiters.map(\.session) ?? [] }

    private mutating func take(
        _ count: UInt32, of limit: UInt32? = 3, _ session: Int, _ number: UInt64 = 1,
        isTry: Bool = false, priority: Int32 = 0
    ) {
        let mode = LockMode.permits(count, of: limit)
        stage.request(
            sessions[session], number,
            .acquire(name: builds, mode: mode, isTry: isTry, priority: priority))
    }

    private mutating func release(_ session: Int, _ number: UInt64 = 2) {
        let id = sessions[session]
        let token = stage.lock(builds)?.holders.first { $0.session == id }?.token
        stage.request(id, number, .release(name: builds, token: FencingToken(token ?? 0)))
    }

    private mutating func setLimit(_ limit: UInt32, _ session: Int = 4, _ number: UInt64 = 9) {
        stage.request(sessions[session], number, .limit(name: builds, limit: limit))
    }

    @Test mutating func `permits are granted up to the limit`() {
        take(2, 0)
        #expect(
            stage.reply(to: 1, of: sessions[0]) == stage.granted(builds, .permits(2, of: 3)))
        take(1, 1)
        take(1, 2)
        #expect(holders == [sessions[0], sessions[1]])
        #expect(waiters == [sessions[2]])
        #expect(stage.lock(builds)?.limit == 3)
        release(1)
        #expect(holders == [sessions[0], sessions[2]])
    }

    @Test mutating func `what one gives back goes to as many as there are permits for`() {
        take(3, 0)
        for session in 1...4 { take(1, session) }
        release(0)
        #expect(holders == [sessions[1], sessions[2], sessions[3]])
        let tokens = Set(stage.lock(builds)?.holders.map(\.token) ?? [])
        #expect(tokens == [stage.version.number])
        #expect(waiters == [sessions[4]])
    }

    @Test mutating func `who wants few does not overtake who wants many`() {
        take(2, 0)
        take(3, 1)
        take(1, 2)
        #expect(waiters == [sessions[1], sessions[2]])
        take(1, 3, isTry: true)
        #expect(stage.reply(to: 1, of: sessions[3]) == .busy(holder: sessions[0]))
        stage.request(sessions[1], 2, .cancel(number: 1, reason: .gaveUp))
        #expect(holders == [sessions[0], sessions[2]])
    }

    @Test mutating func `another limit is refused, none is taken as it is`() {
        take(1, of: 3, 0)
        take(1, of: 4, 1)
        #expect(stage.refusal(of: 1, of: sessions[1]) == .invalid)
        take(2, of: nil, 2)
        #expect(holders == [sessions[0], sessions[2]])
        take(4, of: nil, 3)
        #expect(stage.refusal(of: 1, of: sessions[3]) == .invalid)
    }

    @Test mutating func `a semaphore that nobody has has no limit`() {
        take(1, of: nil, 0)
        #expect(stage.refusal(of: 1, of: sessions[0]) == .invalid)
        #expect(stage.coordinator.objectCount == 0)
        take(1, of: 3, 1)
        release(1)
        take(1, of: 7, 2)
        #expect(stage.lock(builds)?.limit == 7)
    }

    @Test mutating func `a name is a lock or a semaphore`() {
        take(1, 0)
        stage.acquire(sessions[1], 1, builds)
        #expect(stage.refusal(of: 1, of: sessions[1]) == .invalid)
        let lock = ObjectName(known: "lock")
        stage.acquire(sessions[2], 1, lock, .shared)
        stage.acquire(sessions[3], 1, lock, .permits(1, of: 1))
        #expect(stage.refusal(of: 1, of: sessions[3]) == .invalid)
    }

    @Test mutating func `a higher limit serves who waits`() {
        take(3, 0)
        take(2, 1)
        take(1, 2)
        setLimit(5)
        #expect(stage.reply(to: 9, of: sessions[4]) == .done)
        #expect(holders == [sessions[0], sessions[1]])
        #expect(waiters == [sessions[2]])
    }

    @Test mutating func `a lower limit takes nothing away and gives nothing before it holds`() {
        take(2, 0)
        take(1, 1)
        take(1, 2)
        setLimit(1)
        #expect(holders == [sessions[0], sessions[1]])
        release(1)
        #expect(holders == [sessions[0]])
        release(0)
        #expect(holders == [sessions[2]])
    }

    @Test mutating func `a limit below what somebody waits for is refused`() {
        take(2, 0)
        take(3, 1)
        setLimit(2)
        #expect(stage.refusal(of: 9, of: sessions[4]) == .refused)
        #expect(stage.lock(builds)?.limit == 3)
    }

    @Test mutating func `a limit of what is no semaphore is refused`() {
        setLimit(2)
        #expect(stage.refusal(of: 9, of: sessions[4]) == .refused)
        stage.acquire(sessions[0], 1, builds)
        setLimit(2, 4, 10)
        #expect(stage.refusal(of: 10, of: sessions[4]) == .refused)
    }

    @Test mutating func `the end of a session gives its permits back`() {
        take(3, 0)
        take(2, 1)
        stage.end(sessions[0], .died)
        #expect(holders == [sessions[1]])
        #expect(
            stage.reply(to: 1, of: sessions[1])
                == stage.granted(builds, .permits(2, of: 3), after: .died))
    }

    @Test mutating func `a snapshot keeps limit, permits and waiters`() throws {
        take(2, 0)
        take(2, 1, priority: 1)
        take(1, 2, priority: 5)
        take(1, 3, priority: 1)
        #expect(holders == [sessions[0], sessions[2]])
        let digest = stage.coordinator.digest
        try stage.restore()
        #expect(stage.coordinator.digest == digest)
        #expect(waiters == [sessions[1], sessions[3]])
        release(0)
        #expect(holders == [sessions[2], sessions[1]])
    }
}

@Suite struct `Priorities` {
    private var stage = Stage()
    private let lock = ObjectName(known: "lock")
    private let sessions: [SessionID]

    init() {
        sessions = stage.open(all: 1...5, hostCount: 3)
    }

    private var waiters: [SessionID] { stage.lock(lock)?.waiters.map(\.session) ?? [] }

    private mutating func acquire(
        _ session: Int, _ priority: Int32, _ mode: LockMode = .exclusive
    ) {
        stage.request(
            sessions[session], 1,
            .acquire(name: lock, mode: mode, isTry: false, priority: priority))
    }

    @Test mutating func `the highest comes first, within one whoever came first`() {
        acquire(0, 0)
        acquire(1, 0)
        acquire(2, 7)
        acquire(3, .min)
        acquire(4, 7)
        #expect(stage.position(of: 1, of: sessions[4]) == 1)
        #expect(waiters == [sessions[2], sessions[4], sessions[1], sessions[3]])
    }

    @Test mutating func `a shared one goes in before a lower one that waits to be alone`() {
        acquire(0, 0, .shared)
        acquire(1, 0)
        acquire(2, 0, .shared)
        acquire(3, 1, .shared)
        #expect(stage.reply(to: 1, of: sessions[3]) == stage.granted(lock, .shared))
        #expect(waiters == [sessions[1], sessions[2]])
    }

    @Test mutating func `a candidate of a higher one leads next`() {
        let slot = ObjectName(known: "slot")
        for (session, priority) in [(0, Int32(0)), (1, 0), (2, 3)] {
            stage.request(
                sessions[session], 1, .campaign(slot: slot, value: [], priority: priority))
        }
        let leader = stage.coordinator.leaderState(slot).leaders.first
        stage.request(sessions[0], 2, .resign(slot: slot, token: leader?.token ?? .init(0)))
        #expect(stage.coordinator.leaderState(slot).leaders.first?.session == sessions[2])
    }
}
