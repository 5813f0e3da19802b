import ConclaveClientCore
import ConclaveWire
import Synchronization

/// What a query reports, one after the other, until it is dropped.
///
/// Reports that are not taken are kept, but not much more than 4 MiB of them, 4,096 at most: then the daemon
/// is told to stop, and goes on from there once half of it is taken. So whoever follows without reading keeps
/// no more than that, and learns in time that it has missed something, if it is away for too long.
struct ReportStream: AsyncSequence, Sendable {
    typealias Reports = AsyncThrowingStream<ClientCore.Report, any Error>

    /// What was told and not taken, in bytes, and whether more is told.
    final class Flow: Sendable {
        private static let maximumByteCount = 4 << 20

        private struct State {
            var byteCount = 0
            var isPaused = false
        }

        private let state = Mutex(State())

        /// Returns whether it is too much now.
        func told(_ report: ClientCore.Report) -> Bool {
            state.withLock { state in
                state.byteCount += report.byteCount
                guard state.byteCount >= Self.maximumByteCount, !state.isPaused else {
                    return false
                }
                state.isPaused = true
                return true
            }
        }

        /// Returns whether there is room for more now, after there was none.
        func taken(_ report: ClientCore.Report) -> Bool {
            state.withLock { state in
                state.byteCount -= report.byteCount
                guard state.isPaused, state.byteCount <= Self.maximumByteCount / 2 else {
                    return false
                }
                state.isPaused = false
                return true
            }
        }
    }

    let reports: Reports
    let flow: Flow
    let resume: @Sendable () -> Void

    func makeAsyncIterator() -> Iterator {
        Iterator(reports: reports.makeAsyncIterator(), flow: flow, resume: resume)
    }

    struct Iterator: AsyncIteratorProtocol {
        var reports: Reports.Iterator
        let flow: Flow
        let resume: @Sendable () -> Void

        mutating func next(
            isolation actor: isolated (any Actor)? = #isolation
        ) async throws -> ClientCore.Report? {
            let report = try await reports.next(isolation: actor)
            if let report, flow.taken(report) { resume() }
            return report
        }
    }
}

extension ClientCore.Report {
    /// What it takes, about: of a report, and beside that of each thing in it.
    fileprivate var byteCount: Int {
        let (own, each) = (1_024, 128)
        return switch self {
        case .keyUpdate(.state(let entries, _, _)):
            entries.reduce(own) { $0 + each + $1.value.count }
        case .keyUpdate(.changes(let changes, _)):
            changes.reduce(own) { sum, change in
                if case .put(_, let value) = change.kind {
                    sum + each + value.count
                } else {
                    sum + each
                }
            }
        case .groupUpdates(let updates): updates.reduce(own) { $0 + each + $1.byteCount }
        case .leader(let state): state.leaders.reduce(own) { $0 + each + $1.value.count }
        default: own
        }
    }
}

extension ClientCore.GroupUpdate {
    fileprivate var byteCount: Int {
        switch self {
        case .state(let picture, _), .view(let picture, _, _, _), .adopted(let picture, _, _):
            128 * picture.members.count
        case .message(let delivery): delivery.message.payload.count
        case .provided(let state): state.payload.count
        case .over: 0
        }
    }
}
