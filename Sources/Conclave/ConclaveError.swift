/// Why a request to the group failed.
///
/// `code` is for programs: new codes may be added, so a `switch` over it needs a default. `message`
/// is for people and may change at any release.
public struct ConclaveError: Error, Sendable, CustomStringConvertible {
    public let code: Code
    public let message: String
    /// Who broke the barrier, and who is missing; only with `barrierBroken`.
    public let barrierReport: BarrierReport?
    /// What was there instead; only with `compareFailed`.
    public let conflict: ConfigurationConflict?

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
        barrierReport = nil
        conflict = nil
    }

    init(_ report: BarrierReport) {
        code = .barrierBroken
        message = report.message
        barrierReport = report
        conflict = nil
    }

    init(
        _ conflict: ConfigurationConflict, demanded: ConfigurationCompare.Expectation? = nil
    ) {
        code = .compareFailed
        let found = conflict.found.map { "was put at version \($0.modified)" } ?? "is absent"
        message =
            "key \(conflict.key) \(found)" + (demanded.map { ", and was to be \($0)" } ?? "")
        barrierReport = nil
        self.conflict = conflict
    }

    public var description: String { "\(code): \(message)" }
}

extension ConclaveError {
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The number the C interface uses; below 32 also that of an error frame.
        public let number: Int32
        public let description: String

        public static func == (lhs: Self, rhs: Self) -> Bool { lhs.number == rhs.number }

        public func hash(into hasher: inout Hasher) { hasher.combine(number) }

        /// A name, value or number that the group does not take. Nothing was changed.
        public static let invalid = Code(number: 1, description: "invalid")
        /// The daemon does not let this user do it.
        public static let denied = Code(number: 2, description: "denied")
        /// More than the daemon allows a user, or has room for. Nothing was changed.
        public static let quotaExceeded = Code(number: 3, description: "quota exceeded")
        /// Waiting would never have ended; the message names the circle. Nothing is held or
        /// awaited.
        public static let deadlock = Code(number: 4, description: "deadlock")
        /// What was to be released is not held under this token.
        public static let notHeld = Code(number: 5, description: "not held")
        /// The session is over while nothing was held under this call; everything else the session
        /// held is gone too. Connect anew.
        public static let sessionEnded = Code(number: 6, description: "session ended")
        /// This session holds or awaits it already: there is no silent nesting. See `Lock.nested`.
        public static let alreadyHeld = Code(number: 7, description: "already held")
        /// The daemon cannot answer, usually because it is outside the majority. Nothing was
        /// changed; trying again is safe.
        public static let unavailable = Code(number: 8, description: "unavailable")
        /// The daemon does not know this request: it is older than the library.
        public static let unsupported = Code(number: 9, description: "unsupported")

        /// It cannot be as things are; the message says why. Nothing was changed.
        public static let refused = Code(number: 11, description: "refused")

        /// The moment that was asked for lies before the history that is kept.
        public static let historyGone = Code(number: 13, description: "history gone")

        /// Not obtained in time; the waiting was cancelled, in order. Nothing is held.
        public static let timedOut = Code(number: 32, description: "timed out")
        /// Held by somebody else, and the request was a try.
        public static let busy = Code(number: 33, description: "busy")
        /// It was held, and is not any more: another may hold it now.
        public static let lost = Code(number: 34, description: "lost")
        /// The request may or may not have taken effect, and nobody can say any more.
        public static let outcomeUnknown = Code(number: 35, description: "outcome unknown")
        /// A generation of a barrier broke; `barrierReport` says why.
        public static let barrierBroken = Code(number: 36, description: "barrier broken")
        /// No daemon answers at the socket.
        public static let disconnected = Code(number: 37, description: "disconnected")
        /// A key was not as a change of the configuration demanded; `conflict` says what it was.
        /// Nothing was changed.
        public static let compareFailed = Code(number: 38, description: "compare failed")
    }
}
