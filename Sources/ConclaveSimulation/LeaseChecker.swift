package import ConclaveBase

/// Whether the silence that views vouch for would ever let a session end while its holder still
/// believes in it: K3 and K4 for a session of each incarnation, in true time.
package struct LeaseChecker {
    private struct Record {
        var clock: SimulatedClock
        /// Until when a holder there believes.
        var validUntil = Moment.start
        /// From when on somebody else would end it.
        var endsAt = Moment.never
        /// The newest epoch in which it was a member.
        var presentIn = Epoch.none
    }

    private let ttl: Interval
    private var records: [Member: Record] = [:]

    package init(ttl: Interval) {
        self.ttl = ttl
    }

    package mutating func started(_ member: Member, clock: SimulatedClock) {
        records[member] = Record(clock: clock)
    }

    /// A majority confirmed the heartbeat that `member` sent at `since`, by its clock.
    package mutating func confirmed(_ member: Member, since: Instant) throws(Violation) {
        guard var record = records[member] else { return }
        let deadline = since.advanced(by: ClockDrift.shortened(ttl))
        record.validUntil = max(record.validUntil, record.clock.moment(of: deadline))
        records[member] = record
        try check(member, record)
    }

    /// An incarnation that is a member again is not expired by anybody (K2).
    package mutating func installed(_ view: View) {
        for member in view.members where records[member]?.presentIn ?? .none < view.epoch {
            records[member]?.presentIn = view.epoch
            records[member]?.endsAt = .never
        }
    }

    /// At `now` a member with that clock entered a view that vouches for the silence of `departed`.
    package mutating func departed(
        _ departed: InstalledView.Departed, in epoch: Epoch, seenAt now: Moment,
        by clock: SimulatedClock
    ) throws(Violation) {
        guard var record = records[departed.member], epoch > record.presentIn else { return }
        let wait = ClockDrift.lengthened(ttl) - departed.silent
        let end = clock.instant(at: now).advanced(by: max(wait, .zero))
        record.endsAt = min(record.endsAt, clock.moment(of: end))
        records[departed.member] = record
        try check(departed.member, record)
    }

    private func check(_ member: Member, _ record: Record) throws(Violation) {
        guard record.endsAt < record.validUntil else { return }
        let overlap = record.validUntil.since(record.endsAt)
        throw Violation(
            .mutualExclusion,
            "a session at node \(member.node) with ttl \(ttl) could be ended \(overlap) before its "
                + "holder stops believing in it")
    }
}
