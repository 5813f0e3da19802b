import ConclaveBase
import Glibc
import Synchronization

/// How much longer each sync is to take: an administrator's way to see what a slow disk does.
final class SyncSlowness: Sendable {
    private let milliseconds = Atomic<Int32>(0)

    func set(_ pause: Interval) {
        milliseconds.store(Int32(clamping: pause.nanoseconds / 1_000_000), ordering: .relaxed)
    }

    /// Called by each thread before it syncs.
    func pass() {
        let pause = milliseconds.load(ordering: .relaxed)
        // A pause, no deadline: whatever clock it runs on.
        if pause > 0 { _ = poll(nil, 0, pause) }
    }
}
