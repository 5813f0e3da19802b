import ConclaveBase
import ConclaveClientCore
import ConclaveWire
import Testing

@Suite struct `Connecting` {
    private var client = TestClient()

    @Test mutating func `hello and open go first, and requests wait for the session`() throws {
        let call = client.call(try lock("a"))
        client.step(.tick)
        #expect(client.take() == [.connect])
        client.step(.connected)
        #expect(try client.sentTypes() == [.hello, .open])
        client.receiveHello()
        #expect(client.take() == [])
        client.receiveOpened()
        let effects = client.effects
        guard case .opened(let session, _)? = effects.first else {
            Issue.record("\(effects)")
            return
        }
        #expect(session.session == TestClient.session)
        #expect(try client.sentTypes() == [.acquire])
        client.receiveReply(try grant("a", 5), to: 1)
        #expect(client.answers[call] == .reply(try grant("a", 5)))
    }

    @Test mutating func `attempts are repeated after pauses that grow up to a second`() {
        var pauses: [Interval] = []
        for _ in 0..<12 {
            client.step(.tick)
            #expect(client.take() == [.connect])
            client.step(.disconnected(reason: "refused"))
            #expect(client.take() == [])
            pauses.append(client.core.nextTick.since(client.now))
            client.now = client.core.nextTick
        }
        #expect(pauses[0] >= .milliseconds(5) && pauses[0] <= .milliseconds(10))
        #expect(pauses[11] >= .milliseconds(500) && pauses[11] <= .seconds(1))
    }

    @Test mutating func `a client that only asks opens no session until it has a request`() throws {
        client = TestClient(settings: ClientSettings(opensSession: false))
        let status = client.query(.members)
        client.connect()
        #expect(try client.sentTypes() == [.hello])
        client.receiveHello()
        #expect(try client.sentTypes() == [.members])
        client.receive(.members, number: 1) { $0.count(0) }
        #expect(client.answers[status] == .report(.members([])))
        _ = client.take()

        _ = client.call(try lock("a"))
        #expect(try client.sentTypes() == [.open])
    }

    @Test mutating func `an open that is refused for good ends the client`() throws {
        let call = client.call(try lock("a"))
        client.connect()
        client.receiveHello()
        _ = client.take()
        let refusal = Refusal(.invalid, "ttl: too short")
        client.receiveError(refusal, .open, number: 0)
        #expect(client.answers[call] == .failed(.refused(refusal)))
        #expect(client.states == [.lost(.refused(refusal))])
        #expect(client.effects.contains(.disconnect))
    }

    @Test mutating func `a session that ended before it was heard of is opened anew`() throws {
        let call = client.call(try lock("a"))
        client.connect()
        client.receiveHello()
        let first = try #require(try client.sent().last)
        client.receiveError(Refusal(.sessionEnded, "over"), .open, number: 0)
        let second = try #require(try client.sent().last)
        #expect(second.header.type == ClientFrameType.open.rawValue)
        #expect(second.body != first.body)
        client.receiveOpened()
        #expect(try client.sentTypes() == [.acquire])
        #expect(client.answers[call] == nil)
    }

    @Test mutating func `a session that cannot be resumed is lost`() throws {
        client.open()
        let call = client.call(try lock("a"))
        client.step(.disconnected(reason: "reset"))
        client.now = client.core.nextTick
        client.connect()
        client.receiveHello()
        let refusal = Refusal(.sessionEnded, "over")
        client.receiveError(refusal, .resume, number: 0)
        #expect(client.answers == [call: .failed(.sessionLost(.refused(refusal)))])
        #expect(client.states.last == .lost(.refused(refusal)))
    }

    @Test mutating func `an open that is unavailable is tried again`() throws {
        _ = client.call(try lock("a"))
        client.connect()
        client.receiveHello()
        _ = client.take()
        client.receiveError(Refusal(.unavailable, "not in the view"), .open, number: 0)
        #expect(client.take() == [.disconnect])
        client.now = client.core.nextTick
        client.connect()
        #expect(try client.sentTypes() == [.hello, .open])
    }

    /// Another one may answer a question that nobody waits for any more.
    @Test mutating func `only a refusal of the connection itself ends it`() {
        client.open()
        _ = client.take()
        let refusal = Refusal(.quotaExceeded, "too many")
        client.receiveError(refusal, .observeLeader, number: 77)
        #expect(!client.effects.contains(.disconnect))
        client.receiveError(refusal, .observeLeader, number: 0)
        #expect(client.effects.contains(.disconnect))
    }

    @Test mutating func `bytes that do not decode end the connection, not the session`() throws {
        client.open()
        let call = client.call(try lock("a"))
        _ = client.take()
        client.receive(.acquire, number: 1) { $0.integer(UInt8(250)) }
        #expect(client.effects.first == .disconnect)
        #expect(client.answers[call] == nil)
        _ = client.take()
        client.reconnect()
        #expect(try client.sentTypes() == [.hello, .resume, .acquire])
    }

    private func resume(_ frames: [FrameBuffer.Frame]) throws -> ResumeRequest {
        let type = ClientFrameType.resume.rawValue
        let frame = try #require(frames.first { $0.header.type == type })
        var reader = ByteReader(frame.body)
        return try ResumeRequest(from: &reader)
    }

    @Test mutating func `a daemon is told once more what it is to stop the process for`() throws {
        client.open()
        _ = client.call(try lock("a"), onLoss: .kill)
        _ = client.call(try lock("b"), onLoss: .freeze)
        client.receiveReply(try grant("a", 5), to: 1)
        client.reconnect()
        #expect(try resume(try client.sent()).guards == client.core.guards)
        #expect(client.core.guards.strongest == .kill)
        client.receiveOpened(.resume, waiting: [2])
        _ = client.call(.release(name: try ObjectName("a"), token: FencingToken(5)))
        client.receiveReply(try grant("b", 6), to: 2)
        client.reconnect()
        #expect(try resume(try client.sent()).guards.strongest == .freeze)
        client.core.goodbye(now: client.now, effects: &client.effects)
        client.reconnect()
        #expect(try resume(try client.sent()).guards.isEmpty)
    }

    @Test mutating func `goodbye is answered, and then the client is closed`() throws {
        client.open()
        client.core.goodbye(now: client.now, effects: &client.effects)
        let frame = try #require(try client.sent().first)
        #expect(frame.header.type == ClientFrameType.goodbye.rawValue)
        client.receive(.goodbye, number: frame.header.number)
        #expect(client.take() == [.disconnect, .closed])
        client.step(.tick)
        #expect(client.take() == [])
    }

    @Test mutating func `goodbye without a session needs nobody`() {
        client.core.goodbye(now: client.now, effects: &client.effects)
        #expect(client.take() == [.closed])
    }

    @Test mutating func `goodbye is said after a reconnection, and calls learn of the end`() throws
    {
        client.open()
        let call = client.call(try lock("a"))
        client.step(.disconnected(reason: "reset"))
        client.core.goodbye(now: client.now, effects: &client.effects)
        _ = client.take()
        client.reconnect(waiting: [1])
        let frames = try client.sent()
        #expect(frames.map(\.header.type).last == ClientFrameType.goodbye.rawValue)
        client.receive(.goodbye, number: try #require(frames.last).header.number)
        #expect(client.answers[call] == .failed(.sessionLost(.ended(.goodbye))))
        #expect(client.effects.last == .closed)
    }
}
