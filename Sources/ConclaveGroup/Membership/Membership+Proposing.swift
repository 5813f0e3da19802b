import ConclaveBase

extension Membership {
    /// Makes and syncs the own promise for a ballot above every one known; only then is it asked of
    /// others (V14).
    func startAttempt(now: Instant, effects: inout [Effect]) {
        guard let current = memory.current, let rank = current.view.rank(of: own.node), mayVote
        else { return }
        let round = max(memory.promised.round, highestSeen.round) + 1
        let ballot = Ballot(round: round, rank: rank)
        isEnding = true
        wedge(now: now, effects: &effects)
        memory.apply(
            .promise(current.epoch, ballot),
            forgetsAccepted: settings.plant == .forgetAcceptedValue)
        let token = record(.promise(current.epoch, ballot), effects: &effects)
        pendingPromise = nil
        lastCoordinator = own.node
        attempt = Attempt(ballot: ballot, phase: .recording(token: token))
    }

    func endAttempt() {
        attempt = nil
    }

    func overtaken(by ballot: Ballot, now: Instant, effects: inout [Effect]) {
        highestSeen = max(highestSeen, ballot)
        guard let attempt, ballot > attempt.ballot else { return }
        effects.append(.event(.overtaken(memory.epoch, by: ballot)))
        retryLater(now: now)
    }

    /// Gives this ballot up; a higher one follows after a random time from a doubling interval.
    private func retryLater(now: Instant) {
        endAttempt()
        let pause = random.interval(in: .zero...backoff)
        backoff = min(backoff * 2, .seconds(1))
        takeoverAt = now.advanced(by: settings.suspicion / 4 + pause)
    }

    /// How long a record of that ballot may take to be synced, one file after the other: each ballot has
    /// twice the time of the one before it, so that slow disks are waited for in the end. Not much longer:
    /// a coordinator that hangs is waited for as well.
    func time(for ballot: Ballot) -> Interval {
        settings.suspicion * (2 << Int64(min(max(ballot.round, 1) - 1, 2)))
    }

    /// Goes on with the own ballot as far as it can.
    func advanceAttempt(now: Instant, effects: inout [Effect]) {
        guard let attempt, installing == nil else { return }
        switch attempt.phase {
        case .recording: return
        case .preparing: advancePreparing(attempt, now: now, effects: &effects)
        case .levelling: advanceLevelling(attempt, now: now, effects: &effects)
        case .accepting: advanceAccepting(attempt, now: now, effects: &effects)
        }
        // It may have come to its end.
        if self.attempt === attempt, now >= attempt.deadline { retryLater(now: now) }
    }

    private func advancePreparing(
        _ attempt: Attempt, now: Instant, effects: inout [Effect]
    ) {
        guard let decided = memory.current else { return }
        if now >= attempt.nextSend {
            attempt.nextSend = now.advanced(by: settings.heartbeat * 2)
            attempt.preparedAt = attempt.preparedAt ?? now
            for node in others where attempt.promises[node] == nil {
                effects.append(.send(.prepare(attempt.ballot, decided: decided), to: node))
            }
        }
        guard isFrozen, isHearingMeasured(now) else { return }
        let promised = others.count { attempt.promises[$0] != nil } + 1
        guard promised >= decided.view.quorum else { return }
        let quorumAt = attempt.quorumAt ?? now
        attempt.quorumAt = quorumAt
        // Who has a majority and waits on knows for whom, and says so.
        attempt.deadline = .distantFuture
        let isComplete = others.allSatisfy {
            attempt.promises[$0] != nil || !hears($0, now: now)
        }
        let waitsForAll =
            settings.plant == .waitsForAll && promised < decided.members.count
        guard isComplete || now.since(quorumAt) >= settings.suspicion / 2, !waitsForAll else {
            return
        }
        attempt.promises[own.node] = makePromise(attempt.ballot, now: now)
        if let accepted = attempt.promises.values.compactMap(\.accepted).max(by: {
            $0.ballot < $1.ballot
        }) {
            attempt.value = accepted.value
            return propose(attempt, now: now, effects: &effects)
        }
        decide(attempt, now: now, effects: &effects)
        guard attempt.value != nil else {
            if attempt.isTooSmall { waitForMembers(attempt, since: quorumAt, effects: &effects) }
            return
        }
        attempt.phase = .levelling
        attempt.nextSend = .distantPast
        attempt.joinersUntil = now.advanced(by: settings.suspicion * 2)
        attempt.deadline = now.advanced(by: settings.suspicion * 4)
        advanceLevelling(attempt, now: now, effects: &effects)
    }

