import CConclaveLinux
package import ConclaveBase
import Glibc

/// Non-blocking TCP sockets.
package enum TCPSocket {
    /// Listens; port 0 takes any that is free.
    package static func listen(
        on address: SocketAddress, backlog: Int32 = 128
    ) throws(SystemError) -> Descriptor {
        let socket = try make(address.version)
        _ = try SystemError.check(conclave_linux_reuse_address(socket.number), "setsockopt")
        var raw = address.raw
        _ = try SystemError.check(unsafe conclave_linux_tcp_bind(socket.number, &raw), "bind")
        _ = try SystemError.check(conclave_linux_listen(socket.number, backlog), "listen")
        return socket
    }

    /// The next connection that waits, if one does, with nothing held back (TCP_NODELAY).
    ///
    /// A connection that ended while it waited is passed over. Errors such as EMFILE leave it
    /// waiting: whoever is told of them must stop listening for a while.
    package static func accept(
        from listener: Descriptor
    ) throws(SystemError) -> (socket: Descriptor, peer: SocketAddress)? {
        while true {
            var raw = conclave_linux_address()
            let number = unsafe conclave_linux_tcp_accept(listener.number, &raw)
            if number >= 0 {
                let socket = Descriptor(owning: number)
                _ = try SystemError.check(conclave_linux_tcp_no_delay(number), "setsockopt")
                return (socket, SocketAddress(raw))
            }
            switch -number {
            case EAGAIN: return nil
            case EINTR, ECONNABORTED, EPROTO: continue
            default: throw SystemError(call: "accept4", number: -number)
            }
        }
    }

    /// Begins to connect. The socket becomes writable when it is decided how that ended:
    /// `failure(of:)` tells.
    package static func connect(to address: SocketAddress) throws(SystemError) -> Descriptor {
        let socket = try make(address.version)
        _ = try SystemError.check(conclave_linux_tcp_no_delay(socket.number), "setsockopt")
        var raw = address.raw
        let result = unsafe conclave_linux_tcp_connect(socket.number, &raw)
        if result < 0, result != -EINPROGRESS {
            throw SystemError(call: "connect", number: -result)
        }
        return socket
    }

    /// The error that waits on a socket, such as that of a connect.
    package static func failure(of socket: Descriptor) -> SystemError? {
        let number = conclave_linux_socket_error(socket.number)
        return number == 0 ? nil : SystemError(call: "connect", number: number)
    }

    /// Where a socket is bound.
    package static func localAddress(
        of socket: Descriptor
    ) throws(SystemError) -> SocketAddress {
        var raw = conclave_linux_address()
        let result = unsafe conclave_linux_tcp_local_address(socket.number, &raw)
        _ = try SystemError.check(result, "getsockname")
        return SocketAddress(raw)
    }

    /// Asks an idle peer after `idleSeconds`, then each second, and fails after `probes` without
    /// an answer: a host that lost its power says nothing by itself.
    package static func keepAlive(
        _ socket: Descriptor, idleSeconds: Int32, probes: Int32
    ) throws(SystemError) {
        let result = conclave_linux_tcp_keep_alive(socket.number, idleSeconds, 1, probes)
        _ = try SystemError.check(result, "setsockopt")
    }

    /// Fails a connection (ETIMEDOUT) whose other end has not taken what was sent for so long. Without
    /// it the kernel sends again after pauses that double: a network that was cut for a while and is
    /// whole again stays unused for as long again.
    package static func limitUnheard(
        _ socket: Descriptor, _ limit: Interval
    ) throws(SystemError) {
        let milliseconds = UInt32(clamping: max(1, min(limit.milliseconds, Int64(Int32.max))))
        let result = conclave_linux_tcp_unheard_limit(socket.number, milliseconds)
        _ = try SystemError.check(result, "setsockopt")
    }

    /// The other end reads what was sent, then the end.
    package static func shutDownSending(_ socket: Descriptor) {
        _ = conclave_linux_shutdown_sending(socket.number)
    }

    /// Nothing more goes either way; what has arrived can still be read, then comes the end.
    package static func shutDown(_ socket: Descriptor) {
        _ = conclave_linux_shutdown(socket.number)
    }

    private static func make(_ version: SocketAddress.Version) throws(SystemError) -> Descriptor {
        let number = conclave_linux_tcp_socket(Int32(version.rawValue))
        return Descriptor(owning: try SystemError.check(number, "socket"))
    }
}
