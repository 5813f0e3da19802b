import ConclaveBase
import ConclaveClientCore
import ConclaveWire
import Synchronization

/// What the public API asks of a session.
extension ClientSession {
    /// Connects a call with the task that waits for it, which may be cancelled before there is one.
    private final class Ticket: Sendable {
        enum Phase {
            case new
            case cancelled
            case begun(CallID)
        }

        let phase = Mutex(Phase.new)
    }

    /// `nil`: it is not open.
    var id: SessionID? { enter { state, _, _ in state.core.session?.session } }

    /// The group's answer to `operation`. A task that is cancelled cancels the request in order and
    /// waits for what became of it.
    func answer(
        to operation: Operation, onLoss: OnLoss = .notify, deadline: Instant? = nil
    ) async -> ClientCore.Answer {
        await answer { core, now, effects in
            core.call(
                operation, onLoss: onLoss.action, deadline: deadline, now: now, effects: &effects)
        }
    }

    func answer(to query: ClientCore.Query, deadline: Instant?) async -> ClientCore.Answer {
        await answer { core, now, effects in
            core.query(query, deadline: deadline, now: now, effects: &effects)
        }
    }

    private func answer(
        _ start: (inout ClientCore, Instant, inout [ClientCore.Effect]) -> CallID
    ) async -> ClientCore.Answer {
        let ticket = Ticket()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                begin(ticket, .call(continuation), start)
            }
        } onCancel: {
            cancel(ticket)
        }
    }

    /// As `answer(to:)`, but the task's cancellation does not reach it.
    func answerRegardless(to operation: Operation) async -> ClientCore.Answer {
        await withCheckedContinuation { continuation in
            begin(Ticket(), .call(continuation)) { core, now, effects in
                core.call(operation, deadline: nil, now: now, effects: &effects)
            }
        }
    }

    /// Sends `operation` without waiting for what becomes of it.
    func send(_ operation: Operation) {
        enter { state, now, effects in
            guard !state.isFinished else { return }
            _ = state.core.call(operation, deadline: nil, now: now, effects: &effects)
        }
    }

    /// What `query` reports, until the stream is dropped; only the first unless `isEndless`.
    ///
    /// - Parameter deadline: Of the first report.
    func stream(
        _ query: ClientCore.Query, isEndless: Bool, deadline: Instant? = nil
    ) -> ReportStream {
        let (reports, continuation) = ReportStream.Reports.makeStream()
        let (ticket, flow) = (Ticket(), ReportStream.Flow())
        continuation.onTermination = { [weak self] _ in self?.cancel(ticket) }
        begin(ticket, .stream(continuation, flow, isEndless: isEndless)) { core, now, effects in
            core.query(query, deadline: deadline, now: now, effects: &effects)
        }
        return ReportStream(reports: reports, flow: flow) { [weak self] in self?.resume(ticket) }
    }

    private func resume(_ ticket: Ticket) {
        enter { state, _, effects in
            guard case .begun(let call) = ticket.phase.withLock({ $0 }) else { return }
            state.core.resume(call, effects: &effects)
        }
    }

    private func begin(
        _ ticket: Ticket, _ pending: Pending,
        _ start: (inout ClientCore, Instant, inout [ClientCore.Effect]) -> CallID
    ) {
        enter { state, now, effects in
            let isCancelled = ticket.phase.withLock { phase in
                if case .cancelled = phase { true } else { false }
            }
            if isCancelled {
                state.refuse(pending, .cancelled)
            } else if state.isFinished {
                state.refuse(pending, state.core.failure(after: state.lossReason))
            } else {
                let call = start(&state.core, now, &effects)
                state.pending[call] = pending
                ticket.phase.withLock { $0 = .begun(call) }
            }
        }
    }

    private func cancel(_ ticket: Ticket) {
        enter { state, now, effects in
            let call: CallID? = ticket.phase.withLock { phase in
                if case .begun(let call) = phase { return call }
                phase = .cancelled
                return nil
            }
            guard let call, state.pending[call] != nil else { return }
            if case .stream? = state.pending[call] { state.pending[call] = nil }
            state.core.cancel(call, now: now, effects: &effects)
        }
    }

    /// The states of the session, the present one first.
    func states() -> AsyncStream<SessionState> {
        let (stream, continuation) = AsyncStream<SessionState>.makeStream()
        let number = reader.nextNumber()
        continuation.onTermination = { [weak self] _ in
            self?.enter { state, _, _ in state.removeObserver(number) }
        }
        enter { state, _, _ in state.observe(number, continuation) }
        return stream
    }

    /// What an administrator asks for from now on.
    func notices() -> AsyncStream<Notice> {
        let (stream, continuation) = AsyncStream<Notice>.makeStream(
            bufferingPolicy: .bufferingNewest(64))
        let number = reader.nextNumber()
        continuation.onTermination = { [weak self] _ in
            self?.enter { state, _, _ in state.removeNoticeObserver(number) }
        }
        enter { state, _, _ in state.observe(number, continuation) }
        return stream
    }

    /// Calls `observer` once when the session is lost, at once if it is. Returns the number for
    /// `forgetLossObserver`.
    func whenLost(_ observer: @escaping @Sendable () -> Void) -> UInt64 {
        let number = reader.nextNumber()
        enter { state, _, _ in state.whenLost(number, observer) }
        return number
    }

    func forgetLossObserver(_ number: UInt64) {
        enter { state, _, _ in state.removeLossObserver(number) }
    }

    /// Ends the session in good order; does not wait longer than `patience` for the daemon.
    func close(patience: Interval) async {
        await withCheckedContinuation { continuation in
            beginClosing(patience: patience, continuation)
        }
    }

    func beginClosing(patience: Interval, _ closer: CheckedContinuation<Void, Never>? = nil) {
        enter { state, now, effects in
            if !state.isFinished { state.core.goodbye(now: now, effects: &effects) }
            state.close(by: now.advanced(by: patience), closer)
        }
    }
}
