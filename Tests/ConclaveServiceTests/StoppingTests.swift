import ConclaveBase
import ConclaveCoordination
import ConclaveService
import ConclaveWire
import Testing

@Suite struct `Holders that are stopped` {
    private let group = TestGroup()
    private var daemon: TestDaemon { group[0] }
    private let client: ConnectionID
    private let session: SessionOpened
    private let name: ObjectName

    init() throws {
        (client, session) = try group[0].connectWithSession(pid: 1)
        name = try ObjectName("lock")
    }

    private func hold(_ action: LossAction, number: UInt64 = 1) throws {
        daemon.request(try lock("lock"), number: number, onLoss: action, client)
    }

    private func release() throws {
        let token = try #require(
            daemon.received(client).replies.compactMap(\.reply.token).last)
        daemon.request(.release(name: name, token: token), number: 9, client)
    }

    private var actions: [LossAction] { daemon.stops.map(\.action) }

    private var isOpen: Bool { group.machine.sessionState(session.session) != nil }

    /// Lets time pass without heartbeats.
    private func passSilently(_ interval: Interval) {
        var rest = interval
        while rest > .zero {
            group.advance(.milliseconds(50))
            rest = rest - .milliseconds(50)
        }
    }

    @Test(arguments: [LossAction.signal, .freeze, .kill])
    func `get their signal a second before the deadline`(action: LossAction) throws {
        try hold(action)
        passSilently(.milliseconds(3_900))
        #expect(daemon.stops.isEmpty)
        #expect(daemon.nextTick == daemon.deadline(of: session.session)?.advanced(by: .seconds(-1)))
        passSilently(.milliseconds(100))
        #expect(
            daemon.stops == [.init(id: client, session: session.session, action: action)])
        passSilently(.seconds(3))
        #expect(actions == [action], "once")
        #expect(!isOpen)
    }

    @Test func `are left alone while heartbeats are confirmed, and when they ask for nothing`()
        throws
    {
        try hold(.kill)
        group.live(.seconds(20))
        #expect(daemon.stops.isEmpty)
        try release()
        try hold(.notify, number: 10)
        passSilently(.seconds(8))
        #expect(daemon.stops.isEmpty)
        #expect(!isOpen)
    }

    @Test func `are left alone when they have let go, though the group does not know it`() throws {
        try hold(.kill)
        group.isHeld = true
        try release()
        passSilently(.seconds(8))
        #expect(daemon.stops.isEmpty)
    }

    @Test func `are left alone when a repeat of the request comes after they have let go`() throws {
        try hold(.kill)
        try release()
        try hold(.kill)
        passSilently(.seconds(8))
        #expect(daemon.stops.isEmpty)
    }

    @Test func `are left alone while they only wait`() throws {
        let (other, _) = try daemon.connectWithSession(pid: 2, ttl: .seconds(60))
        daemon.request(try lock("lock"), number: 1, other)
        try hold(.kill)
        passSilently(.seconds(4))
        #expect(daemon.stops.isEmpty)
        // What is granted when the deadline is near already is noticed.
        daemon.send(.goodbye, number: 2, other)
        group.advance(.zero)
        #expect(actions == [.kill])
    }

    @Test func `are stopped for the strongest of what they hold`() throws {
        try hold(.signal)
        daemon.request(.campaign(slot: name, value: []), number: 2, onLoss: .freeze, client)
        daemon.request(try lock("more"), number: 3, client)
        passSilently(.seconds(4))
        #expect(actions == [.freeze])
    }

    @Test func `who were only told to end go on when the session does, and are told again`() throws
    {
        try hold(.signal)
        passSilently(.seconds(4))
        group.live(.seconds(10))
        #expect(isOpen)
        #expect(actions == [.signal])
        passSilently(.seconds(8))
        #expect(actions == [.signal, .signal])
    }

    @Test(arguments: [LossAction.freeze, .kill])
    func `who are stopped for good have their session no longer than it was shown`(
        action: LossAction
    ) throws {
        try hold(action)
        passSilently(.seconds(4))
        let deadline = daemon.deadline(of: session.session)
        group.confirm()
        #expect(daemon.deadline(of: session.session) == deadline)
        group.live(.seconds(3))
        #expect(!isOpen)
    }

    @Test func `have time to stand still when the daemon was late`() throws {
        try hold(.freeze)
        // It did not run: when it does, the deadline has passed.
        group.advance(.seconds(7))
        #expect(actions == [.freeze])
        #expect(isOpen)
        #expect(daemon.page[session.slot]?.deadline == .distantPast)
        passSilently(.milliseconds(900))
        #expect(isOpen)
        passSilently(.milliseconds(150))
        #expect(!isOpen)
    }

    @Test func `a dead one is not signalled, and ends its session at once`() throws {
        try hold(.kill)
        passSilently(.seconds(4))
        #expect(actions == [.kill])
        daemon.step(.client(.processDied(client)))
        #expect(!isOpen)
        #expect(group.machine.why(name).objects.isEmpty)
        #expect(actions == [.kill])
    }

    @Test func `who say goodbye hold nothing`() throws {
        try hold(.kill)
        group.isHeld = true
        daemon.send(.goodbye, number: 9, client)
        passSilently(.seconds(8))
        #expect(daemon.stops.isEmpty)
    }

    @Test func `who have lost their connection are stopped, by the process that they were`() throws
    {
        try hold(.kill)
        daemon.step(.client(.closed(client)))
        #expect(daemon.forgotten.isEmpty)
        for _ in 0..<80 {
            group.advance(.milliseconds(50))
            group.confirm()
        }
        #expect(daemon.stops.map(\.id) == [client])
    }

    @Test func `K6: an administrator's force stops them before it is said that they have let go`()
        throws
    {
        try hold(.kill)
        let administrator = daemon.connect(pid: 9, uid: 0)
        daemon.hello(administrator)
        daemon.open(administrator)
        group.confirm()
        daemon.request(
            .revoke(Revocation(session.session, .session, .force)), number: 1, administrator)
        #expect(actions == [.kill])
        #expect(daemon.page[session.slot]?.deadline == .distantPast)
        for _ in 0..<9 { group.live(.milliseconds(100)) }
        #expect(isOpen)
        group.live(.milliseconds(200))
        #expect(!isOpen)
        #expect(actions == [.kill])
    }

    @Test func `K7: so does another process that wants the session`() throws {
        try hold(.freeze)
        let other = daemon.connect(pid: 2)
        daemon.hello(other)
        _ = try daemon.received(other)
        daemon.resume(other, session)
        #expect(daemon.stops == [.init(id: client, session: session.session, action: .freeze)])
        group.live(.milliseconds(900))
        #expect(try daemon.received(other).isEmpty)
        group.live(.milliseconds(300))
        #expect(try daemon.received(other).opened().session == session.session)
        group.live(.seconds(10))
        #expect(actions == [.freeze], "the heir has asked for nothing")
    }

    @Test func `nobody can ask for it whom the daemon may not signal`() throws {
        let id = daemon.connectAs(daemon.process(5), canBeStopped: false)
        daemon.hello(id)
        daemon.open(id)
        group.confirm()
        _ = try daemon.received(id)
        daemon.request(try lock("x"), number: 1, onLoss: .kill, id)
        #expect(try daemon.received(id).refusals.map(\.code) == [.denied])
        daemon.request(try lock("x"), number: 2, id)
        #expect(try daemon.received(id).replies.count == 1)
    }

    @Test func `only so much can be asked for`() throws {
        let parts = try (0..<64).map { LockSet.Part(try ObjectName("set/\($0)"), .shared) }
        for number in 1...16 as ClosedRange<UInt64> {
            let names = try parts.map {
                LockSet.Part(try ObjectName("\($0.name)/\(number)"), .shared)
            }
            daemon.request(.acquireAll(LockSet(names)), number: number, onLoss: .kill, client)
        }
        daemon.request(try lock("one more"), number: 17, onLoss: .kill, client)
        #expect(try daemon.received(client).refusals.map(\.code) == [.quotaExceeded])
    }
}

