import ArgumentParser
import Conclave

/// Whose history: that of a lock or semaphore, of a leader slot, of a lease or of a barrier.
enum HistoryKindArgument: String, ExpressibleByArgument, CaseIterable {
    case lock
    case slot
    case lease
    case barrier

    /// A leader slot's is also known by what JSON calls it.
    init?(argument: String) {
        self.init(
            rawValue: argument == ObjectStatus.Kind.leaderSlot.description ? "slot" : argument)
    }

    var kind: ObjectStatus.Kind {
        switch self {
        case .lock: .lock
        case .slot: .leaderSlot
        case .lease: .lease
        case .barrier: .barrier
        }
    }
}
