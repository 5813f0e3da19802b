import Conclave

/// A request that failed, told on the standard error: what happened, and what to do next.
enum Failure {
    static func tell(_ error: ConclaveError, json: Bool) {
        if json {
            Output.standardError(error.json.description)
        } else {
            Output.error(text(of: error))
        }
    }

    static func text(of error: ConclaveError) -> String {
        let message = error.barrierReport?.text ?? error.message.shown
        guard let advice = advice(for: error.code) else { return message }
        return "\(message) (\(advice))"
    }

    private static func advice(for code: ConclaveError.Code) -> String? {
        switch code {
        case .disconnected: "is conclaved running? 'conclaved --single' starts one"
        case .unavailable: "see 'conclave status'"
        case .busy, .timedOut, .deadlock: "see 'conclave why NAME'"
        case .sessionEnded, .outcomeUnknown:
            "nothing is held; what was to be changed may be: look, then try again"
        default: nil
        }
    }
}
