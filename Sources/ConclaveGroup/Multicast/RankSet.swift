/// Some of a view's ranks: a bit for each.
package struct RankSet: Equatable, Sendable {
    private var bits: UInt64

    /// All of that many ranks, or none of them.
    ///
    /// - Precondition: A view has so many members.
    package init(_ isIn: Bool, count: Int) {
        precondition(count <= NextView.maximumMembers)
        bits = isIn ? ~0 >> UInt64(64 - count) : 0
    }

    package var isEmpty: Bool { bits == 0 }

    package subscript(rank: Int) -> Bool {
        get { bits >> UInt64(rank) & 1 == 1 }
        set { bits = newValue ? bits | 1 << UInt64(rank) : bits & ~(1 << UInt64(rank)) }
    }

    /// Takes out the lowest one.
    package mutating func popFirst() -> Int? {
        guard bits != 0 else { return nil }
        defer { bits &= bits - 1 }
        return bits.trailingZeroBitCount
    }
}
