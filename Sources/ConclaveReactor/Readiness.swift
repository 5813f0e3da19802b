import CConclaveLinux
package import ConclaveBase

/// What a descriptor is ready for, or what one waits for.
package struct Readiness: OptionSet, Sendable {
    package var rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    package static let readable = Readiness(rawValue: UInt32(CONCLAVE_LINUX_READABLE))
    package static let writable = Readiness(rawValue: UInt32(CONCLAVE_LINUX_WRITABLE))
    /// The other end sends no more. Bytes that it sent before may still wait.
    package static let peerClosed = Readiness(rawValue: UInt32(CONCLAVE_LINUX_PEER_CLOSED))
    /// Closed in both directions. It is told whether one waits for it or not.
    package static let hangUp = Readiness(rawValue: UInt32(CONCLAVE_LINUX_HANG_UP))
    /// An error waits on the descriptor. It is told whether one waits for it or not.
    package static let failed = Readiness(rawValue: UInt32(CONCLAVE_LINUX_ERROR))
}

/// Called on the reactor's thread when its descriptor is ready.
package protocol ReactorHandler: AnyObject {
    /// Told again at each turn until what it says is no longer so: whoever does not want to read
    /// must take `.readable` out of its interest, and after `.hangUp` or `.failed` the
    /// registration must go.
    func ready(_ readiness: Readiness)
}

/// Something to be done at a time. A reactor has few of them, and asks each at every turn.
package protocol ReactorAlarm: AnyObject {
    /// When to be called next; `.distantFuture`: not at all.
    var deadline: Instant { get }

    /// The deadline has come. It must be later than `now` afterwards, or the reactor does not sleep.
    func expired(now: Instant)
}
