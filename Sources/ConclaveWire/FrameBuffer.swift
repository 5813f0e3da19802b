/// Collects a stream's bytes and hands out whole frames.
package struct FrameBuffer: Sendable {
    private var bytes: [UInt8] = []
    private var start = 0

    package struct Frame: Equatable, Sendable {
        package var header: FrameHeader
        package var body: [UInt8]

        package init(header: FrameHeader, body: [UInt8]) {
            self.header = header
            self.body = body
        }
    }

    package init() {}

    package var waitingByteCount: Int { bytes.count - start }

    package mutating func append(_ more: UnsafeRawBufferPointer) {
        if start > 0, start == bytes.count || start >= 64 * 1024 {
            bytes.removeFirst(start)
            start = 0
        }
        unsafe bytes.append(contentsOf: more)
    }

    package mutating func append(_ more: [UInt8]) {
        unsafe more.withUnsafeBytes { unsafe append($0) }
    }

    /// The next whole frame, or nothing yet. After an error the stream is of no more use.
    package mutating func next() throws(WireError) -> Frame? {
        guard bytes.count - start >= FrameHeader.byteCount else { return nil }
        var reader = ByteReader(bytes, in: start..<bytes.count)
        let header = try FrameHeader(from: &reader)
        let end = start + FrameHeader.byteCount + header.bodyByteCount
        guard bytes.count >= end else { return nil }
        let body = Array(bytes[(start + FrameHeader.byteCount)..<end])
        start = end
        return Frame(header: header, body: body)
    }
}
