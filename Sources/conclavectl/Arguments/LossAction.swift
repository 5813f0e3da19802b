import ArgumentParser

/// What becomes of a command when what is held for it goes.
enum LossAction: String, ExpressibleByArgument, CaseIterable, Sendable {
    /// It goes on; only this program says so.
    case notify
    /// SIGTERM in time before the deadline, SIGKILL at the deadline.
    case signal
    /// SIGSTOP in time before the deadline. Nobody lets it go on but an administrator, by SIGCONT.
    case freeze
    /// SIGKILL in time before the deadline.
    case kill
}
