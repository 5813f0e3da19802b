package import ConclaveBase

extension Membership {
    /// A vote belongs to a NodeID with an intact view journal (V13).
    package var mayVote: Bool {
        isHeedlessOfLoss || memory.voteFrom <= memory.epoch
    }

    /// From when on it belongs to this disk, once it is known that there is that view.
    package func voteFrom(knowing value: NextView) -> Epoch {
        memory.voteFrom(knowing: value, as: own)
    }

    /// Bugs for the simulator to find.
    var isHeedlessOfLoss: Bool {
        settings.plant == .blankMemberVotes
            || settings.plant == .setAsideMemberVotes && memory.loss != nil
    }

    func prepare(
        _ ballot: Ballot, decided: NextView, from node: NodeID, now: Instant,
        effects: inout [Effect]
    ) {
        guard decided.epoch <= memory.epoch else {
            return offered(decided, now: now, effects: &effects)
        }
        guard let current = memory.current, installing == nil else { return }
        guard decided.epoch == current.epoch else {
            effects.append(.send(.install(current), to: node))
            return
        }
        highestSeen = max(highestSeen, ballot)
        guard mayVote, current.view.rank(of: own.node) != nil else {
            effects.append(.event(.withoutVote(current.epoch)))
            return
        }
        guard ballot >= memory.promised else {
            effects.append(.send(.overtaken(current.epoch, by: memory.promised), to: node))
            return
        }
        yield(to: node, with: ballot, now: now)
        isEnding = true
        wedge(now: now, effects: &effects)
        if ballot > memory.promised {
            memory.apply(
                .promise(current.epoch, ballot),
                forgetsAccepted: settings.plant == .forgetAcceptedValue)
            let token = record(.promise(current.epoch, ballot), effects: &effects)
            pendingPromise = PendingPromise(ballot: ballot, coordinator: node, token: token)
        } else if pendingPromise == nil {
            pendingPromise = PendingPromise(ballot: ballot, coordinator: node, token: nil)
        }
        answerPrepare(now: now, effects: &effects)
    }

    /// Lets `coordinator` go on undisturbed for a while.
    private func yield(to coordinator: NodeID, with ballot: Ballot, now: Instant) {
        if isCoordinating, coordinator != own.node { endAttempt() }
        lastCoordinator = coordinator
        takeoverAt =
            settings.plant == .promisedForEver
            ? .distantFuture : now.advanced(by: time(for: ballot) + takeoverDelay)
    }

    /// Answers the coordinator once the promise is synced, what was received is frozen, and it is
    /// known who hears whom.
    func answerPrepare(now: Instant, effects: inout [Effect]) {
        guard let pending = pendingPromise, pending.token == nil, isFrozen, isHearingMeasured(now)
        else { return }
        pendingPromise = nil
        guard pending.ballot == memory.promised, pending.coordinator != own.node else { return }
        effects.append(.event(.promised(memory.epoch, pending.ballot)))
        effects.append(
            .send(.promise(makePromise(pending.ballot, now: now)), to: pending.coordinator))
    }

    func isHearingMeasured(_ now: Instant) -> Bool {
        // As long as an answer counts: on a slow link it takes most of that.
        if now.since(wedgedAt) >= settings.suspicion / 2 { return true }
        return others.allSatisfy { node in
            let reason = suspicions[node]?.reason
            return paths[node] == nil || hears(node, now: now) || reason == .silent
                || reason == .stalled
        }
    }

    func hears(_ node: NodeID, now: Instant) -> Bool {
        paths[node] != nil
            && hearing.hears(
                node, sentSince: wedgedAt, window: settings.suspicion / 2, now: now)
    }

    func makePromise(_ ballot: Ballot, now: Instant) -> Promise {
        Promise(
            epoch: memory.epoch, ballot: ballot, from: own, vector: vector,
            delivered: delivered, livedThrough: seat == .member, accepted: memory.accepted,
            hears: others.filter { hears($0, now: now) }, silences: silences(now: now),
            wanted: wanted)
    }

    /// For how long each other incarnation has at least not been echoed here (V15, V18).
    private func silences(now: Instant) -> [Promise.Silence] {
        guard let current = memory.current else { return [] }
        var result: [Promise.Silence] = []
        for (rank, member) in current.members.enumerated() where member != own {
            var start = knownSince
            if seat == .member, echoed.indices.contains(rank) { start = max(start, echoed[rank]) }
            result.append(Promise.Silence(member: member, interval: now.since(start)))
        }
        for departed in current.installed.departed + current.installed.absent {
            result.append(
                Promise.Silence(
                    member: departed.member, interval: departed.silent + now.since(knownSince)))
        }
        return result
    }

    func accept(
        _ ballot: Ballot, _ value: NextView, from node: NodeID, now: Instant,
        effects: inout [Effect]
    ) {
        guard let current = memory.current, installing == nil,
            current.view.rank(of: own.node) != nil, value.lineage == current.lineage
        else { return }
        guard value.epoch == current.epoch.next else {
            if value.epoch <= current.epoch {
                effects.append(.send(.install(current), to: node))
            }
            return
        }
        highestSeen = max(highestSeen, ballot)
        guard mayVote else { return effects.append(.event(.withoutVote(current.epoch))) }
        guard ballot >= memory.promised else {
            effects.append(.send(.overtaken(current.epoch, by: memory.promised), to: node))
            return
        }
        guard pendingAccept?.ballot != ballot else { return }
        yield(to: node, with: ballot, now: now)
        isEnding = true
        wedge(now: now, effects: &effects)
        memory.apply(.accept(ballot, value))
        let token = record(.accept(ballot, value), effects: &effects)
        pendingAccept = PendingAccept(ballot: ballot, coordinator: node, token: token)
        guard settings.plant == .acceptedBeforeSync else { return }
        effects.append(.send(.accepted(memory.epoch, ballot), to: node))
    }

    /// A record is synced: what waited for it goes out.
    func recorded(_ token: UInt64, now: Instant, effects: inout [Effect]) {
        if pendingPromise?.token == token {
            pendingPromise?.token = nil
            answerPrepare(now: now, effects: &effects)
        } else if let pending = pendingAccept, pending.token == token {
            pendingAccept = nil
            effects.append(.event(.accepted(memory.epoch, pending.ballot)))
            effects.append(.send(.accepted(memory.epoch, pending.ballot), to: pending.coordinator))
        } else if founding.token == token {
            foundingRecorded(now: now, effects: &effects)
        } else if installToken == token {
            installRecorded(now: now, effects: &effects)
        } else {
            if let attempt, attempt.phase == .accepting(token: token) {
                effects.append(.event(.accepted(memory.epoch, attempt.ballot)))
            }
            attempt?.recorded(
                token, by: own.node,
                promisesUntil: now.advanced(by: time(for: attempt?.ballot ?? .none) * 2))
            advanceAttempt(now: now, effects: &effects)
        }
    }

    func isLevel(now: Instant, effects: inout [Effect]) {
        guard let raising, raising.ballot == memory.promised else { return }
        if raising.coordinator == own.node {
            attempt?.levelled(own.node)
            advanceAttempt(now: now, effects: &effects)
        } else {
            effects.append(.send(.level(memory.epoch, raising.ballot), to: raising.coordinator))
        }
    }
}
