import ConclaveBase
import ConclaveCoordination
import ConclaveWire
import Testing

@Suite struct `Locks` {
    private var stage = Stage()
    private let lock = ObjectName(known: "db/migrate")
    private let sessions: [SessionID]

    init() {
        sessions = stage.open(all: 1...5, hostCount: 3)
    }

    private var holders: [SessionID] { stage.lock(lock)?.holders.map(\.session) ?? [] }
    private var waiters: [SessionID] { stage.lock(lock)?.waiters.map(\.session) ?? [] }

    private mutating func release(_ session: SessionID, _ number: UInt64 = 2) {
        let token = stage.lock(lock)?.holders.first { $0.session == session }?.token
        stage.request(session, number, .release(name: lock, token: FencingToken(token ?? 0)))
    }

    @Test mutating func `a free lock is granted under the version as token`() {
        stage.acquire(sessions[0], 1, lock)
        #expect(stage.effects == [.reply(session: sessions[0], number: 1, stage.granted(lock))])
        #expect(stage.lock(lock)?.holders.first?.token == stage.version.number)
    }

    @Test mutating func `a release hands over to the first waiter at the same version`() {
        for session in sessions[..<3] { stage.acquire(session, 1, lock) }
        #expect(stage.position(of: 1, of: sessions[2]) == 1)
        release(sessions[0])
        #expect(
            stage.effects == [
                .reply(session: sessions[0], number: 2, .done),
                .reply(
                    session: sessions[1], number: 1, stage.granted(lock, after: .released)),
            ])
        #expect(waiters == [sessions[2]])
    }

    @Test mutating func `a released lock that nobody awaits is forgotten`() {
        stage.acquire(sessions[0], 1, lock)
        #expect(stage.coordinator.objectCount == 1)
        release(sessions[0])
        #expect(stage.coordinator.objectCount == 0)
        stage.acquire(sessions[1], 1, lock)
        #expect(stage.reply(to: 1, of: sessions[1]) == stage.granted(lock))
    }

    @Test mutating func `a try is answered with the holder`() {
        stage.acquire(sessions[0], 1, lock)
        stage.acquire(sessions[1], 1, lock, isTry: true)
        #expect(stage.reply(to: 1, of: sessions[1]) == .busy(holder: sessions[0]))
        #expect(waiters == [])
    }

    @Test mutating func `shared holders are together, under tokens of their own versions`() {
        stage.acquire(sessions[0], 1, lock, .shared)
        stage.acquire(sessions[1], 1, lock, .shared, isTry: true)
        #expect(stage.reply(to: 1, of: sessions[1]) == stage.granted(lock, .shared))
        #expect(holders == [sessions[0], sessions[1]])
    }

    @Test mutating func `a run of shared waiters is granted together and shares its token`() {
        stage.acquire(sessions[0], 1, lock)
        stage.acquire(sessions[1], 1, lock, .shared)
        stage.acquire(sessions[2], 1, lock, .shared)
        stage.acquire(sessions[3], 1, lock)
        stage.acquire(sessions[4], 1, lock, .shared)
        release(sessions[0])
        let granted = stage.granted(lock, .shared, after: .released)
        #expect(stage.reply(to: 1, of: sessions[1]) == granted)
        #expect(stage.reply(to: 1, of: sessions[2]) == granted)
        #expect(holders == [sessions[1], sessions[2]])
        #expect(waiters == [sessions[3], sessions[4]])
        release(sessions[1])
        #expect(holders == [sessions[2]])
        release(sessions[2])
        #expect(holders == [sessions[3]])
        release(sessions[3])
        #expect(holders == [sessions[4]])
    }

    @Test mutating func `a shared request does not overtake an exclusive one that waits`() {
        stage.acquire(sessions[0], 1, lock, .shared)
        stage.acquire(sessions[1], 1, lock)
        stage.acquire(sessions[2], 1, lock, .shared)
        #expect(stage.position(of: 1, of: sessions[2]) == 1)
        stage.acquire(sessions[3], 1, lock, .shared, isTry: true)
        #expect(stage.reply(to: 1, of: sessions[3]) == .busy(holder: sessions[0]))
        #expect(waiters == [sessions[1], sessions[2]])
    }

    @Test mutating func `when the exclusive one gives up, the shared ones behind it go on`() {
        stage.acquire(sessions[0], 1, lock, .shared)
        stage.acquire(sessions[1], 1, lock)
        stage.acquire(sessions[2], 1, lock, .shared)
        stage.request(sessions[1], 2, .cancel(number: 1, reason: .gaveUp))
        #expect(stage.reply(to: 1, of: sessions[2]) == stage.granted(lock, .shared))
        #expect(holders == [sessions[0], sessions[2]])
    }

    @Test mutating func `asking for what one holds or awaits is refused, a try too`() {
        stage.acquire(sessions[0], 1, lock)
        stage.acquire(sessions[1], 1, lock)
        stage.acquire(sessions[0], 2, lock, isTry: true)
        #expect(stage.refusal(of: 2, of: sessions[0]) == .alreadyHeld)
        stage.acquire(sessions[1], 2, lock, .shared)
        #expect(stage.refusal(of: 2, of: sessions[1]) == .alreadyHeld)
    }

    @Test mutating func `only the holder releases, and only under its token`() {
        stage.acquire(sessions[0], 1, lock)
        let held = stage.token
        stage.acquire(sessions[1], 1, lock)
        for (session, token) in [
            (sessions[1], held), (sessions[2], held), (sessions[0], FencingToken(1)),
            (sessions[1], FencingToken(0)),
        ] {
            stage.request(session, 9, .release(name: lock, token: token))
            #expect(stage.refusal(of: 9, of: session) == .notHeld)
        }
        #expect(holders == [sessions[0]])
    }

    @Test(arguments: [
        (SessionEnd.goodbye, PreviousEnd.goodbye), (.died, .died), (.expired, .expired),
    ])
    mutating func `the end of a holder hands over at once and says how it ended`(
        reason: SessionEnd, previousEnd: PreviousEnd
    ) {
        stage.acquire(sessions[0], 1, lock)
        stage.acquire(sessions[1], 1, lock)
        stage.end(sessions[0], reason)
        #expect(stage.effects.count == 2)
        #expect(stage.reply(to: 1, of: sessions[1]) == stage.granted(lock, after: previousEnd))
    }

    @Test
    mutating func `a session's end gives up all it holds and awaits, in order of its requests`() {
        let names = ["a", "b", "c"].map(ObjectName.init(known:))
        for (number, name) in zip(UInt64(1)..., [names[2], names[0]]) {
            stage.acquire(sessions[0], number, name)
            stage.acquire(sessions[1], number, name)
        }
        stage.acquire(sessions[2], 1, names[1])
        stage.acquire(sessions[0], 3, names[1])
        stage.end(sessions[0], .died)
        #expect(
            Array(stage.effects.dropFirst()) == [
                .reply(session: sessions[1], number: 1, stage.granted(names[2], after: .died)),
                .reply(session: sessions[1], number: 2, stage.granted(names[0], after: .died)),
            ])
        #expect(stage.lock(names[1])?.waiters.isEmpty == true)
    }

    @Test mutating func `the queue has a bound`() {
        var quotas = Quotas()
        quotas.waitersPerObject = 1
        stage = Stage(quotas: quotas)
        let sessions = stage.open(all: 1...3)
        for session in sessions { stage.acquire(session, 1, lock) }
        #expect(stage.refusal(of: 1, of: sessions[2]) == .quotaExceeded)
    }

    @Test mutating func `the number of objects has a bound`() {
        var quotas = Quotas()
        quotas.objects = 1
        stage = Stage(quotas: quotas)
        let sessions = stage.open(all: 1...2)
        stage.acquire(sessions[0], 1, lock)
        stage.acquire(sessions[0], 2, ObjectName(known: "other"))
        #expect(stage.refusal(of: 2, of: sessions[0]) == .quotaExceeded)
        stage.request(sessions[0], 3, .campaign(slot: lock, value: []))
        #expect(stage.refusal(of: 3, of: sessions[0]) == .quotaExceeded)
        stage.request(sessions[0], 4, .arrive(BarrierArrival(name: lock, parties: 2)))
        #expect(stage.refusal(of: 4, of: sessions[0]) == .quotaExceeded)
        stage.acquire(sessions[1], 1, lock)
        #expect(stage.position(of: 1, of: sessions[1]) == 0)
    }

    /// All that a session has is given up at one version.
    @Test mutating func `what one session holds and awaits has a bound`() {
        var quotas = Quotas()
        quotas.claimsPerSession = 2
        stage = Stage(quotas: quotas)
        let sessions = stage.open(all: 1...2)
        let others = [ObjectName(known: "a"), ObjectName(known: "b")]
        stage.acquire(sessions[1], 1, lock)
        stage.acquire(sessions[0], 1, lock)
        stage.request(sessions[0], 2, .campaign(slot: lock, value: []))
        stage.acquire(sessions[0], 3, others[0])
        #expect(stage.refusal(of: 3, of: sessions[0]) == .quotaExceeded)
        stage.request(sessions[0], 4, .campaign(slot: others[0], value: []))
        #expect(stage.refusal(of: 4, of: sessions[0]) == .quotaExceeded)
        stage.acquire(sessions[1], 2, others[0])
        #expect(stage.refusal(of: 2, of: sessions[1]) == nil)
        stage.request(sessions[0], 5, .cancel(number: 1, reason: .timedOut))
        stage.acquire(sessions[0], 6, others[1])
        #expect(stage.refusal(of: 6, of: sessions[0]) == nil)
    }

    /// A queue in which leaving or being repeated took a search would take minutes here.
    @Test mutating func `ten thousand waiters leave and are served without a search`() {
        let count: UInt32 = 10_000
        var quotas = Quotas()
        quotas.sessions = 20_000
        quotas.sessionsPerUID = 20_000
        stage = Stage(quotas: quotas)
        let sessions = stage.open(all: 1...count)
        for session in sessions { stage.acquire(session, 1, lock) }
        #expect(stage.position(of: 1, of: sessions[9_999]) == 9_998)
        for session in sessions[5_000...].reversed() {
            stage.request(session, 2, .cancel(number: 1, reason: .gaveUp))
        }
        for session in sessions[1..<2_500] { stage.end(session, .died) }
        #expect(stage.lock(lock)?.waiterCount == 2_500)
        #expect(waiters == Array(sessions[2_500..<3_000]))
        for session in sessions[2_500..<4_999] { stage.acquire(session, 1, lock) }
        #expect(stage.position(of: 1, of: sessions[4_998]) == 2_498)
        var last: UInt64 = 0
        for session in [sessions[0]] + sessions[2_500..<5_000] {
            let report = stage.coordinator.why(lock).objects[0].holders
            #expect(report.map(\.session) == [session])
            #expect(report[0].token > last)
            last = report[0].token
            stage.request(session, 2, .release(name: lock, token: FencingToken(last)))
        }
        #expect(stage.coordinator.objectCount == 0)
    }
}
