import ConclaveBase
import ConclaveWire
import Testing

@Suite struct `Frames` {
    private let frames: [[UInt8]] = [
        FrameHeader.frame(type: 16, number: 1, body: []),
        FrameHeader.frame(type: 17, flags: [.reply, .error], number: 2, body: [1, 2, 3]),
        FrameHeader.frame(type: 1, flags: .event, body: Array(repeating: 7, count: 70_000)),
    ]

    @Test func `the header is 16 bytes, length first, and counts what follows the length`() {
        #expect(frames[1].count == 19)
        #expect(
            frames[1] == [15, 0, 0, 0, 17, 0, 3, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3])
    }

    @Test(arguments: [1, 2, 3, 15, 16, 17, 19, 4_096, 100_000])
    func `a stream gives the same frames however it is cut`(pieceByteCount: Int) throws {
        let stream = Array((frames + frames).joined())
        var buffer = FrameBuffer()
        var received: [FrameBuffer.Frame] = []
        for start in stride(from: 0, to: stream.count, by: pieceByteCount) {
            buffer.append(Array(stream[start..<min(start + pieceByteCount, stream.count)]))
            while let frame = try buffer.next() { received.append(frame) }
        }
        #expect(received.map(\.header.type) == [16, 17, 1, 16, 17, 1])
        #expect(received.map(\.header.number) == [1, 2, 0, 1, 2, 0])
        #expect(received[1].header.flags == [.reply, .error])
        #expect(received[1].body == [1, 2, 3])
        #expect(received[5].body.count == 70_000)
        #expect(buffer.waitingByteCount == 0)
    }

    @Test func `a length below the header or above a mebibyte is refused at once`() {
        func next(_ length: UInt32) throws -> FrameBuffer.Frame? {
            var writer = ByteWriter()
            writer.integer(length)
            writer.raw(Array(repeating: 0, count: 12))
            var buffer = FrameBuffer()
            buffer.append(writer.bytes)
            return try buffer.next()
        }
        #expect(throws: WireError.self) { try next(11) }
        #expect(throws: WireError.self) { try next(0) }
        #expect(throws: WireError.self) { try next((1 << 20) + 1) }
        #expect(throws: WireError.self) { try next(.max) }
        #expect(throws: Never.self) { try next(1 << 20) }
    }

    @Test func `a stream of chance never traps`() {
        var random = SeededRandom(seed: 3)
        for _ in 0..<2_000 {
            var buffer = FrameBuffer()
            let bytes = (0..<64).map { index in
                index % 16 < 4 && index % 16 > 0 ? 0 : UInt8(truncatingIfNeeded: random.next())
            }
            buffer.append(bytes)
            while let frame = try? buffer.next() {
                #expect(frame.body.count == frame.header.bodyByteCount)
            }
        }
    }
}
