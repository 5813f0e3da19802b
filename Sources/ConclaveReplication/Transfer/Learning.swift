import DequeModule
import ConclaveBase
import ConclaveGroup

/// A member's way back: what it has been sent and not taken yet, and what it waits for.
struct Learning {
    enum Step: Equatable {
        case snapshot(Snapshot)
        case item(OrderedItem)
        case level(Epoch, trim: [UInt64])
    }

    enum Wait: Equatable {
        case nothing
        /// The snapshot is being written.
        case snapshot(Snapshot)
        /// Everything journalled must be synced before the next view is recorded.
        case journal
        /// A view is being recorded; then it is applied.
        case view
        /// That this incarnation is ready to be let in is being recorded.
        case joining(Epoch, trim: [UInt64], tag: UInt64)
    }

    var teacher: NodeID
    var id: UInt64
    var incoming: Snapshot?
    var steps: Deque<Step> = []
    var wait = Wait.nothing
    var takenByteCount: UInt64 = 0
    var lastHeard: Instant
    var reportedReady = Instant.distantPast

    init(teacher: NodeID, id: UInt64, now: Instant) {
        self.teacher = teacher
        self.id = id
        lastHeard = now
    }

    var isCaughtUp: Bool { steps.isEmpty && wait == .nothing && incoming == nil }
}
