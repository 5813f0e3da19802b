import CConclaveLinux
import ConclaveWire
import Glibc

/// One connection to the daemon. It is closed when the last reference goes, so that nobody ever
/// uses the number of a descriptor that has become somebody else's.
final class ClientSocket: Sendable {
    private static let chunkByteCount = 64 * 1024

    let descriptor: Int32
    /// Never used again in this process: what epoll gives back with an event.
    let number: UInt64

    private init(descriptor: Int32, number: UInt64) {
        self.descriptor = descriptor
        self.number = number
    }

    deinit {
        close(descriptor)
    }

    /// Does not wait: a Unix socket is connected at once or not at all.
    static func connect(path: String, number: UInt64) throws(SystemError) -> ClientSocket {
        let descriptor = try SystemError.check(conclave_linux_unix_socket())
        let socket = ClientSocket(descriptor: descriptor, number: number)
        _ = try SystemError.check(unsafe conclave_linux_unix_connect(descriptor, path))
        return socket
    }

    enum Received {
        /// There may be more if as many came as were asked for. The descriptors that came along
        /// belong to the caller.
        case bytes([UInt8], descriptors: [Int32], mayBeMore: Bool)
        case nothingYet
        case ended(reason: String)
    }

    /// What is there, at most 64 KiB.
    func receive() -> Received {
        var descriptors = [Int32](repeating: -1, count: Int(CONCLAVE_LINUX_DESCRIPTOR_BATCH))
        var descriptorCount: Int32 = 0
        var result = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: Self.chunkByteCount) {
            space, count in
            result = unsafe conclave_linux_receive_descriptors(
                descriptor, space.baseAddress!, space.count, &descriptors, &descriptorCount)
            count = max(0, result)
        }
        if result > 0 {
            return .bytes(
                bytes, descriptors: Array(descriptors.prefix(Int(descriptorCount))),
                mayBeMore: result == Self.chunkByteCount)
        }
        if result == 0 { return .ended(reason: "the daemon closed the connection") }
        let error = SystemError(number: Int32(-result))
        return error.isTemporary ? .nothingYet : .ended(reason: error.description)
    }

    /// How many of the bytes went out; fewer than given if the socket is full.
    func send(_ bytes: ArraySlice<UInt8>) throws(SystemError) -> Int {
        let sent = unsafe bytes.withUnsafeBytes { part in
            unsafe conclave_linux_send(descriptor, part.baseAddress!, part.count)
        }
        if sent >= 0 { return sent }
        let error = SystemError(number: Int32(-sent))
        guard error.isTemporary else { throw error }
        return 0
    }

    /// Nothing more is sent or taken; what was sent still arrives.
    func end() {
        shutdown(descriptor, Int32(SHUT_RDWR))
    }
}
