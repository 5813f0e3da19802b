/// Bytes on their way out of a stream socket: collected during a turn, sent with one call at its
/// end. What the kernel does not take stays, in order.
package struct StreamWriter {
    private struct Passenger {
        /// Where in `bytes` its first byte is.
        var offset: Int
        var descriptor: Descriptor
    }

    /// Capacity that an empty writer keeps.
    private static let keptByteCount = 256 * 1024

    private var bytes: [UInt8] = []
    /// Where in `bytes` begins what was not sent yet.
    private var start = 0
    private var passengers: [Passenger] = []

    package init() {}

    /// Bytes that wait; callers hold their limits against it.
    package var byteCount: Int { bytes.count - start }

    package mutating func append(_ more: [UInt8]) {
        bytes.append(contentsOf: more)
    }

    package mutating func append(_ more: UnsafeRawBufferPointer) {
        unsafe bytes.append(contentsOf: more)
    }

    /// Little-endian.
    package mutating func append<T: FixedWidthInteger & BitwiseCopyable>(integer value: T) {
        unsafe withUnsafeBytes(of: value.littleEndian) { unsafe bytes.append(contentsOf: $0) }
    }

    /// The other end of a Unix socket receives `descriptor` with the first of these bytes.
    ///
    /// - Precondition: `more` is not empty.
    package mutating func append(_ more: [UInt8], passing descriptor: Descriptor) {
        precondition(!more.isEmpty)
        passengers.append(Passenger(offset: bytes.count, descriptor: descriptor))
        bytes.append(contentsOf: more)
    }

    package mutating func removeAll() {
        bytes = []
        start = 0
        passengers = []
    }

    /// Sends what waits: one call, and one more for each descriptor. False: the kernel's buffer is
    /// full and the rest has to wait until the socket is writable.
    package mutating func flush(to socket: Descriptor) throws(SystemError) -> Bool {
        while byteCount > 0 {
            let end = nextEnd
            guard let sent = try send(upTo: end, to: socket) else { return false }
            let isWhole = sent == end - start
            start += sent
            compact()
            if !isWhole { return false }
        }
        return true
    }

    /// Bytes with a descriptor start a call of their own.
    private var nextEnd: Int {
        let next = passengers.first { $0.offset > start }
        return next?.offset ?? bytes.count
    }

    private mutating func send(
        upTo end: Int, to socket: Descriptor
    ) throws(SystemError) -> Int? {
        let passenger = passengers.first { $0.offset == start }
        let range = start..<end
        let outcome = unsafe bytes.withUnsafeBytes { all in
            let part = unsafe UnsafeRawBufferPointer(rebasing: all[range])
            return Result { () throws(SystemError) in
                if let passenger {
                    return try unsafe socket.send(part, passing: passenger.descriptor)
                }
                return try unsafe socket.send(part)
            }
        }
        let sent = try outcome.get()
        if passenger != nil, sent != nil { passengers.removeFirst() }
        return sent
    }

    /// Gives up the space of what was sent, at a cost that is small per byte sent.
    private mutating func compact() {
        if start == bytes.count {
            if bytes.capacity > Self.keptByteCount {
                bytes = []
            } else {
                bytes.removeAll(keepingCapacity: true)
            }
            start = 0
        } else if start > bytes.count / 2 {
            bytes.removeFirst(start)
            for index in passengers.indices { passengers[index].offset -= start }
            start = 0
        }
    }
}
