package import ConclaveBase

/// The world's time, what is still to happen in it, and the digest of what did.
package final class Timeline {
    package var trace = Trace()
    private(set) var stepCount: UInt64 = 0
    private var queue = EventQueue<SimulationEvent>()
    /// Apart from `now`: what other modules see is not read without a check each time.
    private var reached = Moment.start
    private var mixed: UInt64 = 0xCBF2_9CE4_8422_2325

    package init() {}

    package var now: Moment { reached }

    /// A number over everything that happened, so that two runs can be compared.
    package var digest: UInt64 { mixed }

    func mix(_ value: UInt64) {
        mixed = (mixed ^ value) &* 0x9E37_79B9_7F4A_7C15
        mixed ^= mixed >> 29
    }

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
        mix(time.nanoseconds)
        mix(event.word)
        return event
    }
}
