/// A number given out with each grant, larger than every earlier token of that name, for ever.
///
/// Pass it to the guarded resource and let the resource refuse a smaller one than it has seen.
public struct FencingToken: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var number: UInt64

    public init(_ number: UInt64) {
        self.number = number
    }

    public init(_ version: Version) {
        number = version.number
    }

    public static func < (lhs: Self, rhs: Self) -> Bool {
        lhs.number < rhs.number
    }

    public var description: String { "\(number)" }
}
