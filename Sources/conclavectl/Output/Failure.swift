import Conclave

/// A request that failed, told on the standard error: what happened, and what to do next.
enum Failure {
    /// - Parameter name: What it is about, if that is one thing.
    static func tell(_ error: ConclaveError, json: Bool, about name: String? = nil) {
        guard json else { return Output.error(text(of: error, about: name)) }
        let advice = advice(for: error, about: name).map {
            JSON.Member(name: "advice", value: .string($0))
        }
        Output.standardError(JSON.object(error.members + [advice].compactMap { $0 }).description)
    }

    /// - Parameter code: What kind of failure it is, in JSON.
    static func tell(_ sentence: String, code: String, json: Bool) {
        guard json else { return Output.error(sentence) }
        Output.standardError(
            JSON.object(["error": .string(code), "message": .string(sentence)]).description)
    }

    static func text(of error: ConclaveError, about name: String? = nil) -> String {
        let message = error.barrierReport?.text ?? error.message.shown
        guard let advice = advice(for: error, about: name) else { return message }
        return "\(message) (\(advice))"
    }

    private static func advice(for error: ConclaveError, about name: String?) -> String? {
        switch error.code {
        case .disconnected: "is conclaved running? 'conclaved --single' starts one"
        case .unavailable: "see 'conclave status', and the daemon's log"
        case .busy, .timedOut, .deadlock: name.map { "see 'conclave why \($0.shown)'" }
        case .sessionEnded, .outcomeUnknown:
            "nothing is held; what was to be changed may be: look, then try again"
        default: nil
        }
    }
}
