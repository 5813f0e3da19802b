/// Reads fields, little-endian, one after the other; every read is checked against what is left.
package struct ByteReader: Sendable {
    private let storage: [UInt8]
    /// Where the next field begins, and where the bytes end, in `storage`.
    private var position: Int
    private let end: Int

    package init(_ bytes: [UInt8]) {
        storage = bytes
        position = 0
        end = bytes.count
    }

    /// - Precondition: `range` lies within `bytes`.
    package init(_ bytes: [UInt8], in range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        storage = bytes
        position = range.lowerBound
        end = range.upperBound
    }

    package var remaining: Int { end - position }

    package mutating func byte(_ field: String) throws(WireError) -> UInt8 {
        try integer(field)
    }

    package mutating func flag(_ field: String) throws(WireError) -> Bool {
        let value: UInt8 = try integer(field)
        guard value <= 1 else { throw .unknown(field: field, value: UInt64(value)) }
        return value == 1
    }

    // Nothing generic is inlined into other modules: unspecialized, a number costs fifty times what
    // loading it does.
    @specialized(where T == UInt8)
    @specialized(where T == UInt16)
    @specialized(where T == UInt32)
    @specialized(where T == UInt64)
    @specialized(where T == Int64)
    package mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(
        _ field: String
    ) throws(WireError) -> T {
        let size = MemoryLayout<T>.size
        guard remaining >= size else {
            throw .truncated(field: field, needed: size, got: remaining)
        }
        let start = position
        position += size
        return unsafe storage.withUnsafeBytes {
            unsafe T(littleEndian: $0.loadUnaligned(fromByteOffset: start, as: T.self))
        }
    }

    /// A number of things that follow, refused if it is over `maximum`, or if even at a byte a
    /// thing there cannot be so many: nobody makes us reserve memory by a bare number.
    package mutating func count(_ field: String, maximum: Int) throws(WireError) -> Int {
        let value: UInt32 = try integer(field)
        guard value <= maximum else {
            throw .outOfRange(field: field, value: UInt64(value), maximum: UInt64(maximum))
        }
        guard value <= remaining else {
            throw .truncated(field: field, needed: Int(value), got: remaining)
        }
        return Int(value)
    }

    package mutating func array(_ field: String, count: Int) throws(WireError) -> [UInt8] {
        let range = try range(field, count: count)
        return Array(storage[range])
    }

    /// The next `count` bytes as a reader of their own, without a copy.
    package mutating func part(_ field: String, count: Int) throws(WireError) -> ByteReader {
        ByteReader(storage, in: try range(field, count: count))
    }

    /// Bytes behind a u32 length.
    package mutating func bytes(_ field: String, maximum: Int) throws(WireError) -> [UInt8] {
        let count = try count(field, maximum: maximum)
        return try array(field, count: count)
    }

    /// UTF-8 behind a u16 length.
    package mutating func text(_ field: String, maximum: Int) throws(WireError) -> String {
        let count: UInt16 = try integer(field)
        guard count <= maximum else {
            throw .outOfRange(field: field, value: UInt64(count), maximum: UInt64(maximum))
        }
        let range = try range(field, count: Int(count))
        guard let text = try? UTF8Span(validating: storage.span.extracting(range)) else {
            throw .notText(field: field)
        }
        return String(copying: text)
    }

    /// Calls `body` with everything that is left, which stays unread.
    @specialized(where Result == UInt64)
    package func withRest<Result>(
        _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        unsafe storage.withUnsafeBytes {
            unsafe body(UnsafeRawBufferPointer(rebasing: $0[position..<end]))
        }
    }

    /// Everything that is left.
    package mutating func rest() -> [UInt8] {
        let start = position
        position = end
        return Array(storage[start..<end])
    }

    /// Refuses bytes that no field claimed.
    package func finish() throws(WireError) {
        guard remaining == 0 else { throw .trailing(byteCount: remaining) }
    }

    private mutating func range(_ field: String, count: Int) throws(WireError) -> Range<Int> {
        guard count >= 0, remaining >= count else {
            throw .truncated(field: field, needed: count, got: remaining)
        }
        let start = position
        position += count
        return start..<position
    }
}