    /// A promise answers what was asked since this member wedged: so each of the two hears the other, as
    /// by a ping, which may still be on its way.
    func take(_ promise: Promise, from node: NodeID, now: Instant) {
        var promise = promise
        if !promise.hears.contains(own.node) { promise.hears.append(own.node) }
        guard attempt?.take(promise) ?? false, let asked = attempt?.preparedAt else { return }
        hearing.heard(node, nonce: asked.nanoseconds, now: now)
    }

    private func waitForMembers(
        _ attempt: Attempt, since quorumAt: Instant, effects: inout [Effect]
    ) {
        attempt.deadline = quorumAt.advanced(by: settings.suspicion * 2)
        guard !attempt.reportedWait else { return }
        attempt.reportedWait = true
        effects.append(.event(.waiting(for: others, purpose: .members)))
    }

    private func advanceLevelling(
        _ attempt: Attempt, now: Instant, effects: inout [Effect]
    ) {
        leaveOutTheLate(attempt, now: now, effects: &effects)
        guard let value = attempt.value else { return }
        if attempt.lacking.isEmpty { return propose(attempt, now: now, effects: &effects) }
        guard now >= attempt.nextSend else { return }
        attempt.nextSend = now.advanced(by: settings.suspicion)
        for node in attempt.lacking {
            if node == own.node {
                raising = PendingRaise(ballot: attempt.ballot, coordinator: own.node)
                effects.append(.raise(trim: value.trim))
            } else if let joiner = attempt.joining.first(where: { $0.node == node }) {
                effects.append(.levelJoiner(joiner, trim: value.trim))
            } else {
                effects.append(
                    .send(.raise(memory.epoch, attempt.ballot, trim: value.trim), to: node))
            }
        }
        for fill in attempt.fills where attempt.lacking.contains(fill.to) {
            if fill.holder == own.node {
                effects.append(.fill(to: fill.to, ranges: fill.ranges))
            } else {
                let frame = MembershipFrame.fill(
                    memory.epoch, attempt.ballot, to: fill.to, ranges: fill.ranges)
                effects.append(.send(frame, to: fill.holder))
            }
        }
    }

    /// Asks for acceptance, the own one first on its way to the disk.
    private func propose(
        _ attempt: Attempt, now: Instant, effects: inout [Effect]
    ) {
        guard let value = attempt.value else { return }
        effects.append(.event(.proposed(attempt.ballot, value: value)))
        memory.apply(.accept(attempt.ballot, value))
        let token = record(.accept(attempt.ballot, value), effects: &effects)
        attempt.phase = .accepting(token: token)
        attempt.deadline = now.advanced(by: time(for: attempt.ballot))
        attempt.nextSend = .distantPast
        advanceAccepting(attempt, now: now, effects: &effects)
    }

    private func advanceAccepting(
        _ attempt: Attempt, now: Instant, effects: inout [Effect]
    ) {
        guard let value = attempt.value, let current = memory.current else { return }
        let deciders = settings.plant == .quorumOfNewView ? value.view : current.view
        if attempt.accepted.count >= deciders.quorum {
            var audience = others
            for member in value.members where member.node != own.node {
                if !audience.contains(member.node) { audience.append(member.node) }
            }
            for node in audience { effects.append(.send(.install(value), to: node)) }
            beginInstall(value, effects: &effects)
            return
        }
        guard now >= attempt.nextSend else { return }
        attempt.nextSend = now.advanced(by: settings.heartbeat * 2)
        for node in others where !attempt.accepted.contains(node) {
            effects.append(.send(.accept(attempt.ballot, value), to: node))
        }
    }
}
