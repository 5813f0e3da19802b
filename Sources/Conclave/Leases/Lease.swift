public import ConclaveBase
package import ConclaveWire

/// A lease as it was granted, renewed or transferred: from then on the newer value counts.
///
/// A process may be paused between asking and acting: guard the resource itself with the token.
public struct Lease: Sendable {
    public let name: String
    public let holder: String
    /// Larger than that of every earlier holder. A renewal does not change it.
    public let token: FencingToken
    public let ttl: Duration
    private let end: Instant

    /// Nobody else has it yet, by this host's clock.
    public var isValid: Bool { BootClock.now < end }

    /// Until when that is so. In the past if the answer came late.
    public var deadline: ContinuousClock.Instant { BootClock.continuous(end) }

    /// Every other clock may be faster than this one.
    package init(_ grant: LeaseGrant, askedAt: Instant) {
        name = grant.name.text
        holder = grant.holder
        token = grant.token
        ttl = Duration(grant.ttl)
        end = askedAt.advanced(by: ClockDrift.shortened(grant.ttl))
    }
}

/// Who has a lease.
public struct LeaseStatus: Hashable, Sendable {
    public let name: String
    public let holder: String
    public let token: FencingToken
    public let ttl: Duration
    /// Of the user whose process asked for it.
    public let uid: UInt32
    /// Since when this holder has it.
    public let since: Timestamp
    /// When it was granted, renewed or transferred last.
    public let renewed: Timestamp
    /// How long it goes on if nobody renews it, by the clock of the daemon that was asked.
    public let remaining: Duration?

    package init(_ report: LeaseReport) {
        name = report.grant.name.text
        holder = report.grant.holder
        token = report.grant.token
        ttl = Duration(report.grant.ttl)
        uid = report.uid
        since = report.since
        renewed = report.renewed
        remaining = report.remaining.map { Duration($0) }
    }
}
