import DequeModule
import ConclaveBase
import ConclaveGroup

/// A member's way back: what it has been sent and not taken yet, and what it waits for.
struct Learning<Machine: StateMachine> {
    enum Step {
        case snapshotPart([UInt8])
        case item(OrderedItem)
        case level(Epoch, trim: [UInt64])
    }

    enum Wait: Equatable {
        case nothing
        /// There is no room for another part of the snapshot on its way to the disk.
        case room
        /// The snapshot is being written.
        case snapshot
        /// Everything journalled must be synced before the next view is recorded.
        case journal
        /// A view is being recorded; then it is applied.
        case view
        /// That this incarnation is ready to be let in is being recorded.
        case joining(Epoch, trim: [UInt64], tag: UInt64)
    }

    /// A state that comes in parts, and goes to the disk as it comes.
    struct Incoming {
        let header: SnapshotHeader
        var reader: SnapshotReader<Machine>
        /// Its file is begun.
        var isBegun = false
    }

    var teacher: NodeID
    var id: UInt64
    var incoming: Incoming?
    var steps: Deque<Step> = []
    var wait = Wait.nothing
    var takenByteCount: UInt64 = 0
    /// What the teacher was told of that; nil: it is to be told anew.
    var toldByteCount: UInt64?
    var lastHeard: Instant
    var reportedReady = Instant.distantPast

    init(teacher: NodeID, id: UInt64, now: Instant) {
        self.teacher = teacher
        self.id = id
        lastHeard = now
    }

    var isCaughtUp: Bool { steps.isEmpty && wait == .nothing && incoming == nil }
}