@Suite struct `Holders that resume` {
    /// Held under number 1.
    private static func guards(_ action: LossAction, _ reply: Reply? = nil) throws -> LossGuards {
        var guards = LossGuards()
        guards.sent(try lock("lock"), number: 1, onLoss: action)
        if let reply { guards.answered(reply, to: 1) }
        return guards
    }

    @Test(arguments: [true, false])
    func `are known to the next daemon by what they say`(isAnswered: Bool) throws {
        let group = TestGroup(daemonCount: 2)
        let (id, session) = try group[0].connectWithSession(pid: 1)
        group[0].request(try lock("lock"), number: 1, onLoss: .kill, id)
        let reply = try #require(try group[0].received(id).replies.first?.reply)
        // It may not have read that it has the lock.
        let guards = try Self.guards(.kill, isAnswered ? reply : nil)
        let next = group[1].connectAs(group[0].process(1))
        group[1].hello(next)
        group[1].resume(next, session, confirmed: isAnswered ? 1 : 0, guards: guards)
        group.confirm()
        #expect(try group[1].received(next).opened().session == session.session)
        for _ in 0..<82 { group.advance(.milliseconds(50)) }
        #expect(group[1].stops == [.init(id: next, session: session.session, action: .kill)])
        #expect(group[0].stops.isEmpty, "it is no longer there")
    }

    /// A holder whose connection is gone, and another connection of its process.
    private static func reconnected(
        in group: TestGroup
    ) throws -> (before: ConnectionID, next: ConnectionID, session: SessionOpened) {
        let (before, session) = try group[0].connectWithSession(pid: 1)
        group[0].request(try lock("lock"), number: 1, onLoss: .kill, before)
        group[0].step(.client(.closed(before)))
        let next = group[0].connect(pid: 1)
        group[0].hello(next)
        return (before, next, session)
    }

    /// It was on its way when the group could not say whether it had come, and its connection was closed.
    @Test func `are watched on when their resume is known to nobody any more`() throws {
        let group = TestGroup()
        let (before, next, session) = try Self.reconnected(in: group)
        group.isHeld = true
        group[0].resume(next, session)
        group[0].step(.serving(ServingState(isServing: false, reason: "too few")))
        group[0].step(.client(.closed(next)))
        group.isHeld = false
        group.order()
        #expect(group.machine.sessionState(session.session)?.attachment.number == 2)
        for _ in 0..<120 { group.advance(.milliseconds(50)) }
        #expect(group[0].stops.map(\.id) == [before])
    }

    @Test func `here have let go of what they say no more`() throws {
        let group = TestGroup()
        let (_, next, session) = try Self.reconnected(in: group)
        group[0].resume(next, session)
        group.confirm()
        for _ in 0..<120 { group.advance(.milliseconds(50)) }
        #expect(group[0].stops.isEmpty)
    }
}
