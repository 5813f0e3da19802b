package import ConclaveBase
package import ConclaveWire

/// Sessions, locks, leader slots, barriers, latches, keys, leases and task groups, as every member of
/// the group has them.
///
/// It depends on nothing but the commands and views it was given, in their order: no clock, no
/// chance, no order that a hash table chose. So replicas that were told the same are the same, and
/// have equal digests. Time is that of the ordered commands; it stands in records and ends nothing.
package struct Coordinator: Sendable {
    package let quotas: Quotas
    /// A rule that is left out, and who is told of everything: in the simulator alone. Neither is
    /// part of the state, and whatever state this machine is given, it keeps them.
    package var plant: Plant?
    package var witness: (any CoordinationWitness)?
    /// Of the newest command.
    package internal(set) var version = Version.zero
    /// Never goes back.
    package internal(set) var time = Timestamp.zero
    /// The installed view.
    package internal(set) var view = View(epoch: .none, members: [])
    /// State was lost: requests queue, and nothing is granted until `openGrants` (V26).
    package internal(set) var grantsAreSuspended = false
    /// Of the command that is being applied: see `Quotas.deadlockStepsPerCommand`.
    var deadlockStepsLeft = 0

    var sessions = SessionTable()
    var ended = EndedSessions()
    var locks: ClaimTable
    var slots = ClaimTable(maximumEndCount: 0, numbersPlaces: true)
    var barriers = BarrierTable()
    var keys = KeyTable()
    var leases = LeaseTable()
    var groups = GroupTable()
    var latches = LatchTable()
    var chronicle = Chronicle()
    /// Locks that nobody may have or await any more at the end of the command.
    var deserted: [ObjectName] = []

    /// - Parameter quotas: The same on all members.
    package init(quotas: Quotas = Quotas()) {
        self.quotas = quotas
        locks = ClaimTable(maximumEndCount: quotas.rememberedEnds)
    }

    /// Applies one ordered command and appends what follows from it. What does not decode changes
    /// nothing, and that is told.
    ///
    /// - Precondition: `version` is larger than in any call before.
    package mutating func apply(
        _ command: ByteReader, at version: Version, time: Timestamp,
        effects: inout [CoordinationEffect]
    ) {
        precondition(version > self.version, "version \(version) after \(self.version)")
        let previous = self.version
        self.version = version
        advance(time)
        deadlockStepsLeft = quotas.deadlockStepsPerCommand
        var reader = command
        var known = try? Command(from: &reader)
        if (try? reader.finish()) == nil { known = nil }
        let told = effects.count
        if let known {
            apply(known, effects: &effects)
        } else {
            effects.append(.notUnderstood(at: version))
        }
        removeDeserted()
        witness?.applied(known, after: previous, by: self, effects: effects[told...])
    }

    /// Takes over the view that begins at this point of the order. It grants nothing, so no token
    /// comes from `version`; but what is read from here on is the state at that version, also after
    /// all state was lost.
    ///
    /// - Precondition: `version` is not smaller than in any call before.
    package mutating func install(
        _ installed: InstalledView, at version: Version, time: Timestamp,
        effects: inout [CoordinationEffect]
    ) {
        precondition(version >= self.version, "version \(version) after \(self.version)")
        let previous = self.version
        self.version = version
        advance(time)
        view = installed.view
        if installed.stateWasLost { grantsAreSuspended = true }
        if installed.historyWasGivenUp, plant != .givenUpHistoryGrants {
            grantsAreSuspended = true
        }
        let told = effects.count
        if installed.stateWasLost { chronicle.forgetAll(at: now) }
        if installed.historyWasGivenUp, plant != .sessionsOutliveHistory {
            endAllSessions(effects: &effects)
        }
        // Others may have had them since, in what was given up.
        if installed.historyWasGivenUp { endAllLeases(effects: &effects) }
        // What watchers know of what was given up may never have happened.
        if installed.historyWasGivenUp || installed.stateWasLost {
            keys.forgetHistory(at: now)
            groups.forgetHistory(at: version)
        }
        reviewTakeovers(effects: &effects)
        removeDeserted()
        witness?.installed(installed, after: previous, by: self, effects: effects[told...])
    }

    var now: Moment { Moment(version: version, time: time) }

    private mutating func advance(_ time: Timestamp) {
        self.time = max(self.time, time)
        ended.trim(now: self.time, quotas: quotas)
    }

    private mutating func apply(_ command: Command, effects: inout [CoordinationEffect]) {
        switch command {
        case .open(let open):
            self.open(open, effects: &effects)
        case .resume(let resume):
            self.resume(resume, effects: &effects)
        case .request(let session, let number, let confirmed, let operation):
            request(
                of: session, number: number, confirmed: confirmed, operation, effects: &effects)
        case .confirm(let session, let number):
            if let index = sessions.index(of: session) { confirm(index, upTo: number) }
        case .end(let session, let attachment, let reason):
            end(session, attachment: attachment, reason: reason, effects: &effects)
        case .expire(let session, let attachment, let epoch):
            expire(session, attachment: attachment, epoch: epoch, effects: &effects)
        case .yieldAttachment(let session, let attachment):
            yieldAttachment(of: session, attachment: attachment, effects: &effects)
        case .openGrants(let epoch):
            openGrants(epoch: epoch, effects: &effects)
        case .openLock(let name, let since):
            open(name, since: since, effects: &effects)
        case .expireLease(let name, let renewed):
            expireLease(name, renewed: renewed, effects: &effects)
        }
    }

    private mutating func openGrants(epoch: Epoch, effects: inout [CoordinationEffect]) {
        guard epoch == view.epoch, grantsAreSuspended else { return }
        grantsAreSuspended = false
        for lock in locks.sorted { grantNext(lock: lock, isNewlyOpen: true, effects: &effects) }
        for slot in slots.sorted { electNext(slot: slot, effects: &effects) }
    }
}
