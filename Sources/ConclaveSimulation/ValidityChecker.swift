import ConclaveBase

/// How long daemons show sessions to be valid, and when those sessions end: K3 to K5, in true time.
struct ValidityChecker {
    /// A place in the validity page of one run of a daemon.
    struct Place: Hashable {
        var host: Int
        var startCount: Int
        var slot: UInt32
        var session: SessionID
    }

    private struct Shown {
        var deadline: Instant
        var isWithdrawn = false
    }

    private struct Echo {
        /// When the newest heartbeat was sent that a majority confirmed for the session.
        var since = Moment.start
        var ttl: Interval
    }

    private var shown: [Place: Shown] = [:]
    private var echoes: [SessionID: Echo] = [:]

    /// A daemon writes `deadline` into its page. `now` is its clock when it decided to, or `nil` if
    /// it was held back since.
    mutating func show(
        _ deadline: Instant, at place: Place, ttl: Interval?, clock: SimulatedClock, now: Instant?
    ) throws(Violation) {
        let before = shown[place]
        if deadline == .distantPast {
            shown[place, default: Shown(deadline: .distantPast)].isWithdrawn = true
            return
        }
        shown[place] = Shown(deadline: deadline, isWithdrawn: before?.isWithdrawn ?? false)
        try checkExtension(to: deadline, before, of: place.session, now: now)
        guard let ttl else { return }
        if let now, deadline > now.advanced(by: ClockDrift.shortened(ttl)) {
            throw Violation(
                .mutualExclusion,
                "session \(place.session) with ttl \(ttl) is shown to be valid for "
                    + "\(deadline.since(now))")
        }
        let sent = deadline.advanced(by: .zero - ClockDrift.shortened(ttl))
        var echo = echoes[place.session] ?? Echo(ttl: ttl)
        echo.since = max(echo.since, clock.moment(of: sent))
        echoes[place.session] = echo
    }

    /// K5: a deadline that has passed is final.
    private func checkExtension(
        to deadline: Instant, _ before: Shown?, of session: SessionID, now: Instant?
    ) throws(Violation) {
        guard let before else { return }
        if before.isWithdrawn {
            throw Violation(
                .mutualExclusion,
                "session \(session) is shown to be valid after that was withdrawn")
        }
        if let now, before.deadline <= now, deadline > before.deadline {
            throw Violation(
                .mutualExclusion,
                "session \(session) is shown to be valid again, \(now.since(before.deadline)) "
                    + "after its deadline had passed")
        }
    }

    /// K4: others end a session, or hand it over, when more than its ttl has passed since the last
    /// heartbeat of its host that a majority confirmed.
    func ended(_ session: SessionID, at now: Moment) throws(Violation) {
        guard let echo = echoes[session], now.since(echo.since) < echo.ttl else { return }
        throw Violation(
            .mutualExclusion,
            "session \(session) with ttl \(echo.ttl) was ended by others \(now.since(echo.since)) "
                + "after its host was heard of")
    }
}
