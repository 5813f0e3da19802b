import ConclaveBase
import ConclaveCoordination
import ConclaveService
import ConclaveWire
import Testing

@Suite struct `Requests` {
    private let group = TestGroup(daemonCount: 2)
    private var daemon: TestDaemon { group[0] }

    private func numbers(_ commands: [Command]) -> [UInt64] {
        commands.compactMap { command in
            if case .request(_, let number, _, _) = command { number } else { nil }
        }
    }

    @Test func `a request is applied and answered, a repeat gets the same reply (K9)`() throws {
        let (id, _) = try daemon.connectWithSession()
        daemon.request(try lock("a"), number: 1, id)
        daemon.request(try lock("a"), number: 1, id)
        let replies = try daemon.received(id).replies
        #expect(replies.map(\.number) == [1, 1])
        #expect(replies[0].reply == replies[1].reply)
        #expect(replies[0].reply.token != nil)
    }

    @Test func `requests wait while the daemon does not serve`() throws {
        let (id, _) = try daemon.connectWithSession()
        daemon.isServing = false
        daemon.request(try lock("a"), number: 1, id)
        #expect(group.proposed.isEmpty)
        daemon.isServing = true
        daemon.flush()
        #expect(try daemon.received(id).replies.map(\.number) == [1])
    }

    @Test func `what was not applied is proposed anew, in order and before anything newer (V20)`()
        throws
    {
        let (id, _) = try daemon.connectWithSession()
        group.isHeld = true
        for number in 1...4 {
            daemon.request(try lock("\(number)"), number: UInt64(number), id)
        }
        group.order(count: 2)
        daemon.isServing = false
        daemon.request(try lock("5"), number: 5, id)
        group.install(group.daemons.map(\.member))
        daemon.request(try lock("6"), number: 6, id)
        #expect(numbers(group.proposed) == [3, 4, 5, 6])
        group.isHeld = false
        group.order()
        #expect(try daemon.received(id).replies.map(\.number) == [1, 2, 3, 4, 5, 6])
        #expect(numbers(group.history) == [1, 2, 3, 4, 5, 6])
    }

    @Test func `a session takes its unanswered requests to another daemon`() throws {
        let other = group[1]
        let (holder, _) = try daemon.connectWithSession(pid: 1)
        daemon.request(try lock("busy"), number: 1, holder)
        let (id, session) = try daemon.connectWithSession(pid: 2)
        daemon.request(try lock("free"), number: 1, id)
        daemon.request(try lock("busy"), number: 2, id)
        daemon.request(try lock("also free"), number: 3, id)
        _ = try daemon.received(id)
        daemon.step(.client(.closed(id)))
        // The same process cannot be on two hosts: its daemon there is another one, of this host.
        let again = other.connectAs(daemon.process(2))
        other.hello(again)
        other.resume(again, session)
        group.confirm()
        let frames = try other.received(again)
        #expect(try frames.opened().waiting == [2])
        #expect(frames.replies.map(\.number) == [1, 3])
        daemon.send(.goodbye, number: 2, holder)
        #expect(try other.received(again).replies.map(\.number) == [2])
        #expect(try daemon.received(id).isEmpty)
    }

    @Test func `a confirmed reply is not sent again`() throws {
        let (id, session) = try daemon.connectWithSession()
        for number in 1...3 {
            daemon.request(try lock("\(number)"), number: UInt64(number), id)
        }
        daemon.send(.confirm, id) { $0.integer(UInt64(2)) }
        daemon.step(.client(.closed(id)))
        let again = daemon.connect()
        daemon.hello(again)
        daemon.resume(again, session, confirmed: 2)
        #expect(try daemon.received(again).replies.map(\.number) == [3])
    }

    @Test func `a confirmation that was lost with its epoch is ordered again`() throws {
        let (id, session) = try daemon.connectWithSession()
        daemon.request(try lock("a"), number: 1, id)
        group.isHeld = true
        daemon.send(.confirm, id) { $0.integer(UInt64(1)) }
        group.install(group.daemons.map(\.member))
        group.isHeld = false
        group.order()
        #expect(group.history.last == .confirm(session: session.session, upTo: 1))
        #expect(group.machine.storedReplies(of: session.session).isEmpty)
    }

    @Test(arguments: [1, 1 << 40] as [UInt64])
    func `confirmations of what was never asked are not piled up`(number: UInt64) throws {
        let (id, session) = try daemon.connectWithSession()
        daemon.request(try lock("a"), number: number, id)
        group.isHeld = true
        for claimed in 1...100 as ClosedRange<UInt64> {
            daemon.send(.confirm, id) { $0.integer(claimed) }
        }
        daemon.send(.confirm, id) { $0.integer(UInt64.max) }
        daemon.send(.confirm, id) { $0.integer(UInt64.max) }
        #expect(group.proposed == [.confirm(session: session.session, upTo: number)])
    }

