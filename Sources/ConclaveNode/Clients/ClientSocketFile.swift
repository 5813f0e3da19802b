import ConclaveReactor
import Glibc

/// Makes the socket that clients connect to, or takes the one that the service manager made.
struct ClientSocketFile {
    static let group = "conclave"

    let listener: Descriptor
    let path: String
    /// The service manager made it and keeps it.
    let isActivated: Bool
    /// The group that may connect does not exist, or this user may not give files to it.
    let lacksGroup: Bool

    /// - Parameter isShared: Whether members of `group` may connect, or only this user.
    init(path: String, isShared: Bool, passed: Descriptor?) throws(StartFault) {
        self.path = path
        if let passed {
            listener = passed
            isActivated = true
            lacksGroup = false
            return
        }
        try Self.makeWay(path)
        do throws(SystemError) {
            listener = try UnixSocket.listen(at: path, mode: 0o600, backlog: 1_024)
        } catch {
            let isTaken = error.number == EADDRINUSE
            throw StartFault(
                isTaken ? .addressInUse : .data, "cannot listen on the socket \(path): \(error)")
        }
        isActivated = false
        lacksGroup = isShared ? !Self.share(path) : false
    }

    /// The path goes with the daemon, unless it is the service manager's.
    func remove() {
        if !isActivated { _ = unsafe unlink(path) }
    }

    /// Removes what a daemon that died left behind; whoever answers, or is no socket, stays.
    private static func makeWay(_ path: String) throws(StartFault) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw StartFault(.addressInUse, "\(path) is there and is no socket")
        }
        let answer: UnixSocket.Answer
        do throws(SystemError) {
            answer = try UnixSocket.probe(path)
        } catch {
            throw StartFault(.addressInUse, "cannot tell who uses the socket \(path): \(error)")
        }
        switch answer {
        case .answered:
            throw StartFault(.addressInUse, "another daemon answers on the socket \(path)")
        case .stale: _ = unsafe unlink(path)
        case .absent: break
        }
    }

    private static func share(_ path: String) -> Bool {
        guard let entry = unsafe getgrnam(group) else { return false }
        return unsafe chown(path, uid_t.max, entry.pointee.gr_gid) == 0
            && chmod(path, 0o660) == 0
    }
}
