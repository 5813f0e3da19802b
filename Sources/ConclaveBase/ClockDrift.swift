/// How far apart the rates of two machines' clocks may be: rho, 1 %.
///
/// A holder believes in its session for less than the `ttl`, everybody else waits for more, so
/// that the first has ended on any clock before the second begins.
public enum ClockDrift {
    public static let perMille: Int64 = 10

    /// `interval` x (1 - rho): how long a holder may believe.
    public static func shortened(_ interval: Interval) -> Interval {
        interval - interval / (1_000 / perMille)
    }

    /// `interval` x (1 + rho): how long everybody else must wait.
    public static func lengthened(_ interval: Interval) -> Interval {
        interval + interval / (1_000 / perMille)
    }
}
