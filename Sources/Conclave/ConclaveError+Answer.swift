import ConclaveClientCore
import ConclaveWire

extension ConclaveError {
    /// Why `answer` is not what was asked for; `nil` if it is.
    static func failure(of answer: ClientCore.Answer) -> (any Error)? {
        switch answer {
        case .report: nil
        case .reply(let reply): failure(of: reply)
        case .failed(let failure): error(for: failure)
        }
    }

    private static func failure(of reply: Reply) -> (any Error)? {
        switch reply {
        case .granted, .grantedAll, .elected, .done, .tripped, .cancelOutcome, .written, .leased,
            .joined, .sent, .counted:
            nil
        case .busy(let holder):
            ConclaveError(
                .busy, holder.map { "held by session \($0)" } ?? "not free, though nobody holds it")
        case .broken(let report): ConclaveError(BarrierReport(report))
        case .cancelled: CancellationError()
        case .refused(let refusal): ConclaveError(refusal)
        case .leaseTaken(let grant):
            ConclaveError(.busy, "\(grant.holder) has the lease under token \(grant.token)")
        case .mismatched(let mismatch): ConclaveError(ConfigurationConflict(mismatch))
        }
    }

    private static func error(for failure: ClientCore.ClientFailure) -> any Error {
        switch failure {
        case .cancelled: CancellationError()
        case .timedOut: ConclaveError(.timedOut, "not obtained in time; the waiting was cancelled")
        case .outcomeUnknown:
            ConclaveError(.outcomeUnknown, "no answer came; it may have been done, or not")
        case .unavailable(let reason): ConclaveError(.unavailable, reason)
        case .sessionLost(let reason): ConclaveError(.sessionEnded, reason.sentence)
        case .refused(let refusal): ConclaveError(refusal)
        }
    }

    /// An answer of a kind that this request never has.
    static func unexpected(_ answer: ClientCore.Answer) -> any Error {
        failure(of: answer) ?? ConclaveError(.unsupported, "the daemon's answer is of another kind")
    }

    private init(_ refusal: Refusal) {
        let code: Code =
            switch refusal.code {
            case .invalid: .invalid
            case .denied: .denied
            case .quotaExceeded: .quotaExceeded
            case .deadlock: .deadlock
            case .notHeld: .notHeld
            case .sessionEnded: .sessionEnded
            case .alreadyHeld: .alreadyHeld
            case .unavailable: .unavailable
            case .unsupported, .malformed: .unsupported
            case .refused: .refused
            case .outcomeUnknown: .outcomeUnknown
            case .historyGone: .historyGone
            }
        self.init(code, refusal.message)
    }
}
