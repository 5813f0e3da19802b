import ConclaveBase
import ConclaveGroup

/// One member's transfer of the order to a member that comes back, without disturbing the epoch
/// (V22). A window bounds what is on its way.
struct Teaching {
    let learner: Member
    let id: UInt64
    /// Number of the next item to send.
    var next: UInt64
    var snapshot: [UInt8] = []
    var snapshotSent = 0
    var sentByteCount: UInt64 = 0
    var takenByteCount: UInt64 = 0
    var lastHeard: Instant
    /// The trim up to which the learner is being brought level, and the epoch it ends.
    var levelSent: Epoch?

    static let window: UInt64 = 1 << 20
    static let part = 128 * 1024

    init(learner: Member, id: UInt64, next: UInt64, now: Instant) {
        self.learner = learner
        self.id = id
        self.next = next
        lastHeard = now
    }

    var hasRoom: Bool { sentByteCount - takenByteCount < Self.window }
    var hasSentSnapshot: Bool { snapshotSent == snapshot.count }

    /// The next part of the snapshot, or nil if all of it is sent.
    mutating func nextSnapshotPart() -> [UInt8]? {
        guard !hasSentSnapshot else { return nil }
        let end = min(snapshot.count, snapshotSent + Self.part)
        let bytes = Array(snapshot[snapshotSent..<end])
        snapshotSent = end
        sentByteCount += UInt64(bytes.count)
        if hasSentSnapshot {
            snapshot = []
            snapshotSent = 0
        }
        return bytes
    }

    /// The next items that fit one frame, or nil if there are none; false in `isKept` if the order
    /// has moved on too far.
    mutating func nextItems(from recent: RecentItems) -> (items: [OrderedItem], isKept: Bool) {
        guard next >= recent.start else { return ([], false) }
        var items: [OrderedItem] = []
        var size = 0
        while size < Self.part, let item = recent[next] {
            items.append(item)
            size += item.byteCount
            next += 1
        }
        sentByteCount += UInt64(size)
        return (items, true)
    }
}
