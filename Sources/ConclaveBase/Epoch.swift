/// The number of an installed view. It grows with each view and is never reused within a lineage,
/// so it also orders everything that happened in a view. Zero stands before the first view.
public struct Epoch: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var number: UInt64

    public init(_ number: UInt64) {
        self.number = number
    }

    public static let none = Epoch(0)

    public var next: Epoch { Epoch(number + 1) }

    public static func < (lhs: Self, rhs: Self) -> Bool {
        lhs.number < rhs.number
    }

    public var description: String { "\(number)" }
}
