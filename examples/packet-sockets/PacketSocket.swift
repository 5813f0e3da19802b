import Glibc

/// A Unix socket that keeps packets apart (SOCK_SEQPACKET): the processes of an example talk to each
/// other over it. Its calls block. It is closed with its last reference.
public final class PacketSocket: Sendable {
    /// Of a packet.
    public static let maximumByteCount = 64 << 10

    private let descriptor: Int32

    private init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    /// Whatever is at `path` is replaced.
    public static func listening(at path: String) throws -> PacketSocket {
        let socket = try opened()
        unlink(path)
        try withAddress(of: path) { address, length in
            guard bind(socket.descriptor, address, length) == 0,
                listen(socket.descriptor, 4096) == 0
            else { throw Failure(failed: "listening at \(path)") }
        }
        return socket
    }

    public static func connected(to path: String) throws -> PacketSocket {
        let socket = try opened()
        try withAddress(of: path) { address, length in
            guard connect(socket.descriptor, address, length) == 0 else {
                throw Failure(failed: "nobody answers at \(path)")
            }
        }
        return socket
    }

    /// - Returns: The next client; `nil`: it is gone again.
    public func accept() throws -> PacketSocket? {
        let client = Glibc.accept(descriptor, nil, nil)
        guard client >= 0 else {
            if errno == EINTR || errno == ECONNABORTED { return nil }
            throw Failure(failed: "accepting a client")
        }
        return PacketSocket(descriptor: client)
    }

    /// From now on sending and receiving fail if they take longer.
    public func setPatience(seconds: Int) {
        var patience = timeval(tv_sec: seconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, size)
    }

    public func send(_ packet: [UInt8]) throws {
        guard packet.count <= Self.maximumByteCount else {
            throw Failure("a packet has at most \(Self.maximumByteCount) bytes")
        }
        let count = Glibc.send(descriptor, packet, packet.count, Int32(MSG_NOSIGNAL))
        guard count == packet.count else { throw Failure(failed: "sending") }
    }

    public func receive() throws -> [UInt8] {
        let packet = try [UInt8](unsafeUninitializedCapacity: Self.maximumByteCount) {
            space, count in
            let result = recv(descriptor, space.baseAddress, space.count, 0)
            guard result > 0 else {
                throw result == 0 ? Failure("the other side is gone") : Failure(failed: "receiving")
            }
            count = result
        }
        return packet
    }

    /// Ends both directions: who waits in `receive` is told that the other side is gone.
    public func hangUp() {
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    private static func opened() throws -> PacketSocket {
        let kind = Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_UNIX, kind, 0)
        guard descriptor >= 0 else { throw Failure(failed: "making a socket") }
        return PacketSocket(descriptor: descriptor)
    }

    private static func withAddress(
        of path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Void
    ) throws {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let possible = 1..<MemoryLayout.size(ofValue: address.sun_path)
        guard possible.contains(bytes.count) else {
            throw Failure("a socket's path has 1 to \(possible.upperBound - 1) bytes, not \(path)")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        try withUnsafePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                try body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
