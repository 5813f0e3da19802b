import ConclaveClientCore

/// What is done when a session's lock is released: it may run code that is not ours or come back to the
/// session, and whoever wakes a task waits for that task's status, which another thread may hold that
/// cancels it and waits for the session.
///
/// Things are done in the order in which they came about.
enum Afterwards: Sendable {
    case answer(CheckedContinuation<ClientCore.Answer, Never>, ClientCore.Answer)
    case report(ReportStream.Reports.Continuation, ClientCore.Report)
    case state(AsyncStream<SessionState>.Continuation, SessionState)
    case notice(AsyncStream<Notice>.Continuation, Notice)
    case endStream(ReportStream.Reports.Continuation, (any Error)?)
    case endStates(AsyncStream<SessionState>.Continuation)
    case endNotices(AsyncStream<Notice>.Continuation)
    case lost(@Sendable () -> Void)
    case closed(CheckedContinuation<Void, Never>)

    func perform() {
        switch self {
        case .answer(let continuation, let answer): continuation.resume(returning: answer)
        case .report(let continuation, let report): continuation.yield(report)
        case .state(let continuation, let state): continuation.yield(state)
        case .notice(let continuation, let notice): continuation.yield(notice)
        case .endStream(let continuation, let error): continuation.finish(throwing: error)
        case .endStates(let continuation): continuation.finish()
        case .endNotices(let continuation): continuation.finish()
        case .lost(let observer): observer()
        case .closed(let continuation): continuation.resume()
        }
    }
}
