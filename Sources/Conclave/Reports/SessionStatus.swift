public import ConclaveBase
package import ConclaveWire

/// A session of some process, and how much it has and waits for.
public struct SessionStatus: Hashable, Sendable {
    public let session: SessionID
    public let host: NodeID
    public let pid: UInt32
    public let uid: UInt32
    /// The systemd unit of the process, if it is in one; else empty.
    public let unit: String
    public let label: String
    public let ttl: Duration
    /// Its daemon is not in the view: it ends when its time has passed, unless it is resumed.
    public let isAway: Bool
    /// An administrator has ended it, and its process may still believe in it.
    public let isForced: Bool
    /// Locks, semaphores, terms and memberships of task groups that it has.
    public let heldCount: Int
    /// Requests that wait.
    public let waitingCount: Int
    /// Keys that go with it.
    public let keyCount: Int
    /// How long it stays valid by the asked daemon's clock; `nil` if that is another daemon's.
    public let remaining: Duration?

    package init(_ summary: SessionSummary) {
        session = summary.session
        host = summary.owner.host
        pid = summary.owner.pid
        uid = summary.owner.uid
        unit = summary.owner.unit
        label = summary.owner.label
        ttl = Duration(summary.ttl)
        isAway = summary.standing == .away
        isForced = summary.standing == .forced
        heldCount = Int(summary.heldCount)
        waitingCount = Int(summary.waitingCount)
        keyCount = Int(summary.keyCount)
        remaining = summary.remaining.map { Duration($0) }
    }
}
