/// A machine of the group, for ever: the number its configuration gives it.
public struct NodeID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var number: UInt32

    public init(_ number: UInt32) {
        self.number = number
    }

    public static func < (lhs: Self, rhs: Self) -> Bool {
        lhs.number < rhs.number
    }

    public var description: String { "\(number)" }
}
