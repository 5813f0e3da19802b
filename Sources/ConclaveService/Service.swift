package import ConclaveBase
package import ConclaveCoordination
package import ConclaveReplication
package import ConclaveWire

/// What a daemon does for its clients: their sessions and the deaths of their processes, requests
/// on their way into the order and replies on their way back, validity deadlines, and the ends of
/// sessions whose host is gone.
///
/// It is told of frames, of what the replica delivered and of time, and answers with effects for
/// the shell and with `proposals` for the order. Others rely on this: a request is proposed until
/// it is applied, in the order of its session's numbers, and a reply that the group gave reaches
/// the connection that the session is attached to; a deadline that was shown is never extended
/// once it has passed.
package struct Service {
    package enum Input {
        case client(ClientInput)
        /// The state machine told this of commands; `machine` may be further by now.
        case machine([CoordinationEffect])
        /// A view begins. `rank`: this member's, `nil` if it is not in it. With `stateReplaced`
        /// effects before it were not told.
        case installed(InstalledView, rank: Rank?, at: Timestamp, stateReplaced: Bool)
        /// The epoch ends.
        case wedged
        /// A majority has confirmed the heartbeat sent at that instant of this clock (K3).
        case confirmed(since: Instant)
        /// The marks up to that one are passed.
        case marked(upTo: UInt64)
        case serving(ServingState)
        /// Requests are not taken now; most often for a moment, and then no client need know.
        case pausing(ServingState)
        /// The outcome of a wish, by its number.
        case memberChange(UInt64, MemberChangeOutcome)
        case salvaged(UInt64, SalvageOutcome)
        /// `nil` for what was to begin: all was to end.
        case disturbed(UInt64, Disturbance?, Refusal?)
        case tick
    }

    let settings: ServiceSettings
    /// Refreshed by the caller before an input for which `asksForPicture` is true.
    package var picture = GroupPicture.blank
    /// The secret that the next opened session gets; the caller sees to it that there is one.
    package var spareSecret: Secret?
    /// The longest ttl of any session, as the group was founded with; set by the caller before a
    /// view. What this daemon was told may be less, and sessions from before last longer (V26).
    package var maximumSessionTTL: Interval
    /// Commands to be proposed, in order.
    package internal(set) var proposals: [[UInt8]] = []
    /// Commands that say of validity that it is withdrawn: they follow when it is, in the page.
    var proposalsAfterEffects: [[UInt8]] = []

    /// What administrators want, for the caller to see to.
    package internal(set) var wishes: [Wish] = []
    /// Who waits for the outcome of a wish, by its number.
    var askers: [UInt64: Asker] = [:]
    var lastWish: UInt64 = 0
    var disturbances = Disturbances()

    var connections: [ConnectionID: Connection] = [:]
    var connectionCounts: [UInt32: Int] = [:]
    /// Nobody is shown out for saying nothing before this.
    var earliestGreeting = Instant.distantFuture
    /// Closed connections whose pidfd is still that of a session's process.
    var watched: [ConnectionID: SessionID] = [:]
    var openings: [UInt64: Opening] = [:]
    var lastNonce: UInt64 = 0
    var sessions = LocalSessions()
    var slots: ValiditySlots
    var subscriptions = Subscriptions()
    /// Connections of which something is held.
    var heldLine = TurnLine()
    /// How much more this turn answers.
    var replyByteCountLeft: Int
    var reads = Reads()
    var wantedMark: UInt64?
    var keyWatchers = KeyWatchers()
    var groupFollowers = GroupFollowers()
    var leaderObservers = LeaderObservers()
    var serving = ServingState(isServing: false, reason: "the daemon is starting")
    /// What connected clients believe; they are told at `tellAt` if that is something else by then.
    var toldServing = ServingState(isServing: false, reason: "the daemon is starting")
    var tellAt = Instant.distantFuture
    var rank: Rank?
    var epoch = Epoch.none
    /// Between `wedged` and the next view no deadline is extended.
    var isWedged = true
    /// The newest heartbeat of the installed epoch that a majority confirmed.
    var newestConfirmed: Instant?
    /// The newest heartbeat of any epoch that a majority confirmed.
    var lastConfirmed: Instant?
    var absences = AbsenceTimers()
    var closings = Closings()
    var leaseClocks: LeaseClocks
    /// Sessions whose processes are to be stopped with the effects of this turn.
    var stopsOrdered: [SessionID] = []
    /// And with those of the turn before: that is done.
    var stopsCarriedOut: [SessionID] = []
    /// No session is due before this.
    var earliestDue = Instant.distantFuture

    package init(settings: ServiceSettings) {
        self.settings = settings
        maximumSessionTTL = settings.maximumSessionTTL
        slots = ValiditySlots(count: settings.validitySlotCount)
        leaseClocks = LeaseClocks(plant: settings.plant)
        replyByteCountLeft = settings.toldByteCountOfTurn
    }

    /// Takes one input and appends what follows from it to `effects`. `machine` is not small, and is
    /// asked for only where it is looked at.
    ///
    /// - Precondition: `now` is not earlier than in any call before.
    package mutating func step(
        _ input: Input, machine: @autoclosure () -> Coordinator, now: Instant,
        effects: inout [ServiceEffect]
    ) {
        if !stopsCarriedOut.isEmpty { noteStops(now: now) }
        // A deadline that has passed is final before anything that came in may extend it (K5).
        passDeadlines(now: now, effects: &effects)
        switch input {
        case .client(let input): client(input, machine: machine, now: now, effects: &effects)
        case .machine(let told):
            for effect in told { applied(effect, machine: machine, now: now, effects: &effects) }
        case .installed(let view, let rank, let at, let stateReplaced):
            self.rank = rank
            installed(view, machine: machine(), now: now)
            if stateReplaced { rebuild(machine: machine(), now: now, effects: &effects) }
            proposeAnew(machine: machine(), effects: &effects)
            tellView(view, at: at, effects: &effects)
        case .wedged:
            isWedged = true
            newestConfirmed = nil
        case .confirmed(let since):
            confirmed(since, machine: machine(), now: now, effects: &effects)
        case .marked(let number): reads.release(upTo: number)
        case .serving(let state):
            serving = state
            tellServing(effects: &effects)
        case .pausing(let state): pause(state, now: now, effects: &effects)
        case .memberChange(let number, let outcome):
            tellOutcome(outcome, of: number, effects: &effects)
        case .salvaged(let number, let outcome):
            tellOutcome(outcome, of: number, effects: &effects)
        case .disturbed(let number, let wanted, let refusal):
            tellDisturbed(number, wanted, refusal: refusal, now: now, effects: &effects)
        case .tick: dropTheSilent(now: now, effects: &effects)
        }
        if tellAt <= now { tellServing(effects: &effects) }
        if min(leaseClocks.nextDue, absences.nextDue) <= now {
            proposeExpiries(machine: machine(), now: now)
        }
    }

    package var own: Member { settings.own }

    /// Hands over what is to be proposed. What the replica does not take now is put back.
    package mutating func takeProposals() -> [[UInt8]] {
        let taken = proposals
        proposals = []
        return taken
    }

    /// The mark that questions wait for, once: `marked` is to be told when it is passed.
    package mutating func takeMark() -> UInt64? {
        defer { wantedMark = nil }
        reads.close()
        return wantedMark
    }

    /// The effects of the steps before are being carried out, before anything is proposed next:
    /// what had to wait for that may go. Returns whether there was anything.
    package mutating func beginTurn() -> Bool {
        replyByteCountLeft = settings.toldByteCountOfTurn
        let isMore = !proposalsAfterEffects.isEmpty || !stopsOrdered.isEmpty
        guard isMore else { return false }
        proposals += proposalsAfterEffects
        proposalsAfterEffects.removeAll()
        if !stopsOrdered.isEmpty {
            stopsCarriedOut += stopsOrdered
            stopsOrdered.removeAll()
            earliestDue = .distantPast
        }
        return true
    }

    /// - Precondition: nothing was added since `takeProposals`.
    package mutating func putBack(_ rest: ArraySlice<[UInt8]>) {
        precondition(proposals.isEmpty)
        proposals = Array(rest)
    }

    /// When `step(.tick)` is to be called at the latest.
    // Inlined, so that all of this is not copied for it: every turn asks.
    @inline(__always)
    package var nextTick: Instant {
        min(
            min(earliestDue, absences.nextDue), min(tellAt, earliestGreeting), leaseClocks.nextDue)
    }

    private mutating func applied(
        _ effect: CoordinationEffect, machine: () -> Coordinator, now: Instant,
        effects: inout [ServiceEffect]
    ) {
        switch effect {
        case .opened(_, let nonce, let session, let attachment),
            .attached(let session, let nonce, let attachment):
            attached(
                session, attachment, nonce: nonce, machine: machine(), now: now, effects: &effects)
        case .openRefused(let nonce, let member, let refusal):
            if member == settings.own { openRefused(nonce, refusal, effects: &effects) }
        case .detachRequested(let session, let attachment, let isForced):
            if attachment.member == settings.own {
                yield(session, attachment, isForced: isForced, now: now, effects: &effects)
            }
        case .letGoAsked(let session, let notice):
            ask(session, toLetGo: notice, effects: &effects)
        case .sessionEnded(let session, _, let reason):
            sessionEnded(session, reason, effects: &effects)
        case .queued(let session, let number, _):
            requestApplied(number, of: session, effects: &effects)
        case .reply(let session, let number, let reply):
            requestApplied(number, of: session, effects: &effects)
            sendReply(reply, to: number, of: session, effects: &effects)
        case .settled(let session, let number):
            requestSettled(number, of: session, effects: &effects)
        case .lockClosed(let lock): closed(lock, machine: machine(), now: now)
        case .leaderChanged(let slot):
            leaderObservers.noteChange(of: slot)
        case .keysChanged(let keys, let version):
            keyWatchers.noteChange(of: keys, at: version)
        case .leaseSet(let term): leaseClocks.note(term, now: now)
        case .leaseEnded(let name): leaseClocks.forget(name)
        case .groupChanged(let name, let version):
            groupFollowers.noteChange(of: name, at: version)
        case .notUnderstood: break
        }
    }

    mutating func propose(_ command: Command) {
        proposals.append(command.bytes)
    }

    /// K7: a daemon may be held back between sending what it proposes and writing its page.
    mutating func proposeYield(of id: SessionID, attachment: UInt64) {
        proposeAfterEffects(.yieldAttachment(session: id, attachment: attachment))
    }

    mutating func proposeAfterEffects(_ command: Command) {
        proposalsAfterEffects.append(command.bytes)
    }
}
