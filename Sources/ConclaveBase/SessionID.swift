/// A session's name: the version of the request that opened it, so it is never used again.
public struct SessionID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var number: UInt64

    public init(_ number: UInt64) {
        self.number = number
    }

    public static func < (lhs: Self, rhs: Self) -> Bool {
        lhs.number < rhs.number
    }

    public var description: String { "\(number)" }
}
