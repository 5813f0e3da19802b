import ConclaveBase
import ConclaveGroup

/// One member's transfer of the order to a member that comes back, without disturbing the epoch
/// (V22). A window bounds what is on its way. A class for the same reason as `Learning`.
final class Teaching<Machine: StateMachine> {
    let learner: Member
    let id: UInt64
    /// Number of the next item to send.
    var next: UInt64
    /// What is left of the snapshot to be sent.
    var snapshot: SnapshotSource<Machine>?
    var sentByteCount: UInt64 = 0
    var takenByteCount: UInt64 = 0
    var lastHeard: Instant
    var lastSent: Instant
    private var nextPart = Instant.distantPast
    /// Since when this learner is taught, however often it began anew.
    var startedAt: Instant
    /// Since when it says that it can be let in, and when it last did.
    var readySince: Instant?
    var readyAt = Instant.distantPast

    /// Between two parts of a snapshot, so that those who are served have the machines for
    /// themselves most of the time.
    static var pause: Interval { .milliseconds(2) }
    /// On the way to all learners together, but for a last part to each.
    static var window: UInt64 { 1 << 20 }

    init(learner: Member, id: UInt64, next: UInt64, now: Instant) {
        self.learner = learner
        self.id = id
        self.next = next
        lastHeard = now
        lastSent = now
        startedAt = now
    }

    var hasSentSnapshot: Bool { snapshot == nil }

    /// When the next part of the snapshot may be sent, if there is one and room for it.
    func partDue(among count: Int) -> Instant? {
        hasRoom(among: count) && !hasSentSnapshot ? nextPart : nil
    }

    /// Whether more may be on its way to this one of `count` learners.
    func hasRoom(among count: Int) -> Bool {
        sentByteCount - takenByteCount < Self.window / UInt64(max(count, 1))
    }

    func isReady(at now: Instant) {
        if readySince == nil { readySince = now }
        readyAt = now
    }

    /// The next part of the snapshot, or nil if all of it is sent.
    func nextSnapshotPart(_ byteCount: Int, now: Instant) -> [UInt8]? {
        nextPart = now.advanced(by: Self.pause)
        let part = snapshot?.next(byteCount)
        if part == nil { snapshot = nil }
        sentByteCount += UInt64(part?.count ?? 0)
        return part
    }

    /// The next items that fit one frame, or nil if there are none; false in `isKept` if the order
    /// has moved on too far.
    func nextItems(from recent: RecentItems) -> (items: [OrderedItem], isKept: Bool) {
        guard next >= recent.start else { return ([], false) }
        var items: [OrderedItem] = []
        var size = 0
        while size < TransferPart.byteCount, let item = recent[next] {
            items.append(item)
            size += item.byteCount
            next += 1
        }
        sentByteCount += UInt64(size)
        return (items, true)
    }
}

/// How much goes into one frame of a transfer.
enum TransferPart {
    static let byteCount = 128 * 1_024
}
