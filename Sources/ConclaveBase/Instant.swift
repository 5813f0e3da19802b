/// A point on one machine's CLOCK_BOOTTIME, in nanoseconds. Instants of two machines cannot be
/// compared.
public struct Instant: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var nanoseconds: UInt64

    public init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    /// Before everything.
    public static let distantPast = Instant(nanoseconds: 0)
    /// Never.
    public static let distantFuture = Instant(nanoseconds: .max)

    public func advanced(by interval: Interval) -> Instant {
        let magnitude = interval.nanoseconds.magnitude
        if interval.nanoseconds >= 0 {
            let (sum, overflow) = nanoseconds.addingReportingOverflow(magnitude)
            return Instant(nanoseconds: overflow ? .max : sum)
        }
        return Instant(nanoseconds: nanoseconds > magnitude ? nanoseconds - magnitude : 0)
    }

    /// How long after `earlier` this is; negative if it is before.
    public func since(_ earlier: Instant) -> Interval {
        if nanoseconds >= earlier.nanoseconds {
            return Interval(nanoseconds: Int64(clamping: nanoseconds - earlier.nanoseconds))
        }
        return Interval(nanoseconds: -Int64(clamping: earlier.nanoseconds - nanoseconds))
    }

    public static func < (lhs: Self, rhs: Self) -> Bool {
        lhs.nanoseconds < rhs.nanoseconds
    }

    public var description: String { "\(nanoseconds)" }
}
