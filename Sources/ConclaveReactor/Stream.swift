/// A connected stream socket on a reactor: what to send is collected and sent once a turn, and
/// writability is waited for only while the kernel's buffer is full.
///
/// The handler is called as for any descriptor. On `.writable` it calls `becameWritable`.
package final class Stream {
    package let socket: Descriptor
    private let reactor: Reactor
    private var registration: Reactor.Registration?
    private var writer = StreamWriter()
    private var interest: Readiness
    /// Nothing is read or sent.
    private var isHeld = false

    /// - Parameter interest: What to wait for at first; `.writable` to learn how a connect ended.
    package init(
        _ socket: Descriptor, reactor: Reactor, interest: Readiness = .readable,
        handler: any ReactorHandler
    ) throws(SystemError) {
        self.socket = socket
        self.reactor = reactor
        self.interest = interest
        registration = try reactor.register(socket, interest: interest, handler: handler)
    }

    package var isOpen: Bool { registration != nil }

    /// Bytes that were appended and not yet taken by the kernel.
    package var unsentByteCount: Int { writer.byteCount }

    /// The kernel's buffer is full.
    package var isBlocked: Bool { interest.contains(.writable) }

    /// Whether the handler is told of bytes that came in. Not to read is how a peer is slowed down.
    package var isReading: Bool { interest.contains(.readable) }

    package func setReading(_ isReading: Bool) throws(SystemError) {
        var interest = interest
        if isReading { interest.insert(.readable) } else { interest.remove(.readable) }
        try wait(for: interest)
    }

    /// A stream that is held neither reads nor sends, and goes on where it stood.
    package func hold(_ isHeld: Bool) throws(SystemError) {
        guard isHeld != self.isHeld else { return }
        self.isHeld = isHeld
        // Writable at once, if the kernel has room: then it is seen whether there is anything to send.
        try wait(for: isHeld ? [] : [.readable, .writable])
    }

    package func append(_ bytes: [UInt8]) {
        writer.append(bytes)
    }

    package func append(_ bytes: UnsafeRawBufferPointer) {
        unsafe writer.append(bytes)
    }

    /// Little-endian.
    package func append<T: FixedWidthInteger & BitwiseCopyable>(integer value: T) {
        writer.append(integer: value)
    }

    /// See `StreamWriter.append(_:passing:)`.
    package func append(_ bytes: [UInt8], passing descriptor: Descriptor) {
        writer.append(bytes, passing: descriptor)
    }

    /// Sends what was appended, unless the kernel's buffer is known to be full.
    package func flush() throws(SystemError) {
        guard isOpen, !isHeld, !isBlocked, writer.byteCount > 0 else { return }
        try send()
    }

    /// Sends what waited for the kernel's buffer.
    package func becameWritable() throws(SystemError) {
        guard isOpen, !isHeld else { return }
        try send()
    }

    /// Takes the socket off the reactor and drops what was not sent. The socket is closed when
    /// its last reference goes: the stream's own, at the latest.
    package func close() {
        guard let registration else { return }
        reactor.remove(registration)
        self.registration = nil
        writer.removeAll()
    }

    private func send() throws(SystemError) {
        let isDone = try writer.flush(to: socket)
        var interest = interest
        if isDone { interest.remove(.writable) } else { interest.insert(.writable) }
        try wait(for: interest)
    }

    private func wait(for interest: Readiness) throws(SystemError) {
        guard let registration, interest != self.interest else { return }
        try reactor.modify(registration, interest: interest)
        self.interest = interest
    }
}
