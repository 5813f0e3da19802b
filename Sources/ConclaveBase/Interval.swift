/// A length of time in nanoseconds, signed. Arithmetic saturates, so that no setting from outside
/// and no clock can trap the daemon.
public struct Interval: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var nanoseconds: Int64

    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    public static let zero = Interval(nanoseconds: 0)

    public static func microseconds(_ count: Int64) -> Interval {
        Interval(nanoseconds: count) * 1_000
    }

    public static func milliseconds(_ count: Int64) -> Interval {
        Interval(nanoseconds: count) * 1_000_000
    }

    public static func seconds(_ count: Int64) -> Interval {
        Interval(nanoseconds: count) * 1_000_000_000
    }

    public var milliseconds: Int64 { nanoseconds / 1_000_000 }

    public static func < (lhs: Self, rhs: Self) -> Bool {
        lhs.nanoseconds < rhs.nanoseconds
    }

    public static func + (lhs: Self, rhs: Self) -> Interval {
        let (sum, overflow) = lhs.nanoseconds.addingReportingOverflow(rhs.nanoseconds)
        guard overflow else { return Interval(nanoseconds: sum) }
        return Interval(nanoseconds: rhs.nanoseconds > 0 ? .max : .min)
    }

    public static func - (lhs: Self, rhs: Self) -> Interval {
        let (difference, overflow) = lhs.nanoseconds.subtractingReportingOverflow(rhs.nanoseconds)
        guard overflow else { return Interval(nanoseconds: difference) }
        return Interval(nanoseconds: rhs.nanoseconds < 0 ? .max : .min)
    }

    public static func * (lhs: Self, rhs: Int64) -> Interval {
        let (product, overflow) = lhs.nanoseconds.multipliedReportingOverflow(by: rhs)
        guard overflow else { return Interval(nanoseconds: product) }
        return Interval(nanoseconds: (lhs.nanoseconds < 0) == (rhs < 0) ? .max : .min)
    }

    public static func / (lhs: Self, rhs: Int64) -> Interval {
        Interval(nanoseconds: lhs.nanoseconds / rhs)
    }

    public var description: String {
        let units: [(nanoseconds: UInt64, name: String)] = [
            (1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us"),
        ]
        let magnitude = nanoseconds.magnitude
        for unit in units {
            let (count, rest) = magnitude.quotientAndRemainder(dividingBy: unit.nanoseconds)
            // Two digits are enough, but a small number is not cut.
            guard count >= 10 || count > 0 && rest == 0 else { continue }
            return "\(nanoseconds < 0 ? "-" : "")\(count) \(unit.name)"
        }
        return "\(nanoseconds / 1_000) us"
    }
}
