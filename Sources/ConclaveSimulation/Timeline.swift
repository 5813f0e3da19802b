package import ConclaveBase

/// The world's time, what is still to happen in it, and the digest of what did.
package final class Timeline {
    package var trace = Trace()
    private(set) var stepCount: UInt64 = 0
    private var queue = EventQueue<SimulationEvent>()
    /// Apart from `now`: what other modules see is not read without a check each time.
    private var reached = Moment.start

    package init() {}

    package var now: Moment { reached }

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
            reached = max(now, limit)
            return nil
        }
        reached = time
        stepCount += 1
        trace.mix(time.nanoseconds)
        trace.mix(event.word)
        return event
    }
}
