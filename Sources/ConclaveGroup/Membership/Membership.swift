package import ConclaveBase

/// Agrees with the other members of a view on the view after it, and enters it.
///
/// One instance lives as long as the daemon's process. It is told of frames, paths, suspicions,
/// finished syncs and ticks, and appends what is to be done to `effects`. The next view is decided
/// by single-decree Paxos among the members of the present one: `Membership+Voting` answers a
/// coordinator, `Membership+Proposing` is one, `Membership+Deciding` chooses the value,
/// `Membership+Founding` makes the first view.
package final class Membership {
    package enum Input {
        case frame(from: NodeID, MembershipFrame)
        case connected(Member)
        case disconnected(NodeID, byPeer: Bool)
        /// The epoch must end because of that member.
        case suspect(NodeID, DepartureReason, silent: Interval, late: Interval)
        /// Nothing is sent, acknowledged or echoed any more, and what was received is synced.
        /// `delivered`: what of it nobody can be given any more, by sender. `echoed`: when each rank's
        /// heartbeat was last echoed.
        case frozen(vector: [UInt64]?, delivered: [UInt64] = [], echoed: [Instant])
        /// The record with this token is synced.
        case recorded(token: UInt64)
        /// Everything below the trim that was asked for is held and synced here.
        case level
        /// The learner has everything below this trim, synced.
        case joinerLevel(Member, trim: [UInt64])
        /// A learner has caught up and hears all members steadily, and `hears` besides.
        case joinerReady(Member, hears: [Member])
        /// Let in those who are ready.
        case admit
        case tick
        /// This member wants to leave in good order.
        case leave
        /// This member was asked to have the member list changed.
        case change(MemberChange)
        /// A view of another history, which this member has made alone, is recorded.
        indirect case salvaged(NextView, by: String)
    }

    package enum Effect {
        case send(MembershipFrame, to: NodeID)
        case record(ViewRecord, token: UInt64)
        /// Stop the epoch's traffic, sync what was received, then say `frozen`.
        case wedge
        /// Say `level` once everything below the trim is held and synced.
        case raise(trim: [UInt64])
        case fill(to: NodeID, ranges: [FillRange])
        case levelJoiner(Member, trim: [UInt64])
        /// Deliver below the trim, then enter the view.
        indirect case install(NextView, Seat)
        /// Others are more than one epoch ahead: learn from them.
        case learn
        case event(GroupEvent)
    }

    /// What this process is in the newest view that it knows.
    package enum Seat: Equatable, Sendable {
        /// It knows of none.
        case blank
        /// Its incarnation is in it.
        case member
        /// Its NodeID is in it with an earlier incarnation: it votes, and nothing else (V13).
        case voter
        case outside
    }

    let own: Member
    /// Who founds; from the first view on the list that comes with each view says who may be a
    /// member.
    let configured: [NodeID]
    let settings: MembershipSettings
    package internal(set) var memory: ViewMemory
    package internal(set) var seat: Seat
    var random: SeededRandom
    package var wallClock = Timestamp.zero
    /// Nobody has confirmed yet what the wall clock shows: views keep the time of the one before. An era
    /// begins by it all the same, since versions that begin at one moment would be given out twice.
    package var isClockDoubted = false
    /// Whether a departed incarnation still matters to the state machine; set before each step
    /// of a coordinator: no other one decides.
    package var isRemembered: [Member: Bool] = [:]

    /// Since when this process knows the present view.
    var knownSince: Instant
    /// The epoch is ending, or was never entered.
    package internal(set) var isEnding = false
    package internal(set) var isBehind = false
    var isWedged = false
    var isFrozen = false
    var wedgedAt = Instant.distantPast
    var vector: [UInt64]?
    var delivered: [UInt64]
    var echoed: [Instant] = []

    var paths = Paths()
    var hearing: Hearing
    var suspicions: [NodeID: Suspicion] = [:]
    var leaving: [NodeID] = []
    /// A change of the member list that the next view should make.
    var wanted: MemberChange?
    /// What this machine still owes the group that it was removed from.
    package internal(set) var farewell: Farewell?
    /// Whom this member accused in this epoch, and whom it would have.
    var accused: [Member] = []
    var keptToItself: [NodeID] = []
    var patience = Patience()

    var takeoverAt = Instant.distantFuture
    var lastCoordinator: NodeID?
    var highestSeen = Ballot.none
    var backoff: Interval
    var attempt: Attempt?
    var pendingPromise: PendingPromise?
    var pendingAccept: PendingAccept?
    var installing: NextView?
    var installation: Installation?
    /// View 1 is to be told to the others once it is recorded here.
    var isAnnouncing = false
    /// The list of the newest view that this member heard of without being able to enter it: it
    /// says who may be asked for help.
    package internal(set) var heardList = MemberList.empty
    package internal(set) var heardEpoch = Epoch.none
    /// The newest view whose record from a teacher is under way, or was.
    var learning = Epoch.none
    /// Learners that are ready to be let in, the first that was so first.
    var joiners: [Joiner] = []
    /// Learners that could not be brought level in time.
    var latecomers: [NodeID: Latecomer] = [:]
    var founding = FoundingRun()
    var raising: PendingRaise?
    /// The history is being given up: from here on this member votes for nothing in it.
    package internal(set) var isAbandoned = false

    var nextToken: UInt64 = 1
    var nextPing = Instant.distantPast
    /// As the last tick left it: what this member takes part in may go on before the next heartbeat,
    /// so that ticks are wanted more often.
    package private(set) var isHurried = false

    /// There is an attempt, so that a step may decide.
    package var isCoordinating: Bool { attempt != nil }

    struct Suspicion: Equatable {
        var reason: DepartureReason
        var by: NodeID
        var silent: Interval
    }

    struct Latecomer: Equatable {
        var pause: Interval
        var until: Instant
    }

    struct PendingPromise: Equatable {
        var ballot: Ballot
        var coordinator: NodeID
        var token: UInt64?
    }

    struct PendingAccept: Equatable {
        var ballot: Ballot
        var coordinator: NodeID
        var token: UInt64
    }

    struct PendingRaise: Equatable {
        var ballot: Ballot
        var coordinator: NodeID
    }

    /// - Parameters:
    ///   - vector: What of the newest epoch was recovered; nil: no state.
    ///   - delivered: What of that is known to be delivered, and is not kept one by one.
    package init(
        own: Member, configured: [NodeID], settings: MembershipSettings, memory: ViewMemory,
        vector: [UInt64]?, delivered: [UInt64] = [], random: SeededRandom, now: Instant
    ) {
        self.own = own
        self.configured = configured
        self.settings = settings
        self.memory = memory
        if settings.plant == .ballotReusedAfterRestart { self.memory.promised = .none }
        heardList = memory.loss?.list ?? .empty
        heardEpoch = memory.loss?.epoch ?? .none
        self.vector = vector
        self.delivered = delivered
        self.random = random
        knownSince = now
        hearing = Hearing(window: settings.suspicion)
        backoff = settings.suspicion / 4
        seat = .blank
        isFrozen = true
        isWedged = true
        isEnding = true
        wedgedAt = now
        if let current = memory.current {
            seat = current.view.rank(of: own.node) == nil ? .outside : .voter
            farewell = Farewell(of: own.node, in: current)
            let rank = current.view.rank(of: own.node)?.index ?? 0
            takeoverAt = now.advanced(
                by: settings.heartbeat * 2 + settings.suspicion / 4 * Int64(rank))
        }
    }

    package func step(_ input: Input, now: Instant, effects: inout [Effect]) {
        guard !isAbandoned else { return stepAbandoned(input, now: now, effects: &effects) }
        switch input {
        case .frame(let node, let frame):
            take(frame, from: node, now: now, effects: &effects)
        case .connected(let member):
            connected(member, now: now, effects: &effects)
        case .disconnected(let node, let byPeer):
            disconnected(node, byPeer: byPeer, now: now, effects: &effects)
        case .suspect(let node, let reason, let silent, let late):
            accuse(node, reason, silent: silent, late: late, now: now, effects: &effects)
        case .frozen(let vector, let delivered, let echoed):
            self.vector = vector
            self.delivered = delivered
            self.echoed = echoed
            isFrozen = true
            answerPrepare(now: now, effects: &effects)
            advanceAttempt(now: now, effects: &effects)
        case .recorded(let token):
            recorded(token, now: now, effects: &effects)
        case .level:
            isLevel(now: now, effects: &effects)
        case .joinerLevel(let member, let trim):
            // One of an earlier attempt, which may be lower, says nothing of this one's.
            guard attempt?.value?.trim == trim else { return }
            attempt?.levelled(member.node)
            advanceAttempt(now: now, effects: &effects)
        case .joinerReady(let member, let hears):
            isReady(member, hears: hears, now: now)
        case .admit:
            admit(now: now, effects: &effects)
        case .leave:
            leave(now: now, effects: &effects)
        case .change(let change):
            want(change, now: now, effects: &effects)
        case .salvaged:
            preconditionFailure("another history begins, and the one before goes on")
        case .tick:
            tick(now: now, effects: &effects)
        }
    }

    private func take(
        _ frame: MembershipFrame, from node: NodeID, now: Instant, effects: inout [Effect]
    ) {
        switch frame {
        case .ping(let nonce): effects.append(.send(.pong(nonce), to: node))
        case .pong(let nonce):
            hearing.heard(node, nonce: nonce, now: now)
            answerPrepare(now: now, effects: &effects)
            advanceAttempt(now: now, effects: &effects)
        case .accuse(let epoch, let whom, let reason, let silent):
            guard isCurrent(epoch, from: node, effects: &effects) else { return }
            effects.append(.event(.accused(by: node, whom: whom, reason: reason, silent: silent)))
            suspect(whom, reason, by: node, silent: silent, now: now, effects: &effects)
        case .prepare(let ballot, let decided):
            prepare(ballot, decided: decided, from: node, now: now, effects: &effects)
        case .promise(let promise):
            guard isCurrent(promise.epoch, from: node, effects: &effects) else { return }
            take(promise, from: node, now: now)
            advanceAttempt(now: now, effects: &effects)
        case .overtaken(let epoch, let ballot):
            guard epoch == memory.epoch else { return }
            overtaken(by: ballot, now: now, effects: &effects)
        case .raise(let epoch, let ballot, let trim):
            guard isCurrent(epoch, from: node, effects: &effects), ballot == memory.promised
            else { return }
            raising = PendingRaise(ballot: ballot, coordinator: node)
            effects.append(.raise(trim: trim))
        case .fill(let epoch, let ballot, let to, let ranges):
            guard isCurrent(epoch, from: node, effects: &effects), ballot == memory.promised
            else { return }
            effects.append(.fill(to: to, ranges: ranges))
        case .level(let epoch, let ballot):
            guard epoch == memory.epoch, ballot == attempt?.ballot else { return }
            attempt?.levelled(node)
            advanceAttempt(now: now, effects: &effects)
        case .accept(let ballot, let value):
            accept(ballot, value, from: node, now: now, effects: &effects)
        case .accepted(let epoch, let ballot):
            guard epoch == memory.epoch, ballot == attempt?.ballot else { return }
            attempt?.acceptedBy(node)
            advanceAttempt(now: now, effects: &effects)
        case .install(let value):
            tellBack(value, to: node, effects: &effects)
            isKnown(value, to: node)
            offered(value, now: now, effects: &effects)
        case .found(let lineage, let founder, let members):
            confirmFounding(lineage, founder: founder, members: members, effects: &effects)
        case .founded(let lineage, let founder, let member):
            founded(lineage, founder: founder, by: member, now: now, effects: &effects)
        case .leave(let epoch):
            guard isCurrent(epoch, from: node, effects: &effects) else { return }
            if !leaving.contains(node) { leaving.append(node) }
            suspect(node, .left, by: node, silent: .zero, now: now, effects: &effects)
            giveUpLeaving(effects: &effects)
        case .change(let epoch, let change):
            guard isCurrent(epoch, from: node, effects: &effects) else { return }
            isWanted(change, by: node, now: now, effects: &effects)
        }
    }

    /// Whether a frame speaks of the present epoch. A frame of an older one is answered with the
    /// newest view.
    private func isCurrent(_ epoch: Epoch, from node: NodeID, effects: inout [Effect]) -> Bool {
        guard let current = memory.current else { return false }
        if epoch < current.epoch { effects.append(.send(.install(current), to: node)) }
        return epoch == current.epoch && installing == nil
    }

    private func tick(now: Instant, effects: inout [Effect]) {
        isHurried = false
        guard isEnding || seat != .member else { return }
        if now >= nextPing {
            nextPing = now.advanced(by: pingPause)
            ping(now: now, effects: &effects)
        }
        tickFounding(now: now, effects: &effects)
        tickFarewell(now: now, effects: &effects)
        answerPrepare(now: now, effects: &effects)
        advanceAttempt(now: now, effects: &effects)
        takeOver(now: now, effects: &effects)
        let isTakeoverNear = takeoverAt < now.advanced(by: settings.heartbeat)
        isHurried =
            isCoordinating || pendingPromise != nil || isTakeoverNear && mayTakeOver && mayVote
    }

    /// Between two pings, in whole heartbeats: there are two in the time for which an answer counts,
    /// which is longer for who has no vote and only waits to be let in.
    var pingPause: Interval {
        let window = seat == .member || seat == .voter ? settings.suspicion / 2 : settings.suspicion
        let count = window.nanoseconds / 2 / settings.heartbeat.nanoseconds
        return settings.heartbeat * max(1, count)
    }

    /// Whoever there is a path to, member of the view or not.
    func ping(now: Instant, effects: inout [Effect]) {
        for node in paths.nodes where node != own.node {
            effects.append(.send(.ping(now.nanoseconds), to: node))
        }
    }

    /// Writes a record and remembers it; `recorded` is told when it is synced.
    func record(_ record: ViewRecord, effects: inout [Effect]) -> UInt64 {
        let token = nextToken
        nextToken += 1
        effects.append(.record(record, token: token))
        return token
    }

    /// Of versions that begin now (V28): not below the day, so that what begins anew on empty disks does
    /// not give out tokens again. A clock that is beyond the year 2114 is wrong.
    var firstEra: UInt16 {
        let day = wallClock.daysSince2025
        return max(settings.minimumEra, day < 1 << 15 ? UInt16(day) : 0)
    }

    /// The members of the present view, this one excluded.
    var others: [NodeID] {
        (memory.current?.members ?? []).map(\.node).filter { $0 != own.node }
    }
}

package struct MembershipSettings: Equatable, Sendable {
    package var heartbeat: Interval
    package var suspicion: Interval
    /// As the founding's list has it: 0 means the majority.
    package var minimumMembers: Int
    /// Of the configured members, for the founding's list.
    package var addresses: [NodeID: [UInt8]]
    package var minimumEra: UInt16
    package var maximumSessionTTL: Interval
    /// No disk gives the state back to a process that was started again.
    package var stateDiesWithProcess: Bool
    package var plant: Plant?

    package init(
        heartbeat: Interval, suspicion: Interval, minimumMembers: Int,
        addresses: [NodeID: [UInt8]] = [:], minimumEra: UInt16, maximumSessionTTL: Interval,
        stateDiesWithProcess: Bool = false, plant: Plant? = nil
    ) {
        self.heartbeat = heartbeat
        self.suspicion = suspicion
        self.minimumMembers = minimumMembers
        self.addresses = addresses
        self.minimumEra = minimumEra
        self.maximumSessionTTL = maximumSessionTTL
        self.stateDiesWithProcess = stateDiesWithProcess
        self.plant = plant
    }
}
