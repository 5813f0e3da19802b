/// The name of a lock, slot, barrier, key or task group: UTF-8, 1 to 255 bytes, no control
/// characters; `/` separates levels.
public struct ObjectName: Hashable, Comparable, Sendable, CustomStringConvertible {
    public static let maximumByteCount = 255

    public let text: String

    /// What is wrong with a name that was refused.
    public enum Fault: Error, Equatable, Sendable {
        case empty
        case tooLong(byteCount: Int)
        case controlCharacter(offset: Int)
    }

    public init(_ text: String) throws(Fault) {
        let bytes = text.utf8
        guard !bytes.isEmpty else { throw .empty }
        guard bytes.count <= Self.maximumByteCount else {
            throw .tooLong(byteCount: bytes.count)
        }
        let span = bytes.span
        for offset in span.indices where span[offset] < 0x20 || span[offset] == 0x7F {
            throw .controlCharacter(offset: offset)
        }
        self.text = text
    }

    /// By bytes, so that every replica has the same order.
    public static func < (lhs: Self, rhs: Self) -> Bool {
        lhs.text.utf8.lexicographicallyPrecedes(rhs.text.utf8)
    }

    /// By bytes: names that only look alike are different names.
    public static func == (lhs: Self, rhs: Self) -> Bool {
        unsafe lhs.text.utf8.span.withUnsafeBytes { left in
            unsafe rhs.text.utf8.span.withUnsafeBytes { right in
                unsafe left.hasSameBytes(as: right)
            }
        }
    }

    public func hash(into hasher: inout Hasher) {
        unsafe text.utf8.span.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
        hasher.combine(0 as UInt8)
    }

    public var description: String { text }
}

extension UnsafeRawBufferPointer {
    /// Eight at a time: names are compared more often than anything else.
    fileprivate func hasSameBytes(as other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        var offset = 0
        while offset + 8 <= count {
            let word = unsafe loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            guard unsafe word == other.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            else { return false }
            offset += 8
        }
        while offset < count {
            guard unsafe self[offset] == other[offset] else { return false }
            offset += 1
        }
        return true
    }
}
