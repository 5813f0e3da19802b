import CConclaveLinux
import ConclaveBase

/// CLOCK_BOOTTIME, the clock of all deadlines: it counts on while the machine sleeps, and is the
/// one that `ContinuousClock` reads.
enum BootClock {
    static var now: Instant { Instant(nanoseconds: conclave_linux_boot_time()) }

    /// `instant` for the standard library; at most too early, never too late.
    static func continuous(_ instant: Instant) -> ContinuousClock.Instant {
        let continuous = ContinuousClock.now
        let remaining = instant.since(now)
        return continuous.advanced(by: .nanoseconds(remaining.nanoseconds))
    }
}

extension Interval {
    /// Saturates; a part of a nanosecond is cut off.
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self = .seconds(seconds) + Interval(nanoseconds: attoseconds / 1_000_000_000)
    }
}

extension Duration {
    init(_ interval: Interval) {
        self = .nanoseconds(interval.nanoseconds)
    }
}
