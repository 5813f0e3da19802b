import ConclaveClientCore

/// What is done when a session's lock is released, since it may run code that is not ours or come
/// back to the session.
enum Afterwards: Sendable {
    case answer(CheckedContinuation<ClientCore.Answer, Never>, ClientCore.Answer)
    case endStream(ClientSession.ReportStream.Continuation, (any Error)?)
    case endStates(AsyncStream<SessionState>.Continuation)
    case endNotices(AsyncStream<Notice>.Continuation)
    case lost(@Sendable () -> Void)
    case closed(CheckedContinuation<Void, Never>)

    func perform() {
        switch self {
        case .answer(let continuation, let answer): continuation.resume(returning: answer)
        case .endStream(let continuation, let error): continuation.finish(throwing: error)
        case .endStates(let continuation): continuation.finish()
        case .endNotices(let continuation): continuation.finish()
        case .lost(let observer): observer()
        case .closed(let continuation): continuation.resume()
        }
    }
}
