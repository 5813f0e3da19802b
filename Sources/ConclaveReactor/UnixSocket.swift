import CConclaveLinux
import Glibc

/// Non-blocking Unix stream sockets. A path over 107 bytes fails with ENAMETOOLONG.
package enum UnixSocket {
    package struct Credentials: Equatable, Sendable {
        package var process: Int32
        package var user: UInt32
        package var group: UInt32
    }

    package enum Answer: Equatable, Sendable {
        /// Somebody listens there.
        case answered
        /// A socket file that nobody listens on any more.
        case stale
        /// There is no file.
        case absent
    }

    /// Makes the socket file with permissions `mode` and listens. A file that is there already is
    /// EADDRINUSE.
    package static func listen(
        at path: String, mode: UInt32, backlog: Int32 = 128
    ) throws(SystemError) -> Descriptor {
        let socket = try make()
        _ = try SystemError.check(unsafe conclave_linux_unix_bind(socket.number, path), "bind")
        // Nobody can connect before the socket listens, so its mode is right from the start.
        if unsafe chmod(path, mode) != 0 {
            let number = errno
            _ = unsafe unlink(path)
            throw SystemError(call: "chmod", number: number)
        }
        _ = try SystemError.check(conclave_linux_listen(socket.number, backlog), "listen")
        return socket
    }

    /// The next connection that waits, if one does. Errors such as EMFILE leave it waiting.
    package static func accept(from listener: Descriptor) throws(SystemError) -> Descriptor? {
        while true {
            let number = conclave_linux_unix_accept(listener.number)
            if number >= 0 { return Descriptor(owning: number) }
            switch -number {
            case EAGAIN: return nil
            case EINTR, ECONNABORTED: continue
            default: throw SystemError(call: "accept4", number: -number)
            }
        }
    }

    /// A connected socket. EAGAIN: the listener's queue is full.
    package static func connect(to path: String) throws(SystemError) -> Descriptor {
        let socket = try make()
        let result = unsafe conclave_linux_unix_connect(socket.number, path)
        _ = try SystemError.check(result, "connect")
        return socket
    }

    /// Whether anybody listens at `path`.
    package static func probe(_ path: String) throws(SystemError) -> Answer {
        do {
            _ = try connect(to: path)
            return .answered
        } catch {
            switch error.number {
            case EAGAIN: return .answered
            case ECONNREFUSED: return .stale
            case ENOENT: return .absent
            default: throw error
            }
        }
    }

    /// Who made the connection, as the kernel recorded it at that time.
    package static func credentials(
        ofPeer socket: Descriptor
    ) throws(SystemError) -> Credentials {
        var raw = conclave_linux_credentials()
        let result = unsafe conclave_linux_peer_credentials(socket.number, &raw)
        _ = try SystemError.check(result, "getsockopt")
        return Credentials(process: raw.process, user: raw.user, group: raw.group)
    }

    /// A pidfd of the process that made the connection: readable once that process is dead.
    /// ESRCH: it already is.
    ///
    /// Kernels without SO_PEERPIDFD (before 6.5) are asked by process id, which may by then be
    /// another process: then only a peer that is alive *after* this call is known to be the one.
    package static func process(ofPeer socket: Descriptor) throws(SystemError) -> Descriptor {
        let direct = conclave_linux_peer_pidfd(socket.number)
        if direct >= 0 { return Descriptor(owning: direct) }
        guard -direct == ENOPROTOOPT else {
            // A peer that was already reaped is told in more than one way.
            let number = -direct == EINVAL || -direct == ENODATA ? ESRCH : -direct
            throw SystemError(call: "getsockopt", number: number)
        }
        let process = try credentials(ofPeer: socket).process
        return Descriptor(
            owning: try SystemError.check(conclave_linux_pidfd_open(process), "pidfd_open"))
    }

    private static func make() throws(SystemError) -> Descriptor {
        Descriptor(owning: try SystemError.check(conclave_linux_unix_socket(), "socket"))
    }
}
