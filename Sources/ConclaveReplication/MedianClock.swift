import ConclaveBase
import ConclaveGroup

/// The time that this member gives to what it sends: by its own wall clock, or by the median of all
/// members' where its own is far from that.
///
/// Others rely on this: while more than half of the members' wall clocks are right, a wrong one takes
/// the order's time, which never goes back, no further than `limit` ahead.
final class MedianClock {
    /// Fewer cannot say whose clock is wrong.
    private static let minimumCount = 3

    /// Own time may be so far from the median.
    let limit: Interval
    /// As it was found last, and when by this machine's other clock, which does not jump.
    private var median: (time: Timestamp, at: Instant)?
    private(set) var isFar = false
    /// There are enough members to say whose clock is wrong, and they were not heard of yet.
    private var isAwaited = false

    /// Clocks are told with heartbeats: what is known of one is no older than `suspicion`.
    init(suspicion: Interval) {
        limit = .seconds(1) + suspicion
    }

    func note(_ time: Timestamp, now: Instant) {
        median = (time, now)
        isAwaited = false
    }

    /// A view begins, or the process with the view that it knew last. Until the members are heard of, the
    /// clocks of those before count; if nobody was, the order's time stands still.
    func begin(memberCount: Int) {
        if memberCount < Self.minimumCount { median = nil }
        isAwaited = memberCount >= Self.minimumCount && median == nil
    }

    /// What the wall clock `own` stands for; `nil` if that will be known soon. `changed` is called when it
    /// becomes far from the median, by so much ahead, and with `nil` when it is not any more.
    func time(
        own: Timestamp, now: Instant, changed: (_ ahead: Interval?) -> Void
    ) -> Timestamp? {
        if isAwaited { return nil }
        guard let median else {
            note(isFar: false, ahead: .zero, changed)
            return own
        }
        let expected = median.time.advanced(by: now.since(median.at))
        let ahead = own.since(expected)
        // It comes near by more than it went, so that it is not told again and again.
        let bound = isFar ? limit / 2 : limit
        note(isFar: ahead > bound || ahead < .zero - bound, ahead: ahead, changed)
        return isFar ? expected : own
    }

    private func note(
        isFar: Bool, ahead: Interval, _ changed: (_ ahead: Interval?) -> Void
    ) {
        guard isFar != self.isFar else { return }
        self.isFar = isFar
        changed(isFar ? ahead : nil)
    }
}

extension Timestamp {
    fileprivate func advanced(by interval: Interval) -> Timestamp {
        let (sum, overflow) = microseconds.addingReportingOverflow(
            UInt64(max(.zero, interval).nanoseconds / 1_000))
        return Timestamp(microseconds: overflow ? .max : sum)
    }

    fileprivate func since(_ other: Timestamp) -> Interval {
        let apart = max(self, other).microseconds - min(self, other).microseconds
        let interval = Interval.microseconds(Int64(clamping: apart))
        return self < other ? .zero - interval : interval
    }
}
