import Glibc

/// Who may read from the terminal: a command in a group of its own must be made the foreground one,
/// or its first read stops it.
struct Terminal {
    private let ownGroup = getpgrp()

    /// Makes the group of `child` the foreground one, if this program's is.
    func give(to child: ChildProcess) {
        guard isatty(STDIN_FILENO) == 1, tcgetpgrp(STDIN_FILENO) == ownGroup else { return }
        tcsetpgrp(STDIN_FILENO, child.pid)
        // It may have been stopped because it read before that.
        child.signalGroup(SIGCONT)
    }

    /// Takes the terminal back from `child`. SIGTTOU must be blocked.
    func takeBack(from child: ChildProcess) {
        guard isatty(STDIN_FILENO) == 1, tcgetpgrp(STDIN_FILENO) == child.pid else { return }
        tcsetpgrp(STDIN_FILENO, ownGroup)
    }

    /// Stops this program with its group, as the terminal would have done, so that the shell
    /// notices; returns when the shell lets it go on.
    func stopWithGroup() {
        kill(0, SIGTSTP)
    }
}
