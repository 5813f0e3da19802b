import ConclaveBase
import ConclaveClientCore
import ConclaveWire
import Testing

@Suite struct `Validity` {
    private var client = TestClient()

    init() {
        client.open()
    }

    @Test mutating func `a deadline that has passed is final (K5)`() throws {
        let call = client.call(try lock("a"))
        _ = client.take()
        client.advance(.milliseconds(4_950))
        #expect(client.answers == [call: .failed(.sessionLost(.deadlinePassed))])
        #expect(client.states == [.lost(.deadlinePassed)])
        _ = client.take()

        client.validity = client.now.advanced(by: .seconds(5))
        client.receiveReply(try grant("a", 5), to: 1)
        client.advance(.seconds(1))
        #expect(client.take() == [])
        let late = client.call(try lock("b"))
        #expect(client.answers == [late: .failed(.sessionLost(.deadlinePassed))])
        #expect(client.core.nextTick == .distantFuture)
    }

    @Test mutating func `a grant that comes with a passed deadline is not told`() throws {
        let call = client.call(try lock("a"))
        client.now = client.now.advanced(by: .seconds(5))
        client.receiveReply(try grant("a", 5), to: 1)
        #expect(client.answers == [call: .failed(.sessionLost(.deadlinePassed))])
    }

    @Test mutating func `the core looks at the page before it can be too late`() {
        #expect(client.core.nextTick <= client.now.advanced(by: .milliseconds(4_950)))
    }

    @Test mutating func `a daemon that stays away costs the session at the deadline`() throws {
        let sent = client.call(try lock("a"))
        client.step(.disconnected(reason: "reset"))
        let unsent = client.call(try lock("b"))
        #expect(client.states.count == 1)
        guard case .jeopardy(let until, "reset")? = client.states.first else {
            Issue.record("\(client.states)")
            return
        }
        #expect(until == client.validity)
        client.advance(.milliseconds(4_950))
        #expect(
            client.answers == [
                sent: .failed(.outcomeUnknown), unsent: .failed(.unavailable("reset")),
            ])
        #expect(client.states.last == .lost(.daemonGone("reset")))
    }

    @Test mutating func `C9: a change of the members that was sent may have happened`() {
        let wish = client.query(.removeMember(NodeID(2)))
        client.advance(.milliseconds(4_950))
        #expect(client.answers[wish] == .failed(.outcomeUnknown))
    }

    @Test mutating func `without a page the ttl counts from the end of the connection`() {
        client.validity = nil
        client.advance(.seconds(60))
        #expect(client.states == [])
        client.step(.disconnected(reason: "reset"))
        client.advance(.milliseconds(4_999))
        #expect(client.states.count == 1)
        client.advance(.milliseconds(1))
        #expect(client.states.last == .lost(.daemonGone("reset")))
    }

    @Test mutating func `a resumed session is healthy again`() {
        client.step(.disconnected(reason: "reset"))
        client.now = client.core.nextTick
        client.reconnect()
        client.validity = client.now.advanced(by: .seconds(4))
        client.step(.tick)
        #expect(client.states.last == .healthy)
        #expect(client.states.count == 2)
    }

    @Test mutating func `a daemon outside the majority is jeopardy, and so is one that hangs`() {
        client.receive(.serving, .event) {
            ServingState(isServing: false, reason: "no majority").encode(into: &$0)
        }
        #expect(
            client.states == [.jeopardy(until: client.validity!, reason: "no majority")])
        client.receive(.serving, .event) {
            ServingState(isServing: true, reason: "").encode(into: &$0)
        }
        #expect(client.states.last == .healthy)
        _ = client.take()
        client.now = client.core.nextTick
        client.step(.tick)
        #expect(client.states.count == 1)
        guard case .jeopardy? = client.states.first else {
            Issue.record("\(client.states)")
            return
        }
    }

    @Test mutating func `the end of the session is told with its reason`() throws {
        let call = client.call(try lock("a"))
        client.validity = .distantPast
        client.receive(.sessionEnded, .event) { $0.integer(SessionEnd.expired.rawValue) }
        #expect(client.answers == [call: .failed(.sessionLost(.ended(.expired)))])
        #expect(client.states == [.lost(.ended(.expired))])
    }

    /// What is done whatever becomes of the session.
    private static let lasting: [Operation] = {
        let name = try! ObjectName("a")
        let token = FencingToken(7)
        return [
            .transact(KeyTransaction(operations: [.delete(name)])),
            .lease(LeaseOperation(name, .grant(ttl: .seconds(60), holder: "nightly"))),
            .lease(LeaseOperation(name, .release(token: token))),
            .latch(LatchOperation(name, .countDown(of: 3))),
            .latch(LatchOperation(name, .remove)),
            .limit(name: name, limit: 2),
            .handOver(slot: name, token: token, to: SessionID(8)),
            .revoke(Revocation(SessionID(8), .session, .force)),
            .evictMember(name: name, member: token),
            .sendToGroup(name: name, payload: [1]),
        ]
    }()

    @Test(arguments: lasting)
    mutating func `what outlives the session may have been done if it was sent`(
        operation: Operation
    ) {
        let call = client.call(operation)
        client.advance(.milliseconds(4_950))
        #expect(client.answers == [call: .failed(.outcomeUnknown)])
    }

    @Test(arguments: lasting)
    mutating func `so it may when the group has ended the session`(operation: Operation) {
        let call = client.call(operation)
        client.receive(.sessionEnded, .event) { $0.integer(SessionEnd.expired.rawValue) }
        #expect(client.answers == [call: .failed(.outcomeUnknown)])
    }

    @Test(arguments: lasting)
    mutating func `so it may when the group knows nothing of the session any more`(
        operation: Operation
    ) throws {
        let call = client.call(operation)
        client.receiveReply(.refused(Refusal(.sessionEnded, "over")), to: 1)
        #expect(client.answers == [call: .failed(.outcomeUnknown)])
    }

    @Test mutating func `so it may when the session cannot be resumed, whatever is the reason`()
        throws
    {
        let count = client.call(Self.lasting[3])
        let lock = client.call(try lock("a"))
        client.step(.disconnected(reason: "reset"))
        let unsent = client.call(Self.lasting[3])
        client.now = client.core.nextTick
        client.connect()
        client.receiveHello()
        let refusal = Refusal(.quotaExceeded, "too many")
        client.receiveError(refusal, .resume, number: 0)
        let lost = ClientCore.Answer.failed(.sessionLost(.refused(refusal)))
        #expect(
            client.answers == [count: .failed(.outcomeUnknown), lock: lost, unsent: lost])
    }

    @Test mutating func `waiting for a latch ends with the session`() throws {
        let latch = LatchOperation(try ObjectName("a"), .wait(of: 3))
        let call = client.call(.latch(latch))
        client.advance(.milliseconds(4_950))
        #expect(client.answers == [call: .failed(.sessionLost(.deadlinePassed))])
    }

    @Test func `a session that was never opened says so to every call`() throws {
        var client = TestClient()
        let first = client.call(try lock("a"))
        client.connect()
        client.receiveHello()
        let refusal = Refusal(.quotaExceeded, "too many")
        client.receiveError(refusal, .open, number: 0)
        let second = client.call(try lock("b"))
        let refused = ClientCore.Answer.failed(.refused(refusal))
        #expect(client.answers == [first: refused, second: refused])
    }
}
