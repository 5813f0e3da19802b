import CConclaveLinux
package import ConclaveBase
package import ConclaveReactor
import Glibc

/// Shared memory in which clients read until when their sessions are valid, without asking.
///
/// A slot is written as a sequence lock: while its first word is odd, or changed while somebody
/// read, what was read is nothing. Clients can map it for reading only. A page that nobody writes
/// any more turns false by itself, since it holds deadlines.
///
///      0          8          16         24            64
///      +----------+----------+----------+-------------+
///      | sequence | session  | deadline |    zero     |   times the number of slots
///      +----------+----------+----------+-------------+
@safe package final class ValidityPage {
    package static let slotByteCount = 64
    /// The daemon's own: its incarnation, and the time of its last turn.
    package static let ownSlot: UInt32 = 0

    /// Passed to clients.
    package let descriptor: Descriptor
    package let slotCount: Int
    private let words: UnsafeMutablePointer<UInt64>

    package init(slotCount: Int) throws(SystemError) {
        precondition(slotCount > 0)
        let byteCount = slotCount * Self.slotByteCount
        let file = unsafe conclave_linux_memfd_create("conclave-validity")
        guard file >= 0 else { throw SystemError(call: "memfd_create", number: -file) }
        descriptor = Descriptor(owning: file)
        guard ftruncate(file, byteCount) == 0 else {
            throw SystemError(call: "ftruncate", number: errno)
        }
        guard let start = unsafe conclave_linux_map(file, byteCount, 1) else {
            throw SystemError(call: "mmap", number: errno)
        }
        let sealed = conclave_linux_memfd_seal(file)
        guard sealed >= 0 else { throw SystemError(call: "fcntl", number: -sealed) }
        self.slotCount = slotCount
        unsafe words = start.bindMemory(to: UInt64.self, capacity: byteCount / 8)
    }

    deinit {
        _ = unsafe conclave_linux_unmap(words, slotCount * Self.slotByteCount)
    }

    /// Says that `owner` is valid until `deadline`; `.distantPast`: no longer.
    ///
    /// - Precondition: `slot` is one of the page's.
    package func show(slot: UInt32, owner: UInt64, deadline: Instant) {
        precondition(slot < slotCount, "slot \(slot) is outside a page of \(slotCount)")
        let cell = unsafe words + Int(slot) * Self.slotByteCount / 8
        let sequence = unsafe conclave_linux_load_relaxed(cell)
        unsafe conclave_linux_store_relaxed(cell, sequence &+ 1)
        conclave_linux_fence_release()
        unsafe conclave_linux_store_relaxed(cell + 1, owner)
        unsafe conclave_linux_store_relaxed(cell + 2, deadline.nanoseconds)
        unsafe conclave_linux_store_release(cell, sequence &+ 2)
    }
}
