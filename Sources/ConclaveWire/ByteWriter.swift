/// Writes fields, little-endian, one after the other: the counterpart of `ByteReader`.
package struct ByteWriter: Sendable {
    package private(set) var bytes: [UInt8]

    package init(reserving byteCount: Int = 0) {
        bytes = []
        bytes.reserveCapacity(byteCount)
    }

    // As for `ByteReader`.
    @specialized(where T == UInt8)
    @specialized(where T == UInt16)
    @specialized(where T == UInt32)
    @specialized(where T == UInt64)
    @specialized(where T == Int64)
    package mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(_ value: T) {
        unsafe withUnsafeBytes(of: value.littleEndian) { unsafe bytes.append(contentsOf: $0) }
    }

    package mutating func flag(_ value: Bool) {
        bytes.append(value ? 1 : 0)
    }

    package mutating func count(_ value: Int) {
        integer(UInt32(value))
    }

    @specialized(where Bytes == [UInt8])
    package mutating func raw<Bytes: Sequence<UInt8>>(_ value: Bytes) {
        bytes.append(contentsOf: value)
    }

    /// Bytes behind a u32 length.
    package mutating func bytes(_ value: [UInt8]) {
        count(value.count)
        bytes.append(contentsOf: value)
    }

    /// UTF-8 behind a u16 length; what does not fit is cut off at a character.
    package mutating func text(_ value: String) {
        guard value.utf8.count > UInt16.max else { return short(value.utf8) }
        short(Self.cut(value, toByteCount: Int(UInt16.max)).utf8)
    }

    private mutating func short(_ value: some Collection<UInt8>) {
        integer(UInt16(value.count))
        bytes.append(contentsOf: value)
    }

    /// The longest beginning of `text` that has at most `byteCount` bytes, in whole characters.
    package static func cut(_ text: String, toByteCount byteCount: Int) -> Substring {
        let bytes = text.utf8
        guard bytes.count > byteCount else { return Substring(text) }
        var end = bytes.index(bytes.startIndex, offsetBy: byteCount)
        while end > bytes.startIndex, String.Index(end, within: text) == nil {
            bytes.formIndex(before: &end)
        }
        return text[..<end]
    }

    /// Overwrites a number written before, such as a length known only at the end.
    package mutating func patch<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at offset: Int)
    {
        precondition(offset + MemoryLayout<T>.size <= bytes.count)
        unsafe bytes.withUnsafeMutableBytes {
            unsafe $0.storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
        }
    }
}
