import ConclaveBase
import ConclaveCoordination
import ConclaveService
import ConclaveWire
import Testing

@Suite struct `Replies that are too much for one turn` {
    private static let parties = 64
    /// What one reply comes to, about: everybody's payload.
    private static let replyByteCount = 64 * 3_500

    private let group = TestGroup(daemonCount: 1)
    private var daemon: TestDaemon { group[0] }
    private let id: ConnectionID
    private let session: SessionOpened

    /// A session that waits as all parties of a barrier but one.
    init() throws {
        (id, session) = try group[0].connectWithSession()
        for number in 1..<Self.parties { try arrive(UInt64(number)) }
    }

    private func arrive(_ number: UInt64) throws {
        let arrival = BarrierArrival(
            name: try ObjectName("step"), parties: UInt32(Self.parties),
            payload: Array(repeating: UInt8(number), count: 3_500))
        daemon.request(.arrive(arrival), number: number, id)
    }

    private func byteCount(_ frames: [FrameBuffer.Frame]) -> Int {
        frames.reduce(0) { $0 + $1.body.count }
    }

    @Test func `a turn answers about as much as it may, and those after it the rest`() throws {
        daemon.turnsPerStep = 1
        try arrive(64)
        var frames = try daemon.received(id)
        #expect((1 << 20..<2 << 20).contains(byteCount(frames)))
        var turns = 1
        while frames.count < Self.parties, turns < 1_000 {
            daemon.step(.tick)
            let more = try daemon.received(id)
            #expect(byteCount(more) < Self.replyByteCount * 2)
            frames += more
            turns += 1
        }
        #expect(frames.replies.map(\.number) == Array(1...64))
        #expect(turns > 20)
    }

    @Test func `others are answered meanwhile`() throws {
        let (other, _) = try daemon.connectWithSession(pid: 2)
        daemon.turnsPerStep = 1
        try arrive(64)
        daemon.request(try lock("a"), number: 1, other)
        #expect(try daemon.received(other).replies.map(\.number) == [1])
        #expect(try daemon.received(id).replies.count < 20)
    }

    @Test func `a client that does not read is sent nothing more, and then all of it in order`()
        throws
    {
        daemon.step(.client(.stalled(id, byteCount: 1)))
        try arrive(64)
        daemon.request(try lock("a"), number: 65, id)
        #expect(try daemon.received(id).isEmpty)
        daemon.step(.client(.drained(id)))
        #expect(try daemon.received(id).replies.map(\.number) == Array(1...65))
    }

    @Test func `views are told when the client reads, too, and laid out no sooner`() throws {
        daemon.step(.client(.stalled(id, byteCount: 1)))
        for number in UInt64(70)..<73 { daemon.send(.views, number: number, id) { $0.flag(false) } }
        #expect(try daemon.received(id).isEmpty)
        daemon.step(.client(.drained(id)))
        let frames = try daemon.received(id)
        #expect(frames.map(\.header.number) == [70, 71, 72])
        #expect(frames.allSatisfy { $0.header.type == ClientFrameType.views.rawValue })
    }

    @Test func `nothing overtakes what is held`() throws {
        daemon.turnsPerStep = 1
        try arrive(64)
        daemon.request(try lock("a"), number: 65, id)
        daemon.send(.goodbye, number: 66, id)
        daemon.turnsPerStep = .max
        daemon.step(.tick)
        let frames = try daemon.received(id)
        #expect(frames.replies.map(\.number) == Array(1...65))
        #expect(frames.last?.header.type == ClientFrameType.goodbye.rawValue)
    }

    @Test func `a session that is resumed is told in turns, too`() throws {
        daemon.step(.client(.stalled(id, byteCount: 1)))
        try arrive(64)
        daemon.step(.client(.closed(id)))
        let again = daemon.connect()
        daemon.hello(again)
        daemon.turnsPerStep = 1
        daemon.resume(again, session)
        group.confirm()
        let first = try daemon.received(again)
        #expect(byteCount(first) < 2 << 20)
        daemon.turnsPerStep = .max
        daemon.step(.tick)
        #expect(
            (first + (try daemon.received(again))).replies.map(\.number) == Array(1...64))
    }

    @Test func `a client for which more and more is held is cut, and resumes its session`() throws {
        daemon.step(.client(.stalled(id, byteCount: 1)))
        try arrive(64)
        let reason = String(repeating: "x", count: 1_000)
        for number in 0..<9_000 where daemon.closed.isEmpty {
            daemon.step(.serving(ServingState(isServing: number % 2 == 1, reason: reason)))
        }
        #expect(daemon.closed == [id])
        #expect(try daemon.received(id).isEmpty)
        daemon.step(.serving(ServingState(isServing: true, reason: "")))
        let again = daemon.connect()
        daemon.hello(again)
        daemon.resume(again, session)
        group.confirm()
        #expect(try daemon.received(again).replies.map(\.number) == Array(1...64))
    }

    @Test func `nothing more is read from a client for which much is held`() throws {
        daemon.step(.client(.stalled(id, byteCount: 1)))
        try arrive(64)
        var number: UInt64 = 64
        while !daemon.paused.contains(id), number < 3_000 {
            number += 1
            daemon.request(try lock("lock"), number: number, id)
        }
        #expect(number < 64 + 1_024)
        daemon.step(.client(.drained(id)))
        #expect(!daemon.paused.contains(id))
        #expect(try daemon.received(id).replies.map(\.number) == Array(1...number))
    }
}
