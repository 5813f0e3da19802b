import CConclaveLinux
import Glibc

/// A command that runs in a process group of its own, and that does not outlive this program: the
/// kernel kills it when the main thread, which must start it, ends.
struct ChildProcess {
    enum End: Equatable {
        case exited(Int32)
        case killed(signal: Int32)
    }

    enum Change: Equatable {
        case ended(End)
        case stopped
    }

    struct StartFailure: Error {
        /// The errno of `exec`, or of `fork`.
        var number: Int32
    }

    let pid: pid_t
    /// Readable once it has ended.
    let descriptor: Int32

    /// - Parameter arguments: The program, looked up in PATH, and its arguments.
    init(_ arguments: CommandWords) throws(StartFailure) {
        let pid = Self.spawn(arguments.words)
        guard pid > 0 else { throw StartFailure(number: -pid) }
        self.pid = pid
        descriptor = conclave_linux_pidfd_open(pid)
    }

    private static func spawn(_ arguments: [[CChar]]) -> pid_t {
        var pointers = unsafe arguments.map { unsafe strdup($0) }
        unsafe pointers.append(nil)
        defer { unsafe pointers.forEach { unsafe free($0) } }
        return unsafe conclave_linux_spawn(&pointers)
    }

    /// To the whole group, unless it is gone.
    func signalGroup(_ signal: Int32) {
        _ = kill(-pid, signal)
    }

    /// What has become of it since the last call. While it only has ended its number stays taken;
    /// `beforeReaping` is called then, when its group can still be signalled safely.
    func change(beforeReaping: () -> Void) -> Change? {
        var about = unsafe siginfo_t()
        let options = WEXITED | WSTOPPED | WNOHANG | WNOWAIT
        guard unsafe waitid(P_PID, id_t(pid), &about, options) == 0, unsafe about.si_signo != 0
        else { return nil }
        if unsafe about.si_code != CLD_STOPPED { beforeReaping() }
        var status: Int32 = 0
        guard unsafe waitpid(pid, &status, WUNTRACED | WNOHANG) == pid else { return nil }
        return Self.change(status)
    }

    /// Layout of a wait status: the low seven bits are the signal, 0x7F says stopped.
    private static func change(_ status: Int32) -> Change {
        let signal = status & 0x7F
        if signal == 0x7F { return .stopped }
        return .ended(signal == 0 ? .exited(status >> 8 & 0xFF) : .killed(signal: signal))
    }
}
