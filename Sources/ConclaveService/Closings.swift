import ConclaveBase
import ConclaveCoordination

/// Since when this daemon has known of each closed lock, by its own clock: that is no earlier than
/// the holder's loss, so what has passed since counts in every view.
struct Closings {
    private struct Closing {
        var since: Version
        var knownAt: Instant
    }

    private static let leastBound = 64

    private var closings: [ObjectName: Closing] = [:]
    /// With so many, those that are open again are forgotten.
    private var bound = leastBound

    mutating func note(_ lock: ClosedLock, machine: Coordinator, now: Instant) {
        closings[lock.name] = Closing(since: lock.since, knownAt: now)
        guard closings.count > bound else { return }
        closings = closings.filter { machine.isClosed($0.key, since: $0.value.since) }
        bound = max(Self.leastBound, 2 * closings.count)
    }

    /// All that are closed as a view begins, and since when each is known to be.
    mutating func review(
        _ locks: [ClosedLock], now: Instant
    ) -> [(lock: ClosedLock, knownAt: Instant)] {
        let before = closings
        closings = [:]
        for lock in locks {
            let known = before[lock.name].flatMap { $0.since == lock.since ? $0.knownAt : nil }
            closings[lock.name] = Closing(since: lock.since, knownAt: known ?? now)
        }
        bound = max(Self.leastBound, 2 * closings.count)
        return locks.map { ($0, closings[$0.name]!.knownAt) }
    }
}
