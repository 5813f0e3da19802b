package import ConclaveBase

/// The world's time, what is still to happen in it, and the digest of what did.
package final class Timeline {
    package private(set) var now = Moment.start
    package private(set) var stepCount: UInt64 = 0
    package var trace = Trace()
    private var queue = EventQueue<SimulationEvent>()

    package init() {}

    package func schedule(_ event: SimulationEvent, at time: Moment) {
        queue.schedule(event, at: max(time, now))
    }

    package func schedule(_ event: SimulationEvent, after interval: Interval) {
        queue.schedule(event, at: now.advanced(by: interval))
    }

    /// Moves the time on to the next event and hands it out; `nil` once nothing more is due at
    /// `limit` or before, and the time is then `limit`.
    package func next(until limit: Moment) -> SimulationEvent? {
        guard let (time, event) = queue.next(until: limit) else {
            now = max(now, limit)
            return nil
        }
        now = time
        stepCount += 1
        trace.mix(time.nanoseconds)
        trace.mix(event.word)
        return event
    }
}
