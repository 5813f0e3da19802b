/// Wall-clock time as it stands in records: microseconds since 1970-01-01 UTC. It comes with the
/// ordered messages, never goes back in the applied order, and never expires anything.
public struct Timestamp: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var microseconds: UInt64

    public init(microseconds: UInt64) {
        self.microseconds = microseconds
    }

    /// Whole days since 2025-01-01 UTC; 0 before. An era of versions is at least that.
    package var daysSince2025: UInt64 {
        let days = microseconds / 86_400_000_000
        let first: UInt64 = 20_089
        return days > first ? days - first : 0
    }

    public static let zero = Timestamp(microseconds: 0)

    public static func < (lhs: Self, rhs: Self) -> Bool {
        lhs.microseconds < rhs.microseconds
    }

    public var description: String { "\(microseconds)" }
}
