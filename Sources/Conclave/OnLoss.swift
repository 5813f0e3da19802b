import ConclaveBase
import ConclaveWire

/// What the daemon of this host does to this process when a lock or term is about to be lost, so that
/// the process does nothing more once somebody else has it.
///
/// It is done a second before the deadline, or a quarter of the session's ttl if that is less; and when
/// an administrator takes what is held, before it is given to the next. It is done to the whole process,
/// and only to the one that opened the session: not to what that has started.
public struct OnLoss: Hashable, Sendable, CustomStringConvertible {
    let action: LossAction
    public let description: String

    /// Nothing: the work is cancelled at the deadline, and a fencing token protects what is written.
    public static let notify = OnLoss(action: .notify, description: "notify")
    /// SIGTERM: the process has that second to come to an end. If the session is extended after all,
    /// the signal is not taken back.
    public static let signal = OnLoss(action: .signal, description: "signal")
    /// SIGSTOP: the process stands still, and its session ends at the deadline. Nobody lets it go on
    /// but an administrator, by SIGCONT; it finds then that it has lost what it held.
    public static let freeze = OnLoss(action: .freeze, description: "freeze")
    /// SIGKILL.
    public static let kill = OnLoss(action: .kill, description: "kill")

    /// How long before the deadline of a session with that ttl somebody is stopped.
    package static func margin(of ttl: Duration) -> Duration {
        Duration(LossAction.margin(of: Interval(ttl)))
    }
}
