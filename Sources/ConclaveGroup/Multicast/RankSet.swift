/// Some of a view's ranks: a bit for each.
package struct RankSet {
    private var bits: UInt64

    /// All of that many ranks, or none of them.
    ///
    /// - Precondition: `count` is at most 64, and `rank` below is less: no view has more members.
    package init(_ isIn: Bool, count: Int) {
        precondition(count <= UInt64.bitWidth)
        bits = isIn ? ~0 >> UInt64(UInt64.bitWidth - count) : 0
    }

    package var isEmpty: Bool { bits == 0 }

    package subscript(rank: Int) -> Bool {
        get { bits & Self.bit(of: rank) != 0 }
        set { bits = newValue ? bits | Self.bit(of: rank) : bits & ~Self.bit(of: rank) }
    }

    private static func bit(of rank: Int) -> UInt64 {
        precondition(rank < UInt64.bitWidth)
        return 1 << UInt64(rank)
    }

    /// Takes out the lowest one.
    package mutating func popFirst() -> Int? {
        guard bits != 0 else { return nil }
        defer { bits &= bits - 1 }
        return bits.trailingZeroBitCount
    }
}
