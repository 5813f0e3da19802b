import ConclaveBase
import ConclaveWire

/// C7 for latches, by what clients sent and were told alone.
struct LatchChecker {
    private var countDownCounts: [ObjectName: Int] = [:]
    private var removed: Set<ObjectName> = []
    private var opened: Set<ObjectName> = []

    mutating func asked(_ operation: LatchOperation) {
        switch operation.action {
        case .countDown: countDownCounts[operation.name, default: 0] += 1
        case .remove: removed.insert(operation.name)
        case .wait: break
        }
    }

    /// What was told may not have happened in the history that goes on.
    mutating func forgetHistory() { opened = [] }

    /// Somebody was told that it is open, and nobody has ever asked for its removal.
    func mustBeOpen(_ name: ObjectName) -> Bool {
        opened.contains(name) && !removed.contains(name)
    }

    /// - Parameter wasOpen: Somebody had been told so before this was asked for.
    mutating func told(_ state: LatchState, wasOpen: Bool) throws(Violation) {
        if state.remaining == 0 {
            let count = countDownCounts[state.name] ?? 0
            guard count >= Int(state.count) else {
                throw Violation(
                    .barriers, "\(state) is open, and was counted down \(count) times at most")
            }
            opened.insert(state.name)
        } else if wasOpen, mustBeOpen(state.name) {
            throw Violation(.barriers, "latch \(state.name) was open, and then \(state)")
        }
    }
}
