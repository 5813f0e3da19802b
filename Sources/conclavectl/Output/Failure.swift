import Conclave

/// A request that failed, told on the standard error: what happened, and what to do next.
enum Failure {
    /// - Parameter name: What it is about, if that is one thing.
    static func tell(_ error: ConclaveError, json: Bool, about name: String? = nil) {
        if json {
            Output.standardError(error.json.description)
        } else {
            Output.error(text(of: error, about: name))
        }
    }

    static func text(of error: ConclaveError, about name: String? = nil) -> String {
        let message = error.barrierReport?.text ?? error.message.shown
        guard let advice = advice(for: error.code, about: name) else { return message }
        return "\(message) (\(advice))"
    }

    private static func advice(for code: ConclaveError.Code, about name: String?) -> String? {
        switch code {
        case .disconnected: "is conclaved running? 'conclaved --single' starts one"
        case .unavailable: "see 'conclave status'"
        case .busy, .timedOut, .deadlock: "see 'conclave why \(name?.shown ?? "NAME")'"
        case .sessionEnded, .outcomeUnknown:
            "nothing is held; what was to be changed may be: look, then try again"
        default: nil
        }
    }
}
