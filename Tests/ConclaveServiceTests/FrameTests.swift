import ConclaveBase
import ConclaveCoordination
import ConclaveService
import ConclaveWire
import Testing

@Suite struct `Frames of clients` {
    private let group = TestGroup()
    private var daemon: TestDaemon { group[0] }

    @Test func `a hello is answered with what the daemon is`() throws {
        let id = daemon.connect()
        daemon.hello(id)
        let frame = try #require(try daemon.received(id).first)
        var reader = ByteReader(frame.body)
        let hello = try DaemonHello(from: &reader)
        #expect(hello.version == ClientLimits.protocolVersion)
        #expect(hello.node == NodeID(1))
        #expect(hello.epoch == group.view.epoch)
        #expect(hello.serving.isServing)
        #expect(hello.minimumTTL == .seconds(3))
        #expect(hello.maximumTTL == .seconds(60))
    }

    @Test func `another protocol version is refused with both versions, and the end`() throws {
        let id = daemon.connect()
        daemon.send(.hello, id) {
            $0.integer(UInt16(99))
            $0.raw([1, 2, 3])
        }
        let refusal = try #require(try daemon.received(id).refusals.first)
        #expect(refusal.code == .unsupported)
        #expect(
            refusal.message.contains("99")
                && refusal.message.contains("version \(ClientLimits.protocolVersion)"))
        #expect(daemon.closed == [id])
        #expect(daemon.forgotten == [id])
    }

    @Test func `whoever does not begin with a hello is shown out`() throws {
        let id = daemon.connect()
        daemon.send(.members, id)
        #expect(try daemon.received(id).refusals.map(\.code) == [.malformed])
        #expect(daemon.closed == [id])
        daemon.hello(id)
        #expect(try daemon.received(id).isEmpty)
    }

    @Test func `whoever says nothing for ten seconds is shown out`() throws {
        let silent = daemon.connect()
        let greeted = daemon.connect(pid: 2)
        daemon.hello(greeted)
        group.advance(.milliseconds(9_999))
        #expect(daemon.closed.isEmpty)
        let late = daemon.connect(pid: 3)
        group.advance(.milliseconds(1))
        #expect(daemon.closed == [silent])
        #expect(try daemon.received(silent).refusals.map(\.code) == [.invalid])
        #expect(daemon.nextTick <= group.now.advanced(by: .milliseconds(9_999)))
        daemon.hello(late)
        group.advance(.seconds(20))
        #expect(daemon.closed == [silent])
    }

    @Test func `a malformed frame is answered with the field's name, then the end`() throws {
        let (id, _) = try daemon.connectWithSession()
        daemon.send(.acquire, number: 1, id) {
            $0.integer(UInt64(0))
            $0.integer(LossAction.notify.rawValue)
            $0.text("name")
            $0.integer(UInt8(77))
        }
        let refusal = try #require(try daemon.received(id).refusals.first)
        #expect(refusal.code == .malformed)
        #expect(refusal.message.contains("mode"))
        #expect(daemon.closed == [id])
    }

    @Test func `a stream that does not decode is told why and closed`() throws {
        let id = daemon.connect()
        let error = WireError.outOfRange(field: "length", value: 9_999_999, maximum: 1 << 20)
        daemon.step(.client(.malformed(id, error)))
        #expect(try daemon.received(id).refusals.map(\.message) == [error.description])
        #expect(daemon.closed == [id])
    }

    @Test(arguments: [UInt16(0), 7, 8, 999])
    func `an unknown type is refused, and the stream goes on`(type: UInt16) throws {
        let id = daemon.connect()
        daemon.hello(id)
        _ = try daemon.received(id)
        daemon.send(type, number: 5, id)
        let frame = try #require(try daemon.received(id).first)
        #expect([frame].refusals.map(\.code) == [.unsupported])
        #expect(frame.header.number == 5)
        daemon.send(.members, number: 6, id)
        #expect(try daemon.received(id).map(\.header.number) == [6])
    }

    @Test func `one uid, and all together, have so many connections and no more`() throws {
        for _ in 0..<6 { _ = daemon.connect(uid: 1) }
        let sixth = daemon.connect(uid: 1)
        let refusals = try daemon.received(sixth).refusals
        #expect(refusals.map(\.code) == [.quotaExceeded])
        #expect(refusals[0].message.contains("clients.connectionsPerUid"))
        #expect(daemon.closed == [sixth])
        for _ in 0..<2 { #expect(try daemon.received(daemon.connect(uid: 2)).isEmpty) }
        let ninth = daemon.connect(uid: 3)
        #expect(try daemon.received(ninth).refusals.map(\.code) == [.quotaExceeded])

        daemon.step(.client(.closed(ConnectionID(number: 1))))
        let next = daemon.connect(uid: 1)
        #expect(try daemon.received(next).isEmpty)
    }

    @Test func `a request without a session is refused, and so is number 0`() throws {
        let id = daemon.connect()
        daemon.hello(id)
        daemon.request(try lock("a"), number: 1, id)
        #expect(try daemon.received(id).refusals.map(\.code) == [.invalid])
        let (other, _) = try daemon.connectWithSession()
        daemon.request(try lock("a"), number: 0, other)
        #expect(try daemon.received(other).refusals.map(\.code) == [.malformed])
    }

    @Test func `a request that no command can hold is refused by the limit's name`() throws {
        let (id, _) = try daemon.connectWithSession()
        let value = [UInt8](repeating: 0, count: 4_000)
        daemon.request(
            .campaign(slot: try ObjectName("slot"), value: value), number: 1, id)
        let refusal = try #require(try daemon.received(id).refusals.first)
        #expect(refusal.code == .invalid)
        #expect(refusal.message.contains("slots.size"))
        daemon.request(try lock("a"), number: 2, id)
        #expect(try daemon.received(id).replies.map(\.number) == [2])
    }

    @Test func `reading stops while too many requests are on their way`() throws {
        let (id, _) = try daemon.connectWithSession()
        group.isHeld = true
        for number in 1...1_024 {
            daemon.request(try lock("\(number)"), number: UInt64(number), id)
        }
        #expect(daemon.paused.isEmpty)
        daemon.request(try lock("last"), number: 1_025, id)
        #expect(daemon.paused == [id])
        group.isHeld = false
        group.order()
        #expect(daemon.paused.isEmpty)
        #expect(try daemon.received(id).replies.map(\.number) == Array(1...1_025))
    }

    @Test func `reading stops from a client that does not read`() throws {
        let (id, _) = try daemon.connectWithSession()
        daemon.step(.client(.stalled(id, byteCount: (1 << 20) + 1)))
        #expect(daemon.paused == [id])
        daemon.step(.client(.drained(id)))
        #expect(daemon.paused.isEmpty)
    }

    @Test func `everybody is told when the daemon serves no longer, and why`() throws {
        let id = daemon.connect()
        daemon.hello(id)
        _ = daemon.connect()
        _ = try daemon.received(id)
        let state = ServingState(isServing: false, reason: "no majority")
        daemon.step(.serving(state))
        daemon.step(.serving(state))
        let frames = try daemon.received(id)
        #expect(frames.map(\.header.type) == [ClientFrameType.serving.rawValue])
        var reader = ByteReader(frames[0].body)
        #expect(try ServingState(from: &reader) == state)
        #expect(daemon.output[ConnectionID(number: 2)] == nil)
    }

    @Test func `nobody is told of a pause that is over soon`() throws {
        let id = daemon.connect()
        daemon.hello(id)
        _ = try daemon.received(id)
        let pause = ServingState(isServing: false, reason: "view 2 is ending")
        daemon.step(.pausing(pause))
        // Who comes meanwhile is told what the others believe, and what they are told later.
        let newcomer = daemon.connect()
        daemon.hello(newcomer)
        var reader = ByteReader(try #require(try daemon.received(newcomer).first).body)
        #expect(try DaemonHello(from: &reader).serving.isServing)
        daemon.step(.serving(ServingState(isServing: true, reason: "")))
        group.advance(.seconds(1))
        daemon.step(.tick)
        #expect(try daemon.received(id).isEmpty)
        #expect(try daemon.received(newcomer).isEmpty)
    }

    @Test func `a pause that lasts is told, with the reason that there is then`() throws {
        let id = daemon.connect()
        daemon.hello(id)
        _ = try daemon.received(id)
        daemon.step(.pausing(ServingState(isServing: false, reason: "view 2 is ending")))
        let state = ServingState(isServing: false, reason: "hears no majority")
        daemon.step(.pausing(state))
        #expect(daemon.nextTick <= group.now.advanced(by: .milliseconds(250)))
        group.advance(.milliseconds(250))
        daemon.step(.tick)
        var reader = ByteReader(try #require(try daemon.received(id).first).body)
        #expect(try ServingState(from: &reader) == state)
        let next = ServingState(isServing: false, reason: "waits for node 2")
        daemon.step(.pausing(next))
        reader = ByteReader(try #require(try daemon.received(id).first).body)
        #expect(try ServingState(from: &reader) == next)
    }
}
