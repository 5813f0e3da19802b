import ConclaveSimulation
import Synchronization

/// How often each answer was given, and how long the longest operation took.
final class Tally: Sendable {
    private struct State {
        var counts: [String: Int] = [:]
        var openCount = 0
        var longest: (nanoseconds: UInt64, what: String) = (0, "nothing")
    }

    private let state = Mutex(State())

    func began() {
        state.withLock { $0.openCount += 1 }
    }

    func ended(_ call: Life.Call, with answer: HistoryAnswer) {
        let took = HistoryClock.nanoseconds - call.began
        state.withLock { state in
            state.openCount -= 1
            state.counts[answer.kind, default: 0] += 1
            if took > state.longest.nanoseconds { state.longest = (took, call.description) }
        }
    }

    /// A line an answer, in the order of their names: `granted 12`.
    var lines: [String] {
        state.withLock { state in
            state.counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" } + [
                "unanswered \(state.openCount)",
                "longest \(state.longest.nanoseconds / 1_000_000) ms: \(state.longest.what)",
            ]
        }
    }
}

extension HistoryAnswer {
    /// Its name without what belongs to it.
    fileprivate var kind: String {
        switch self {
        case .granted: "granted"
        case .busy: "busy"
        case .elected: "elected"
        case .done: "done"
        case .tripped: "tripped"
        case .broken: "broken"
        case .cancelled: "cancelled"
        case .unknown: "unknown"
        case .refused(let code): "refused-\(code)"
        case .written: "written"
        case .mismatched: "mismatched"
        }
    }
}
