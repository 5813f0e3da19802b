import ConclaveBase
import ConclaveGroup

/// One member's transfer of the order to a member that comes back, without disturbing the epoch
/// (V22). A window bounds what is on its way.
struct Teaching<Machine: StateMachine> {
    let learner: Member
    let id: UInt64
    /// Number of the next item to send.
    var next: UInt64
    /// What is left of the snapshot to be sent.
    var snapshot: SnapshotSource<Machine>?
    var sentByteCount: UInt64 = 0
    var takenByteCount: UInt64 = 0
    var lastHeard: Instant
    /// The trim up to which the learner is being brought level, and the epoch it ends.
    var levelSent: Epoch?

    static var window: UInt64 { 1 << 20 }

    init(learner: Member, id: UInt64, next: UInt64, now: Instant) {
        self.learner = learner
        self.id = id
        self.next = next
        lastHeard = now
    }

    var hasRoom: Bool { sentByteCount - takenByteCount < Self.window }
    var hasSentSnapshot: Bool { snapshot == nil }
    /// A part of the snapshot can be sent at once.
    var hasWork: Bool { hasRoom && !hasSentSnapshot }

    /// The next part of the snapshot, or nil if all of it is sent.
    mutating func nextSnapshotPart(_ byteCount: Int) -> [UInt8]? {
        let part = snapshot?.next(byteCount)
        if part == nil { snapshot = nil }
        sentByteCount += UInt64(part?.count ?? 0)
        return part
    }

    /// The next items that fit one frame, or nil if there are none; false in `isKept` if the order
    /// has moved on too far.
    mutating func nextItems(from recent: RecentItems) -> (items: [OrderedItem], isKept: Bool) {
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
