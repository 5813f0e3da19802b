import ConclaveClientCore
import Synchronization

/// What a query reports, one after the other, until it is dropped.
///
/// Reports that are not taken are kept, but no more than some thousands: then the daemon is told to stop,
/// and goes on from there once half of them are taken. So whoever follows without reading keeps no more than
/// that, and learns in time that it has missed something, if it is away for too long.
struct ReportStream: AsyncSequence, Sendable {
    typealias Reports = AsyncThrowingStream<ClientCore.Report, any Error>

    /// How many reports were told and not taken, and whether more are told.
    final class Flow: Sendable {
        private static let maximumCount = 4_096

        private struct State {
            var count = 0
            var isPaused = false
        }

        private let state = Mutex(State())

        /// Returns whether there are too many now.
        func told() -> Bool {
            state.withLock { state in
                state.count += 1
                guard state.count >= Self.maximumCount, !state.isPaused else { return false }
                state.isPaused = true
                return true
            }
        }

        /// Returns whether there is room for more now, after there was none.
        func taken() -> Bool {
            state.withLock { state in
                state.count -= 1
                guard state.isPaused, state.count <= Self.maximumCount / 2 else { return false }
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
            if report != nil, flow.taken() { resume() }
            return report
        }
    }
}
