import CConclaveLinux
import Glibc

/// Owns a file descriptor: it is closed when the last reference goes.
package final class Descriptor: Sendable {
    package let number: Int32

    /// Takes over `number`; nobody else may close it.
    package init(owning number: Int32) {
        precondition(number >= 0, "\(number) is no descriptor")
        self.number = number
    }

    deinit {
        _ = close(number)
    }

    /// What one call of `receive` gave.
    package enum Received: Equatable, Sendable {
        case bytes(Int)
        /// Nothing is there now.
        case nothing
        /// The other end sends no more.
        case end
    }

    /// Takes at most `buffer.count` bytes from a socket, without waiting.
    package func receive(
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(SystemError) -> Received {
        let count = unsafe conclave_linux_receive(number, buffer.baseAddress, buffer.count)
        return try Self.received(count)
    }

    /// As `receive`, and appends the descriptors that were passed with these bytes.
    package func receive(
        into buffer: UnsafeMutableRawBufferPointer, descriptors: inout [Descriptor]
    ) throws(SystemError) -> Received {
        var numbers = [Int32](repeating: -1, count: Int(CONCLAVE_LINUX_DESCRIPTOR_BATCH))
        var descriptorCount: Int32 = 0
        let count = unsafe conclave_linux_receive_descriptors(
            number, buffer.baseAddress, buffer.count, &numbers, &descriptorCount)
        for number in numbers.prefix(Int(descriptorCount)) {
            descriptors.append(Descriptor(owning: number))
        }
        return try Self.received(count)
    }

    /// How many bytes the kernel took; nil if its buffer is full.
    package func send(_ bytes: UnsafeRawBufferPointer) throws(SystemError) -> Int? {
        try Self.sent(unsafe conclave_linux_send(number, bytes.baseAddress, bytes.count))
    }

    /// As `send`, and passes `descriptor` to the other end with the first of the bytes.
    ///
    /// - Precondition: `bytes` is not empty.
    package func send(
        _ bytes: UnsafeRawBufferPointer, passing descriptor: Descriptor
    ) throws(SystemError) -> Int? {
        unsafe precondition(!bytes.isEmpty)
        return try Self.sent(
            unsafe conclave_linux_send_descriptor(
                number, bytes.baseAddress, bytes.count, descriptor.number))
    }

    private static func received(_ count: Int) throws(SystemError) -> Received {
        if count > 0 { return .bytes(count) }
        if count == 0 { return .end }
        let number = Int32(-count)
        if number == EAGAIN || number == EINTR { return .nothing }
        throw SystemError(call: "recv", number: number)
    }

    private static func sent(_ count: Int) throws(SystemError) -> Int? {
        if count >= 0 { return count }
        let number = Int32(-count)
        if number == EAGAIN || number == EINTR { return nil }
        throw SystemError(call: "send", number: number)
    }
}
