import ConclaveBase
import ConclaveClientCore
import ConclaveWire
import Testing

@Suite struct `Calls` {
    private var client = TestClient()

    init() {
        client.open()
    }

    private func numbers(_ frames: [FrameBuffer.Frame]) -> [UInt64] {
        frames.filter { $0.header.type >= 16 || $0.header.type == 6 }.map(\.header.number)
    }

    private func confirmed(_ frame: FrameBuffer.Frame) throws -> UInt64 {
        var reader = ByteReader(frame.body)
        return try reader.integer("confirmed")
    }

    @Test mutating func `what is unanswered goes out again in order, but for what waits`() throws {
        for name in ["a", "b", "c", "d"] { _ = client.call(try lock(name)) }
        client.receiveReply(try grant("b", 5), to: 2)
        #expect(numbers(try client.sent()) == [1, 2, 3, 4])
        client.step(.disconnected(reason: "reset"))
        _ = client.call(try lock("e"))
        client.reconnect(waiting: [3])
        #expect(numbers(try client.sent()) == [1, 4, 5])
    }

    @Test mutating func `a repeated reply is told once`() throws {
        let call = client.call(try lock("a"))
        client.receiveReply(try grant("a", 5), to: 1)
        client.receiveReply(try grant("a", 5), to: 1)
        #expect(client.answers == [call: .reply(try grant("a", 5))])
    }

    @Test mutating func `a call whose time is over is cancelled in order`() throws {
        let call = client.call(try lock("a"), within: .seconds(1))
        _ = client.take()
        client.advance(.seconds(1))
        #expect(client.answers.isEmpty)
        let frame = try #require(try client.sent().first)
        var reader = ByteReader(frame.body)
        let cancel = try OperationFrame(.cancel, from: &reader)
        #expect(cancel?.operation == .cancel(number: 1, reason: .timedOut))
        client.receiveReply(.cancelled, to: 1)
        client.receiveReply(.cancelOutcome(wasCancelled: true), to: 2)
        #expect(client.answers == [call: .failed(.timedOut)])
    }

    @Test mutating func `a grant that was faster than the cancel is told`() throws {
        let call = client.call(try lock("a"), within: .seconds(1))
        client.advance(.seconds(1))
        client.receiveReply(try grant("a", 5), to: 1)
        client.receiveReply(.cancelOutcome(wasCancelled: false), to: 2)
        #expect(client.answers == [call: .reply(try grant("a", 5))])
    }

    @Test mutating func `a cancel is sent again after a reconnection`() throws {
        let call = client.call(try lock("a"))
        client.cancel(call)
        _ = client.take()
        client.step(.disconnected(reason: "reset"))
        client.reconnect(waiting: [1])
        #expect(numbers(try client.sent()) == [2])
        client.receiveReply(.cancelled, to: 1)
        #expect(client.answers == [call: .failed(.cancelled)])
    }

