import ConclaveBase
import ConclaveCoordination
import ConclaveService
import ConclaveWire
import Testing

@Suite struct `Sessions` {
    private let group = TestGroup()
    private var daemon: TestDaemon { group[0] }

    private var ends: [SessionEnd] {
        group.told.compactMap { effect in
            if case .sessionEnded(_, _, let reason) = effect { reason } else { nil }
        }
    }

    @Test(arguments: [Interval.milliseconds(2_999), .milliseconds(60_001)])
    func `a ttl outside its bounds is refused by the setting's name (K8)`(ttl: Interval) throws {
        let id = daemon.connect()
        daemon.hello(id)
        daemon.open(id, ttl: ttl)
        let refusal = try #require(try daemon.received(id).refusals.first)
        #expect(refusal.code == .invalid)
        let setting = ttl < .seconds(10) ? "timing.suspicion" : "maxSessionTtl"
        #expect(refusal.message.contains(setting))
        #expect(group.history.isEmpty)
    }

    @Test func `a ttl that the file allows is refused by a group that does not (V26)`() throws {
        let group = TestGroup(longestTTL: .seconds(30), isFounded: false)
        let id = group[0].connect()
        group[0].hello(id)
        group[0].open(id, ttl: .seconds(40))
        #expect(try group[0].received(id).refusals.isEmpty)
        group.install([group[0].member])
        let refusal = try #require(try group[0].received(id).refusals.first)
        #expect(refusal.message.contains("maxSessionTtl"))
        #expect(group.history.isEmpty)
    }

    @Test func `a ttl that the group allows is taken, whatever the file says (V26)`() throws {
        let group = TestGroup(longestTTL: .seconds(120), isFounded: false)
        let id = group[0].connect()
        group[0].hello(id)
        group[0].open(id, ttl: .seconds(90))
        group.install([group[0].member])
        #expect(try group[0].received(id).refusals.isEmpty)
        #expect(group.machine.sessionCount == 1)
    }

    @Test func `openings given up while nothing is served leave nothing behind`() throws {
        daemon.isServing = false
        daemon.step(.serving(ServingState(isServing: false, reason: "no quorum")))
        for pid in 1...20 as ClosedRange<UInt32> {
            let id = daemon.connect(pid: pid)
            daemon.hello(id)
            daemon.open(id)
            daemon.step(.client(.closed(id)))
            #expect(daemon.forgotten.last == id)
        }
        daemon.step(.serving(ServingState(isServing: true, reason: "")))
        daemon.isServing = true
        daemon.flush()
        #expect(group.history.isEmpty)
    }

    @Test func `an opening given up while nothing is served may be in the order already`() throws {
        group.isHeld = true
        let id = daemon.connect()
        daemon.hello(id)
        daemon.open(id)
        daemon.step(.serving(ServingState(isServing: false, reason: "no quorum")))
        daemon.step(.client(.closed(id)))
        group.isHeld = false
        group.order()
        #expect(group.machine.sessionCount == 1)
        group.live(.seconds(6))
        #expect(group.machine.sessionCount == 0)
        #expect(ends == [.expired])
    }

    @Test func `a session is told open only with a deadline to show`() throws {
        let id = daemon.connect()
        daemon.hello(id)
        _ = try daemon.received(id)
        daemon.open(id)
        #expect(try daemon.received(id).isEmpty)
        #expect(group.machine.sessionCount == 1)
        daemon.step(.confirmed(since: group.now))
        let session = try daemon.received(id).opened()
        let slot = try #require(daemon.page[session.slot])
        #expect(slot.session == session.session)
        #expect(slot.deadline == group.now.advanced(by: .milliseconds(4_950)))
        #expect(session.slot != 0)
    }

    @Test func `opening twice under one id opens one session (K9)`() throws {
        let first = daemon.connect()
        daemon.hello(first)
        daemon.open(first, name: 5)
        group.confirm()
        let session = try daemon.received(first).opened()
        daemon.step(.client(.closed(first)))
        let second = daemon.connect()
        daemon.hello(second)
        daemon.open(second, name: 5)
        let again = try daemon.received(second).opened()
        #expect(again.session == session.session)
        #expect(again.secret == session.secret)
        #expect(daemon.forgotten == [first])
    }

