import ArgumentParser
import Conclave

/// Whose history: that of a lock or semaphore, of a leader slot, of a lease or of a barrier.
enum HistoryKindArgument: String, ExpressibleByArgument, CaseIterable {
    case lock
    case slot
    case lease
    case barrier

    var kind: ObjectStatus.Kind {
        switch self {
        case .lock: .lock
        case .slot: .leaderSlot
        case .lease: .lease
        case .barrier: .barrier
        }
    }
}