    @Test func `a cancel is ordered and has a definite answer (K10)`() throws {
        let (holder, _) = try daemon.connectWithSession(pid: 1)
        let (id, _) = try daemon.connectWithSession(pid: 2)
        daemon.request(try lock("a"), number: 1, holder)
        daemon.request(try lock("a"), number: 1, id)
        daemon.request(.cancel(number: 1, reason: .timedOut), number: 2, id)
        daemon.request(.cancel(number: 2, reason: .timedOut), number: 3, id)
        let replies = try daemon.received(id).replies
        #expect(replies.map(\.number) == [1, 2, 2, 3])
        #expect(replies[0].reply == .cancelled)
        #expect(replies[1].reply == .cancelOutcome(wasCancelled: true))
        #expect(replies[3].reply == .cancelOutcome(wasCancelled: false))
    }

    @Test func `a request in the order of a session that moved is applied once`() throws {
        let other = group[1]
        let (id, session) = try daemon.connectWithSession(pid: 2)
        group.isHeld = true
        // The resume elsewhere comes into the order before the request from here.
        let again = other.connectAs(daemon.process(2))
        other.hello(again)
        other.resume(again, session)
        daemon.request(try lock("a"), number: 1, id)
        group.isHeld = false
        group.order()
        group.confirm()
        other.request(try lock("a"), number: 1, again)
        let replies = try other.received(again).replies
        #expect(replies.map(\.number).contains(1))
        #expect(Set(replies.compactMap(\.reply.token)).count == 1)
        #expect(numbers(group.history) == [1, 1])
        #expect(daemon.closed == [id])
    }

    // MARK: - More than is kept

    private func unheld() throws -> Operation {
        .release(name: try ObjectName("a"), token: FencingToken(9))
    }

    @Test(arguments: [2_600, 3_000, 5_000] as [UInt64])
    func `of a burst each request has its answer, and the connection goes on`(
        count: UInt64
    ) throws {
        let (id, session) = try daemon.connectWithSession()
        group.isHeld = true
        for number in 1...count { daemon.request(try unheld(), number: number, id) }
        #expect(daemon.paused == [id])
        group.isHeld = false
        group.order()
        let replies = try daemon.received(id).replies
        #expect(replies.map(\.number) == Array(1...count))
        let kept = group.machine.quotas.requestsPerSession * 2
        #expect(replies.prefix(kept).allSatisfy { $0.reply.refusal == .notHeld })
        #expect(replies.dropFirst(kept).allSatisfy { $0.reply.refusal == .quotaExceeded })
        #expect(group.machine.storedReplies(of: session.session).count == kept)
        #expect(daemon.paused.isEmpty)
        daemon.send(.confirm, id) { $0.integer(count) }
        daemon.request(try lock("a"), number: count + 1, confirmed: count, id)
        #expect(try daemon.received(id).replies.last?.reply.token != nil)
    }

    @Test func `the answers of a burst stand, also when they come to another daemon`() throws {
        let (id, session) = try daemon.connectWithSession()
        for number in 1...2_500 as ClosedRange<UInt64> {
            daemon.request(try unheld(), number: number, id)
        }
        daemon.step(.client(.closed(id)))
        let other = group[1]
        let again = other.connectAs(daemon.process(1))
        other.hello(again)
        other.resume(again, session)
        group.confirm()
        for number in 1...2_500 as ClosedRange<UInt64> {
            other.request(try unheld(), number: number, confirmed: 2_048, again)
        }
        let replies = try other.received(again).replies
        #expect(Set(replies.map(\.number)) == Set(1...2_500))
        for (number, reply) in replies {
            #expect(reply.refusal == (number <= 2_048 ? .notHeld : .quotaExceeded))
        }
    }

    @Test func `what was applied while the state was learned does not keep reading paused`()
        throws
    {
        let (id, session) = try daemon.connectWithSession()
        group.isHeld = true
        for number in 1...1_100 as ClosedRange<UInt64> {
            daemon.request(try unheld(), number: number, id)
        }
        #expect(daemon.paused == [id])
        daemon.isDeaf = true
        group.isHeld = false
        group.order()
        daemon.isDeaf = false
        #expect(daemon.paused == [id])
        group.replaceState(of: daemon)
        #expect(daemon.paused.isEmpty)
        #expect(try daemon.received(id).replies.count == 1_100)
        #expect(group.machine.sessionState(session.session) != nil)
    }

    @Test func `a number that was confirmed before it came is refused, and nothing is carried out`()
        throws
    {
        let (id, _) = try daemon.connectWithSession()
        daemon.request(try lock("a"), number: 5, confirmed: 4, id)
        daemon.request(try lock("b"), number: 3, id)
        let frames = try daemon.received(id)
        #expect(frames.replies.map(\.number) == [5])
        #expect(frames.refusals.map(\.code) == [.invalid])
        #expect(group.machine.objectCount == 1)
    }

    @Test func `who resumes with everything confirmed is refused, and no daemon keeps it`() throws {
        let (id, session) = try daemon.connectWithSession()
        daemon.step(.client(.closed(id)))
        let again = daemon.connect()
        daemon.hello(again)
        daemon.resume(again, session, confirmed: .max)
        for number in 1...3_000 as ClosedRange<UInt64> {
            daemon.request(try unheld(), number: number, again)
        }
        #expect(try daemon.received(again).refusals.count { $0.code == .invalid } == 3_000)
        #expect(daemon.paused.isEmpty)
    }
}

extension Reply {
    fileprivate var refusal: RefusalCode? {
        if case .refused(let refusal) = self { refusal.code } else { nil }
    }
}
