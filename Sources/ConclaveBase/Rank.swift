/// A position in one view's member list. It means nothing without its view.
public struct Rank: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var index: Int

    public init(_ index: Int) {
        self.index = index
    }

    public static func < (lhs: Self, rhs: Self) -> Bool {
        lhs.index < rhs.index
    }

    public var description: String { "\(index)" }
}
