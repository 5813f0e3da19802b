import ConclaveBase
import ConclaveReactor
import Testing

@Suite struct `A stream` {
    private final class Sender: ReactorHandler {
        var stream: Stream?
        var callCount = 0

        func ready(_ readiness: Readiness) {
            callCount += 1
            if readiness.contains(.writable) { try? stream?.becameWritable() }
        }
    }

    private let reactor: Reactor
    private let sender = Sender()

    init() throws {
        reactor = try Reactor()
    }

    @Test func `what is appended leaves with the flush`() throws {
        let (near, far) = try connectedPair()
        let stream = try Stream(near, reactor: reactor, handler: sender)
        let reader = Reader(far)
        _ = try reactor.register(far, interest: .readable, handler: reader)
        stream.append([1, 2])
        stream.append(integer: UInt32(0x0403))
        #expect(stream.unsentByteCount == 6)
        try reactor.turn(until: .distantPast)
        #expect(reader.bytes.isEmpty)
        try stream.flush()
        #expect(try reactor.turn { reader.bytes == [1, 2, 3, 4, 0, 0] })
        #expect(stream.unsentByteCount == 0)
    }

    @Test func `a full kernel buffer keeps the rest in order until it is writable`() throws {
        let (near, far) = try connectedPair()
        let stream = try Stream(near, reactor: reactor, interest: [], handler: sender)
        sender.stream = stream
        var sent: [UInt8] = []
        for number: UInt8 in 0..<100 where !stream.isBlocked {
            let bytes = [UInt8](repeating: number, count: 1 << 20)
            sent += bytes
            stream.append(bytes)
            try stream.flush()
        }
        #expect(stream.isBlocked)
        #expect(stream.unsentByteCount > 0)
        try reactor.turn(until: .distantPast)
        #expect(sender.callCount == 0, "writability is told while nobody reads")
        stream.append([0xEE])
        try stream.flush()

        let reader = Reader(far)
        _ = try reactor.register(far, interest: .readable, handler: reader)
        #expect(try reactor.turn { reader.bytes.count == sent.count + 1 })
        #expect(reader.bytes == sent + [0xEE])
        #expect(!stream.isBlocked)
        let calls = sender.callCount
        try reactor.turn(until: .distantPast)
        #expect(sender.callCount == calls, "writability is waited for although nothing waits")
    }

    @Test func `a stream that does not read leaves its bytes with the kernel`() throws {
        let (near, far) = try connectedPair()
        let stream = try Stream(near, reactor: reactor, handler: sender)
        try stream.setReading(false)
        _ = try far.send([1])
        try reactor.turn(until: reactor.now().advanced(by: .milliseconds(5)))
        #expect(sender.callCount == 0)
        try stream.setReading(true)
        try reactor.turn(until: .distantFuture)
        #expect(sender.callCount == 1)
    }

    @Test func `sending to a closed peer is an error and no signal`() throws {
        let stream: Stream
        do {
            let (near, _) = try connectedPair()
            stream = try Stream(near, reactor: reactor, handler: sender)
        }
        #expect(throws: SystemError.self) {
            for _ in 0..<10 {
                stream.append([1])
                try stream.flush()
            }
        }
    }

    @Test func `nothing is told or sent after the close`() throws {
        let (near, far) = try connectedPair()
        let stream = try Stream(near, reactor: reactor, handler: sender)
        stream.append([1])
        stream.close()
        try stream.flush()
        _ = try far.send([1])
        try reactor.turn(until: .distantPast)
        #expect(sender.callCount == 0)
        #expect(stream.unsentByteCount == 0)
    }
}
