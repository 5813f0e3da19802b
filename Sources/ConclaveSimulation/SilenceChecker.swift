package import ConclaveBase

/// Whether the silence that views vouch for would ever let a session end while its holder still
/// believes in it: K3 and K4 for a session of each incarnation, in true time.
package struct SilenceChecker {
    private struct Record {
        var clock: SimulatedClock
        /// Until when a holder there believes.
        var validUntil = Moment.start
        /// From when on somebody else would end it.
        var endsAt = Moment.never
    }

    private let ttl: Interval
    private var records: [Member: Record] = [:]
    private var lineage = Lineage.none
    private var newest = Epoch.none

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

    /// At `now` a member with that clock entered a view: its timers begin anew. Another history counts
    /// its views anew.
    package mutating func installed(
        _ view: InstalledView, of lineage: Lineage, at now: Moment, by clock: SimulatedClock
    ) throws(Violation) {
        if lineage != self.lineage {
            self.lineage = lineage
            newest = .none
        }
        guard view.view.epoch >= newest else { return }
        if view.view.epoch > newest { begin(view.view, at: now) }
        for departed in view.departed + view.absent where !view.view.contains(departed.member) {
            try note(departed, seenAt: now, by: clock)
        }
    }

    /// No timer of an earlier view has an effect any more (K2), but what it has ended stays ended.
    private mutating func begin(_ view: View, at now: Moment) {
        newest = view.epoch
        for (member, record) in records where record.endsAt != .never {
            if record.endsAt > now {
                records[member]!.endsAt = .never
            } else if view.contains(member) {
                records[member] = Record(clock: record.clock)
            }
        }
    }

    private mutating func note(
        _ departed: InstalledView.Departed, seenAt now: Moment, by clock: SimulatedClock
    ) throws(Violation) {
        guard var record = records[departed.member] else { return }
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
