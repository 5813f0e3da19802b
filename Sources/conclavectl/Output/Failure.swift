import Conclave

/// A request that failed, told on the standard error: what happened, and what to do next.
enum Failure {
    /// - Parameter command: Which one shows more of what it is about, and its words.
    static func tell(_ error: ConclaveError, json: Bool, see command: String? = nil) {
        guard json else { return Output.error(text(of: error, see: command)) }
        let advice = advice(for: error, see: command).map {
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

    static func text(of error: ConclaveError, see command: String? = nil) -> String {
        let message = error.barrierReport?.text ?? error.message.shown
        guard let advice = advice(for: error, see: command) else { return message }
        return "\(message) (\(advice))"
    }

    private static func advice(for error: ConclaveError, see command: String?) -> String? {
        switch error.code {
        case .disconnected: "is conclaved running? 'conclaved --single' starts one"
        case .unavailable: "see 'conclave status', and the daemon's log"
        case .sessionEnded, .outcomeUnknown:
            "nothing is held; what was to be changed may be: look, then try again"
        case .denied, .quotaExceeded, .unsupported: nil
        default: command.map { "see 'conclave \($0.shown)'" }
        }
    }
}
