import CConclaveLinux
import Synchronization

/// Ends another thread's sleep: a descriptor that becomes readable when anybody wakes it.
///
/// What was written before `wake` is seen by whoever reads after the `clear` (or `wait`) that took
/// that wake; many wakes in a row cost one system call.
package final class Waker: Sendable {
    package enum Kind: Sendable {
        /// Watched by a reactor, which calls `clear` when it is ready.
        case polled
        /// A thread sleeps in `wait`.
        case waitedFor
    }

    package let descriptor: Descriptor
    private let isPending = Atomic<Bool>(false)

    package init(_ kind: Kind = .polled) throws(SystemError) {
        let number = conclave_linux_event_create(kind == .waitedFor ? 1 : 0)
        descriptor = Descriptor(owning: try SystemError.check(number, "eventfd"))
    }

    /// From any thread.
    package func wake() {
        guard !isPending.exchange(true, ordering: .acquiringAndReleasing) else { return }
        _ = conclave_linux_event_signal(descriptor.number)
    }

    /// Makes it unreadable again. What the wakes were about must be looked at afterwards.
    package func clear() {
        _ = conclave_linux_event_clear(descriptor.number)
        _ = isPending.exchange(false, ordering: .acquiringAndReleasing)
    }

    /// Sleeps until somebody wakes, unless somebody did since the last time. Only for
    /// `.waitedFor`, and for one thread.
    package func wait() {
        clear()
    }
}
