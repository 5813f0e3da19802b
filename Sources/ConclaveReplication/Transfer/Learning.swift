import DequeModule
import ConclaveBase
import ConclaveGroup

/// A member's way back: what it has been sent and not taken yet, and what it waits for. A class, so
/// that a turn without one need not know how large a state is.
final class Learning<Machine: StateMachine> {
    enum Step {
        case snapshotPart([UInt8])
        case item(OrderedItem)
        case level(Epoch, trim: [UInt64])

        /// As the teacher counts it.
        var byteCount: UInt64 {
            switch self {
            case .snapshotPart(let bytes): UInt64(bytes.count)
            case .item(let item): UInt64(item.byteCount)
            case .level: 0
            }
        }
    }

    enum Wait: Equatable {
        case nothing
        /// There is no room for another part of the snapshot on its way to the disk.
        case room
        /// The snapshot is being written.
        case snapshot
        /// Everything journalled must be synced before the next view is recorded, or before more
        /// piles up.
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
    private var steps: Deque<Step> = []
    private var stepByteCount: UInt64 = 0
    var wait = Wait.nothing
    /// What the teacher may count as arrived where it belongs.
    private(set) var takenByteCount: UInt64 = 0
    /// What the teacher was told of that; nil: it is to be told anew.
    var toldByteCount: UInt64?
    var lastHeard: Instant
    var reportedReady = Instant.distantPast

    init(teacher: NodeID, id: UInt64, now: Instant) {
        self.teacher = teacher
        self.id = id
        lastHeard = now
    }

    /// - Returns: False if a teacher that keeps to its window could not have sent that much.
    func put(_ step: Step) -> Bool {
        steps.append(step)
        stepByteCount += step.byteCount
        let bound = 2 * Teaching<Machine>.window
        return stepByteCount <= bound && steps.count <= bound / UInt64(JournalRecord.overhead)
    }

    func take() -> Step? {
        guard let step = steps.popFirst() else { return nil }
        stepByteCount -= step.byteCount
        takenByteCount += step.byteCount
        return step
    }

    /// The step cannot be taken before the wait is over.
    func putBack(_ step: Step, until wait: Wait) {
        steps.prepend(step)
        stepByteCount += step.byteCount
        takenByteCount -= step.byteCount
        self.wait = wait
    }

    var isCaughtUp: Bool { steps.isEmpty && wait == .nothing && incoming == nil }
}
