package import ConclaveBase

/// A point of true time, in nanoseconds since the world began. No host can read it.
package struct Moment: Hashable, Comparable, BitwiseCopyable, Sendable {
    package var nanoseconds: UInt64

    package init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    package static let start = Moment(nanoseconds: 0)
    package static let never = Moment(nanoseconds: .max)

    /// - Precondition: `interval` is not negative.
    package func advanced(by interval: Interval) -> Moment {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(UInt64(interval.nanoseconds))
        return overflow ? .never : Moment(nanoseconds: sum)
    }

    /// How long after `earlier` this is; zero if it is before.
    package func since(_ earlier: Moment) -> Interval {
        guard nanoseconds > earlier.nanoseconds else { return .zero }
        return Interval(nanoseconds: Int64(clamping: nanoseconds - earlier.nanoseconds))
    }

    package static func < (lhs: Self, rhs: Self) -> Bool {
        lhs.nanoseconds < rhs.nanoseconds
    }
}
