import ConclaveBase
import ConclaveClientCore
import ConclaveWire

/// How it stands with a session, and so with everything that it holds.
public enum SessionState: Equatable, Sendable {
    case healthy
    /// The daemon is gone, or outside the majority. What is held stays valid until that instant,
    /// unless things get better before.
    case jeopardy(until: ContinuousClock.Instant, reason: String)
    /// Final: nothing is held any more. Connect anew.
    case lost(reason: String)

    init(_ state: ClientCore.ClientState) {
        switch state {
        case .healthy: self = .healthy
        case .jeopardy(let until, let reason):
            self = .jeopardy(until: BootClock.continuous(until), reason: reason)
        case .lost(let reason): self = .lost(reason: reason.sentence)
        }
    }
}

extension ClientCore.LossReason {
    var sentence: String {
        switch self {
        case .ended(.goodbye): "the session was closed"
        case .ended(.died): "the group saw this process die"
        case .ended(.expired): "the session's validity ran out"
        case .ended(.hostLost): "this host left the group and the session was not resumed in time"
        case .ended(.forced): "an administrator has ended the session"
        case .deadlinePassed: "the daemon did not extend the session in time"
        case .daemonGone(let reason): "the daemon did not come back in time: \(reason)"
        case .refused(let refusal): refusal.message
        }
    }
}
