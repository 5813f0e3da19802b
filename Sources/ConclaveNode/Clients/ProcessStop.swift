import CConclaveLinux
import ConclaveCoordination
import ConclaveReactor
import ConclaveWire
import Glibc

/// What is done to a client's process that is about to lose what it holds.
///
/// Only to the very process that opened the session, by its pidfd, so that a number that was given to
/// another process hits nobody; and nothing that the user who opened it could not do: a program that
/// has become another user's since, as by `sudo`, is left alone.
enum ProcessStop: Equatable {
    case end
    case freeze
    case kill

    enum Outcome: Equatable {
        case done
        case isDead
        case failed(String)
    }

    init?(_ action: LossAction) {
        switch action {
        case .notify: return nil
        case .signal: self = .end
        case .freeze: self = .freeze
        case .kill: self = .kill
        }
    }

    var name: String {
        switch self {
        case .end: "SIGTERM"
        case .freeze: "SIGSTOP"
        case .kill: "SIGKILL"
        }
    }

    private var signal: Int32 {
        switch self {
        case .end: SIGTERM
        case .freeze: SIGSTOP
        case .kill: SIGKILL
        }
    }

    /// Whether this daemon may signal the process.
    static func isPossible(_ process: Descriptor) -> Bool {
        conclave_linux_pidfd_send_signal(process.number, 0) != -EPERM
    }

    func perform(on process: Descriptor, _ identity: ProcessIdentity) -> Outcome {
        let status = FileBytes.text("/proc/\(identity.pid)/status") ?? ""
        // What is read is about the process if that can still be signalled afterwards.
        let users = ProcessText.users(status: status)
        if let users, !users.mayBeSignalled(by: identity.uid) {
            return .failed("it runs as another user than the one who opened the session")
        }
        let result = conclave_linux_pidfd_send_signal(process.number, users == nil ? 0 : signal)
        switch result {
        case 0 where users == nil: return .failed("its user is not known")
        case 0: return .done
        case -ESRCH: return .isDead
        default:
            return .failed(unsafe String(cString: conclave_linux_error_text(-result)))
        }
    }
}