    @Test func `confirmed heartbeats move the deadline on (K3)`() throws {
        let (_, session) = try daemon.connectWithSession()
        let first = try #require(daemon.deadline(of: session.session))
        group.advance(.seconds(1))
        daemon.step(.confirmed(since: group.now.advanced(by: .milliseconds(-200))))
        #expect(
            daemon.deadline(of: session.session) == first.advanced(by: .milliseconds(800)))
        daemon.step(.confirmed(since: group.now.advanced(by: .milliseconds(-500))))
        #expect(
            daemon.deadline(of: session.session) == first.advanced(by: .milliseconds(800)))
    }

    @Test func `no deadline moves on between the end of an epoch and the next view`() throws {
        let (_, session) = try daemon.connectWithSession()
        let deadline = daemon.deadline(of: session.session)
        group.advance(.seconds(1))
        daemon.step(.wedged)
        daemon.step(.confirmed(since: group.now))
        #expect(daemon.deadline(of: session.session) == deadline)
        group.install([daemon.member])
        #expect(daemon.deadline(of: session.session) == deadline)
        group.confirm()
        #expect(
            daemon.deadline(of: session.session) == deadline?.advanced(by: .seconds(1)))
    }

    @Test func `a deadline that has passed is final, and the end is ordered until applied (K5)`()
        throws
    {
        let (id, session) = try daemon.connectWithSession()
        daemon.isServing = false
        let deadline = try #require(daemon.deadline(of: session.session))
        #expect(daemon.nextTick <= deadline)
        group.advance(.milliseconds(4_950))
        #expect(daemon.deadline(of: session.session) == .distantPast)
        group.confirm()
        #expect(daemon.deadline(of: session.session) == .distantPast)
        daemon.request(try lock("a"), number: 1, id)
        #expect(try daemon.received(id).refusals.map(\.code) == [.sessionEnded])
        #expect(group.history.count == 1)
        // The order of the end is lost with its epoch, and given anew.
        group.isHeld = true
        daemon.isServing = true
        daemon.flush()
        group.install([daemon.member])
        group.isHeld = false
        group.order()
        #expect(ends == [.expired])
        #expect(try daemon.received(id).ends == [.expired])
        #expect(group.machine.sessionCount == 0)
    }

    @Test func `a deadline that passed while the daemon slept is not extended (K5)`() throws {
        let (_, session) = try daemon.connectWithSession()
        group.now = group.now.advanced(by: .seconds(5))
        daemon.step(.confirmed(since: group.now))
        #expect(daemon.deadline(of: session.session) == .distantPast)
        #expect(ends == [.expired])
    }

    @Test func `a closed socket ends the session only when what was shown has passed`() throws {
        let (id, session) = try daemon.connectWithSession()
        let deadline = try #require(daemon.deadline(of: session.session))
        daemon.step(.client(.closed(id)))
        #expect(daemon.forgotten.isEmpty)
        group.live(.milliseconds(4_900))
        #expect(daemon.deadline(of: session.session) == deadline)
        #expect(ends.isEmpty)
        group.live(.milliseconds(50))
        #expect(ends == [.expired])
        #expect(daemon.forgotten == [id])
    }

    @Test func `a session that is resumed in time goes on`() throws {
        let (id, session) = try daemon.connectWithSession()
        daemon.step(.client(.closed(id)))
        group.live(.seconds(4))
        let again = daemon.connect()
        daemon.hello(again)
        daemon.resume(again, session)
        let resumed = try daemon.received(again).opened()
        #expect(resumed.session == session.session)
        #expect(daemon.forgotten == [id])
        group.live(.seconds(20))
        #expect(ends.isEmpty)
        daemon.step(.client(.processDied(again)))
        #expect(ends == [.died])
    }

    @Test func `a resume closes the connection that it replaces`() throws {
        let (id, session) = try daemon.connectWithSession()
        let again = daemon.connect()
        daemon.hello(again)
        daemon.resume(again, session)
        #expect(daemon.closed == [id])
        #expect(daemon.forgotten == [id])
        daemon.step(.client(.closed(id)))
        group.live(.seconds(10))
        #expect(ends.isEmpty)
    }

    @Test func `a session whose deadline has passed is not resumed (K5)`() throws {
        let (id, session) = try daemon.connectWithSession()
        daemon.step(.client(.closed(id)))
        let again = daemon.connect()
        daemon.hello(again)
        _ = try daemon.received(again)
        // The resume is on its way when the deadline passes, and is applied before the end.
        group.isHeld = true
        daemon.resume(again, session)
        group.advance(.seconds(5))
        group.isHeld = false
        group.order()
        #expect(try daemon.received(again).refusals.map(\.code) == [.sessionEnded])
        #expect(ends == [.expired])
        #expect(daemon.deadline(of: session.session) == .distantPast)
    }

    @Test func `a process's death ends its session at once, also after the socket closed`() throws {
        let (id, _) = try daemon.connectWithSession()
        daemon.step(.client(.closed(id)))
        daemon.step(.client(.processDied(id)))
        #expect(ends == [.died])
        #expect(daemon.forgotten == [id])
    }

    @Test func `a process that died while its session was being opened leaves none`() throws {
        let id = daemon.connect()
        daemon.hello(id)
        group.isHeld = true
        daemon.open(id)
        daemon.step(.client(.closed(id)))
        daemon.step(.client(.processDied(id)))
        group.isHeld = false
        group.order()
        #expect(ends == [.died])
        #expect(daemon.forgotten == [id])
        #expect(group.machine.sessionCount == 0)
    }

    @Test func `an open whose client is gone is not proposed again`() throws {
        let id = daemon.connect()
        daemon.hello(id)
        group.isHeld = true
        daemon.open(id)
        daemon.step(.client(.closed(id)))
        group.install([daemon.member])
        #expect(group.proposed.isEmpty)
        #expect(daemon.forgotten == [id])
    }

    @Test func `goodbye is answered when the end is applied`() throws {
        let (id, session) = try daemon.connectWithSession()
        group.isHeld = true
        daemon.send(.goodbye, number: 9, id)
        #expect(try daemon.received(id).isEmpty)
        group.isHeld = false
        group.order()
        let frames = try daemon.received(id)
        #expect(frames.map(\.header.type) == [ClientFrameType.goodbye.rawValue])
        #expect(frames.map(\.header.number) == [9])
        #expect(ends == [.goodbye])
        #expect(daemon.deadline(of: session.session) == .distantPast)
        daemon.open(id, name: 55)
        group.confirm()
        _ = try daemon.received(id).opened()
    }

    @Test func `goodbye without a session is answered at once`() throws {
        let id = daemon.connect()
        daemon.hello(id)
        _ = try daemon.received(id)
        daemon.send(.goodbye, number: 9, id)
        #expect(try daemon.received(id).map(\.header.number) == [9])
    }

    @Test func `another process has the session after the validity was withdrawn (K7)`() throws {
        let (id, session) = try daemon.connectWithSession(pid: 1)
        group.isHeld = true
        let other = daemon.connect(pid: 2)
        daemon.hello(other)
        _ = try daemon.received(other)
        daemon.resume(other, session)
        group.order()
        // The old daemon was asked, withdrew, and told its client; the yield is not ordered yet.
        #expect(daemon.page[session.slot]?.deadline == .distantPast)
        #expect(try daemon.received(id).ends == [.expired])
        group.confirm()
        #expect(daemon.page[session.slot]?.deadline == .distantPast)
        group.isHeld = false
        group.order()
        let taken = try daemon.received(other).opened()
        #expect(taken.session == session.session)
        #expect(taken.slot != session.slot)
        #expect(daemon.deadline(of: session.session) ?? .distantPast > group.now)
        #expect(daemon.page[session.slot]?.deadline == .distantPast)
        daemon.step(.client(.processDied(id)))
        #expect(ends.isEmpty)
        daemon.step(.client(.processDied(other)))
        #expect(ends == [.died])
    }

    @Test func `a yield that was lost with its epoch is ordered again (K7)`() throws {
        let (_, session) = try daemon.connectWithSession(pid: 1)
        let other = daemon.connect(pid: 2)
        daemon.hello(other)
        _ = try daemon.received(other)
        group.isHeld = true
        daemon.resume(other, session)
        group.order()
        group.install([daemon.member])
        group.isHeld = false
        group.order()
        group.confirm()
        #expect(try daemon.received(other).opened().session == session.session)
    }

    /// A session whose process is with the next daemon, and has not heard from it: it maps the old page.
    /// Another process wants it.
    private func wantedFromNextDaemon() throws -> (group: TestGroup, session: SessionOpened) {
        let group = TestGroup(daemonCount: 2)
        let (_, session) = try group[0].connectWithSession(pid: 1)
        for id in [group[1].connectAs(group[0].process(1)), group[1].connect(pid: 2)] {
            group[1].hello(id)
            group[1].resume(id, session)
        }
        return (group, session)
    }

    @Test func `what a daemon before this one has shown is waited for before yielding (K7)`()
        throws
    {
        let (group, session) = try wantedFromNextDaemon()
        let old = try #require(group[0].shown.first?.deadline)
        group.confirm()
        #expect(group.machine.sessionState(session.session)?.process.pid == 1)
        group.now = old.advanced(by: .milliseconds(-1))
        group.advance(.zero)
        #expect(group.machine.sessionState(session.session)?.process.pid == 1)
        group.advance(.milliseconds(1))
        group.confirm()
        #expect(group.machine.sessionState(session.session)?.process.pid == 2)
    }

    @Test func `a yielded session that its own process resumes outlives what was shown (K7)`()
        throws
    {
        let (group, session) = try wantedFromNextDaemon()
        // It still maps the page of the daemon before, and has not heard that its session is over.
        let again = group[1].connectAs(group[0].process(1))
        group[1].hello(again)
        group[1].resume(again, session)
        #expect(try group[1].received(again).refusals.map(\.code) == [.sessionEnded])
        let old = try #require(group[0].shown.first?.deadline)
        group.confirm()
        group.now = old.advanced(by: .milliseconds(-1))
        group.advance(.zero)
        #expect(group.machine.sessionState(session.session)?.process.pid == 1)
        group.advance(.milliseconds(1))
        #expect(group.machine.sessionState(session.session) == nil)
    }

    @Test func `without a slot in the page a session ends when what was shown before is over (K7)`()
        throws
    {
        let group = TestGroup(daemonCount: 2, validitySlotCount: 2)
        let (_, session) = try group[0].connectWithSession(pid: 1)
        _ = try group[1].connectWithSession(pid: 2)
        let id = group[1].connectAs(group[0].process(1))
        group[1].hello(id)
        group[1].resume(id, session)
        #expect(try group[1].received(id).refusals.map(\.code) == [.quotaExceeded])
        let old = try #require(group[0].shown.first?.deadline)
        group.now = old.advanced(by: .milliseconds(-1))
        group.advance(.zero)
        #expect(group.machine.sessionState(session.session) != nil)
        group.advance(.milliseconds(1))
        #expect(group.machine.sessionState(session.session) == nil)
    }

    /// Another process has it, as the one that opened it is gone.
    private func takeOver(
        _ session: SessionOpened, from gone: ConnectionID, pid: UInt32
    ) throws -> (ConnectionID, SessionOpened) {
        daemon.step(.client(.closed(gone)))
        let id = daemon.connect(pid: pid)
        daemon.hello(id)
        _ = try daemon.received(id)
        daemon.resume(id, session)
        return (id, try daemon.received(id).opened())
    }

    @Test func `a slot is not given back to a session whose process lost it (K7)`() throws {
        var (id, session) = try daemon.connectWithSession(pid: 1)
        var slots: Set<UInt32> = [session.slot]
        for pid in UInt32(2)...4 {
            (id, session) = try takeOver(session, from: id, pid: pid)
            #expect(slots.insert(session.slot).inserted)
        }
        daemon.send(.goodbye, number: 1, id)
        let (_, fresh) = try daemon.connectWithSession(pid: 9)
        #expect(slots.contains(fresh.slot))
    }

    @Test func `a session that went through many processes goes to no other one`() throws {
        var (id, session) = try daemon.connectWithSession(pid: 1)
        for pid in UInt32(2)...9 {
            (id, session) = try takeOver(session, from: id, pid: pid)
        }
        let tenth = daemon.connect(pid: 10)
        daemon.hello(tenth)
        daemon.resume(tenth, session)
        let refusal = try #require(try daemon.received(tenth).refusals.last)
        #expect(refusal.code == .quotaExceeded)
        #expect(refusal.message.contains("open another one"))
        // Whose it is has not changed, and may still resume it.
        group.confirm()
        #expect(daemon.deadline(of: session.session) ?? .distantPast > group.now)
        daemon.step(.client(.closed(id)))
        let again = daemon.connect(pid: 9)
        daemon.hello(again)
        daemon.resume(again, session)
        #expect(try daemon.received(again).opened().slot == session.slot)
    }

    @Test func `none is opened while the page is full`() throws {
        let group = TestGroup(validitySlotCount: 2)
        _ = try group[0].connectWithSession(pid: 1)
        let known = group.history.count
        let id = group[0].connect(pid: 2)
        group[0].hello(id)
        group[0].open(id)
        #expect(try group[0].received(id).refusals.map(\.code) == [.quotaExceeded])
        #expect(group.history.count == known)
    }

    @Test(arguments: [(1_000, 3), (60_000, 5)])
    func `a session without a ttl has the usual one, as far as the group allows it`(
        longest: Int64, seconds: Int64
    ) throws {
        let group = TestGroup(longestTTL: .milliseconds(max(longest, 3_000)))
        let (_, session) = try group[0].connectWithSession(ttl: .zero)
        #expect(session.ttl == .seconds(seconds))
    }

    @Test func `a session that waits for the first view has a ttl that this group allows`() throws {
        let group = TestGroup(longestTTL: .seconds(4), isFounded: false)
        let id = group[0].connect()
        group[0].hello(id)
        group[0].open(id, ttl: .zero)
        group.install([group[0].member])
        group.confirm()
        #expect(try group[0].received(id).opened().ttl == .seconds(4))
    }

    /// Two daemons with two slots for sessions each, and a session that the second took over from the
    /// first.
    private func movedSession() throws -> (TestGroup, connection: ConnectionID, SessionOpened) {
        let group = TestGroup(daemonCount: 2, validitySlotCount: 3)
        let (_, session) = try group[0].connectWithSession(pid: 1)
        let id = group[1].connectAs(group[0].process(1))
        group[1].hello(id)
        group[1].resume(id, session)
        group.confirm()
        _ = try group[1].received(id).opened()
        return (group, id, session)
    }

    @Test func `a slot that was given up is used again if its session ended while nobody told`()
        throws
    {
        let (group, id, session) = try movedSession()
        group[0].isDeaf = true
        group[1].send(.goodbye, number: 1, id)
        try #require(group.machine.sessionState(session.session) == nil)
        group[0].isDeaf = false
        group.replaceState(of: group[0])
        for pid in UInt32(5)...6 { _ = try group[0].connectWithSession(pid: pid) }
    }

    @Test func `a slot that was given up stays out of use in a replaced state (K7)`() throws {
        let (group, _, session) = try movedSession()
        group.replaceState(of: group[0])
        let (_, other) = try group[0].connectWithSession(pid: 5)
        #expect(other.slot != session.slot)
    }

    @Test func `a slot stays out of use if its session moved away while nobody told (K7)`() throws {
        let group = TestGroup(daemonCount: 2, validitySlotCount: 3)
        let (_, session) = try group[0].connectWithSession(pid: 1)
        group[0].isDeaf = true
        let id = group[1].connectAs(group[0].process(1))
        group[1].hello(id)
        group[1].resume(id, session)
        group.confirm()
        _ = try group[1].received(id).opened()
        group[0].isDeaf = false
        group.replaceState(of: group[0])
        #expect(group[0].page[session.slot]?.deadline == .distantPast)
        let (_, other) = try group[0].connectWithSession(pid: 5)
        #expect(other.slot != session.slot)
    }

    @Test func `what a replaced state says about sessions is taken over`() throws {
        let (id, session) = try daemon.connectWithSession()
        daemon.request(try lock("a"), number: 1, id)
        #expect(try daemon.received(id).replies.map(\.number) == [1])
        daemon.isDeaf = true
        daemon.request(try lock("b"), number: 2, id)
        let gone = daemon.connect(pid: 2)
        daemon.hello(gone)
        daemon.open(gone)
        daemon.isDeaf = false
        group.replaceState(of: daemon)
        #expect(try daemon.received(id).replies.map(\.number).contains(2))
        group.confirm()
        // The open is proposed again, and finds its session.
        #expect(try daemon.received(gone).opened().session != session.session)
        #expect(group.machine.sessionCount == 2)
    }

    @Test func `a session that ended without a word is told to its client`() throws {
        let (id, session) = try daemon.connectWithSession()
        daemon.isDeaf = true
        group.propose([
            Command.end(session: session.session, attachment: 1, reason: .expired).bytes
        ])
        daemon.isDeaf = false
        group.replaceState(of: daemon)
        #expect(try daemon.received(id).ends == [.expired])
        #expect(daemon.deadline(of: session.session) == .distantPast)
    }
}
