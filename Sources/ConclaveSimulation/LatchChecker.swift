import ConclaveBase
import ConclaveWire

/// C7 for latches, by what clients sent and were told alone.
struct LatchChecker {
    private var countDownCounts: [ObjectName: Int] = [:]
    private var removed: Set<ObjectName> = []
    private var opened: Set<ObjectName> = []
    /// Grows when what was told may not count any more.
    private var historyCount = 0

    mutating func asked(_ operation: LatchOperation) {
        switch operation.action {
        case .countDown: countDownCounts[operation.name, default: 0] += 1
        case .remove: removed.insert(operation.name)
        case .wait: break
        }
    }

    /// What was told may not have happened in the history that goes on.
    mutating func forgetHistory() {
        opened = []
        historyCount += 1
    }

    /// In which history somebody was told that it is open, if nobody has ever asked for its removal.
    func openedIn(_ name: ObjectName) -> Int? {
        opened.contains(name) && !removed.contains(name) ? historyCount : nil
    }

    /// - Parameter openedIn: As it was when this was asked for.
    mutating func told(_ state: LatchState, openedIn history: Int?) throws(Violation) {
        if state.remaining == 0 {
            let count = countDownCounts[state.name] ?? 0
            guard count >= Int(state.count) else {
                throw Violation(
                    .barriers, "\(state) is open, and was counted down \(count) times at most")
            }
            opened.insert(state.name)
        } else if let history, openedIn(state.name) == history {
            throw Violation(.barriers, "latch \(state.name) was open, and then \(state)")
        }
    }
}