    @Test mutating func `what was never sent is given up at once`() throws {
        client.step(.disconnected(reason: "reset"))
        let cancelled = client.call(try lock("a"))
        client.cancel(cancelled)
        let late = client.call(try lock("b"), within: .milliseconds(1))
        client.advance(.milliseconds(1))
        #expect(
            client.answers == [
                cancelled: .failed(.cancelled), late: .failed(.unavailable("reset")),
            ])
        _ = client.take()
        client.reconnect()
        #expect(numbers(try client.sent()) == [])
    }

    @Test(arguments: [true, false])
    mutating func
        `a call that ends while its session is being opened was in vain only if all is well`(
            isServing: Bool
        ) throws
    {
        client = TestClient()
        client.connect()
        client.receiveHello(isServing: isServing, reason: isServing ? "" : "no majority")
        let call = client.call(try lock("a"), within: .milliseconds(1))
        client.advance(.milliseconds(1))
        let failure: ClientCore.ClientFailure =
            isServing ? .timedOut : .unavailable("no majority")
        #expect(client.answers == [call: .failed(failure)])
    }

    @Test mutating func `a client that was never connected fails calls at their own deadline`()
        throws
    {
        client = TestClient()
        let call = client.call(try lock("a"), within: .seconds(30))
        client.step(.tick)
        for _ in 0..<100 {
            client.step(.disconnected(reason: "no such file"))
            client.now = client.core.nextTick
            if client.now >= Instant(nanoseconds: 31_000_000_000) { break }
            client.step(.tick)
            #expect(client.answers.isEmpty)
        }
        client.step(.tick)
        #expect(client.answers == [call: .failed(.unavailable("no such file"))])
        #expect(client.states == [])
    }

    @Test mutating func `each request confirms the newest reply`() throws {
        for name in ["a", "b"] { _ = client.call(try lock(name)) }
        client.receiveReply(try grant("b", 5), to: 2)
        _ = client.call(try unlock("b", 5))
        let frames = try client.sent()
        #expect(try frames.map(confirmed) == [0, 0, 2])
    }

    @Test mutating func `a reply is confirmed by itself when nothing follows`() throws {
        _ = client.call(try lock("a"))
        client.receiveReply(try grant("a", 5), to: 1)
        _ = client.take()
        #expect(client.core.nextTick <= client.now.advanced(by: .seconds(1)))
        client.advance(.seconds(1))
        let frames = try client.sent()
        #expect(frames.map(\.header.type) == [ClientFrameType.confirm.rawValue])
        #expect(try confirmed(frames[0]) == 1)
    }

    @Test mutating func `too much in flight waits here, and a release overtakes it`() throws {
        for index in 1...1_000 { _ = client.call(try lock("lock \(index)")) }
        #expect(try client.sent().count == 896)
        _ = client.call(try unlock("lock 1", 5))
        #expect(numbers(try client.sent()) == [897])
        client.receiveReply(try grant("lock 1", 5), to: 1)
        client.receiveReply(.done, to: 897)
        #expect(numbers(try client.sent()) == [898])
    }

    /// A client with room for 16 requests, of which 14 wait.
    private mutating func fill() throws {
        var settings = ClientSettings(label: "test")
        settings.requestsInFlight = 16
        client = TestClient(settings: settings)
        client.open()
        for index in 1...30 { _ = client.call(try lock("lock \(index)")) }
        #expect(numbers(try client.sent()) == Array(1...14))
    }

    @Test mutating func `what lets go is counted, and goes out in turn whatever waits`() throws {
        try fill()
        for token in 1...1_000 as ClosedRange<UInt64> {
            _ = client.call(try unlock("held", token))
        }
        #expect(numbers(try client.sent()) == [15, 16])
        for number in 15..<1_015 as Range<UInt64> {
            client.receiveReply(.done, to: number)
            let next = number + 2
            #expect(numbers(try client.sent()) == (next < 1_015 ? [next] : []))
        }
        client.receiveReply(try grant("lock 1", 5), to: 1)
        #expect(numbers(try client.sent()) == [1_015])
    }

    @Test mutating func `cancels are counted, and none is left out`() throws {
        client = TestClient()
        client.open()
        let calls = try (1...2_000).map { client.call(try lock("\($0)"), within: .seconds(1)) }
        #expect(numbers(try client.sent()).count == 896)
        client.advance(.seconds(1))
        // What was never sent is not there: that is as definite as a cancel.
        let answers = client.answers
        for call in calls[896...] { #expect(answers[call] == .failed(.timedOut)) }
        var cancels = numbers(try client.sent())
        #expect(cancels.count == 128)
        var count = 0
        while let number = cancels.first {
            cancels.removeFirst()
            count += 1
            client.receiveReply(.cancelled, to: UInt64(count))
            client.receiveReply(.cancelOutcome(wasCancelled: true), to: number)
            cancels += numbers(try client.sent())
        }
        #expect(count == 896)
    }

    @Test mutating func `what the daemon refuses is in flight until its cancel is answered`() throws
    {
        var settings = ClientSettings(label: "test")
        settings.requestsInFlight = 16
        client = TestClient(settings: settings)
        client.open()
        _ = client.call(try lock("large"), within: .seconds(1))
        for index in 2...30 { _ = client.call(try lock("lock \(index)")) }
        #expect(numbers(try client.sent()) == Array(1...14))
        client.advance(.seconds(1))
        #expect(numbers(try client.sent()) == [15])
        // The cancel is on its way, and leaves word in the group of what never got there.
        client.receiveError(Refusal(.invalid, "too large"), .acquire, number: 1)
        #expect(numbers(try client.sent()) == [])
        client.receiveReply(.cancelOutcome(wasCancelled: true), to: 15)
        #expect(numbers(try client.sent()) == [16])
    }

    @Test mutating func `what is refused after its cancel was answered is in flight no more`()
        throws
    {
        try fill()
        let call = client.call(try unlock("held", 1), within: .seconds(1))
        #expect(numbers(try client.sent()) == [15])
        client.advance(.seconds(1))
        #expect(numbers(try client.sent()) == [16])
        client.receiveReply(.cancelOutcome(wasCancelled: true), to: 16)
        client.receiveError(Refusal(.invalid, "too large"), .release, number: 15)
        #expect(client.answers.keys.contains(call))
        for token in 2...4 as ClosedRange<UInt64> { _ = client.call(try unlock("held", token)) }
        #expect(numbers(try client.sent()) == [17, 18])
    }

    @Test mutating func `what waits for room goes out in order after a reconnection`() throws {
        try fill()
        for token in 1...4 as ClosedRange<UInt64> { _ = client.call(try unlock("held", token)) }
        #expect(numbers(try client.sent()) == [15, 16])
        client.step(.disconnected(reason: "reset"))
        _ = client.take()
        client.reconnect(waiting: Array(1...14))
        #expect(numbers(try client.sent()) == [15, 16])
        client.receiveReply(.done, to: 15)
        #expect(numbers(try client.sent()) == [17])
    }

    @Test mutating func `a request that the daemon refuses is answered`() throws {
        let call = client.call(try lock("a"))
        let refusal = Refusal(.invalid, "too large")
        client.receiveError(refusal, .acquire, number: 1)
        #expect(client.answers == [call: .failed(.refused(refusal))])
    }
}
