package import ConclaveBase

/// What a daemon does to the process of a session that is about to lose what it holds. The later ones
/// do more.
package enum LossAction: UInt8, Sendable, CaseIterable, Comparable {
    /// Nothing: the process sees for itself.
    case notify = 0
    /// SIGTERM.
    case signal = 1
    /// SIGSTOP.
    case freeze = 2
    /// SIGKILL.
    case kill = 3

    package static func < (lhs: Self, rhs: Self) -> Bool { lhs.rawValue < rhs.rawValue }

    /// The process does nothing more, whatever it would have liked.
    package var isFinal: Bool { self >= .freeze }

    /// How long before the deadline it is done, so that the process has stopped by then.
    package static func margin(of ttl: Interval) -> Interval {
        min(.seconds(1), ttl / 4)
    }
}
