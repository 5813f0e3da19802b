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
        for (offset, byte) in bytes.enumerated() where byte < 0x20 || byte == 0x7F {
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
        lhs.text.utf8.elementsEqual(rhs.text.utf8)
    }

    public func hash(into hasher: inout Hasher) {
        for byte in text.utf8 { hasher.combine(byte) }
        hasher.combine(0 as UInt8)
    }

    public var description: String { text }
}
