package import ConclaveBase

extension Membership {
    var installToken: UInt64? { installation?.token }

    /// Takes a decided view from whoever told it.
    func offered(_ value: NextView, now: Instant, effects: inout [Effect]) {
        guard installing == nil, value.epoch > max(memory.epoch, learning) else { return }
        if memory.current == nil {
            let isOwnFounding =
                value.epoch == Epoch(1) && memory.founding?.lineage == value.lineage
            guard isOwnFounding || isHeedlessOfLoss else {
                noteList(of: value)
                return becomeBehind(now: now, effects: &effects)
            }
        } else {
            guard value.lineage == memory.lineage else { return }
            guard value.epoch == memory.epoch.next else {
                noteList(of: value)
                return becomeBehind(now: now, effects: &effects)
            }
            guard seat != .outside || hasPlace(in: value) else { return noteList(of: value) }
        }
        wedge(now: now, effects: &effects)
        beginInstall(value, effects: &effects)
    }

    /// Whether a learner was let in by `value`: this incarnation, or the one that had said it was
    /// level.
    private func hasPlace(in value: NextView) -> Bool {
        if value.view.contains(own) { return true }
        guard let joining = memory.joining else { return false }
        return value.view.contains(joining)
    }

    private func noteList(of value: NextView) {
        guard value.epoch > heardEpoch else { return }
        heardEpoch = value.epoch
        heardList = value.list
    }

    private func becomeBehind(now: Instant, effects: inout [Effect]) {
        guard !isBehind else { return }
        isBehind = true
        isEnding = true
        wedge(now: now, effects: &effects)
        endAttempt()
        effects.append(.event(.leftOut(memory.epoch)))
        effects.append(.learn)
    }

    /// Records a decided view; it is entered when the record is synced.
    func beginInstall(_ value: NextView, effects: inout [Effect]) {
        installing = value
        endAttempt()
        let voteFrom =
            earnsVote(in: value)
            ? min(memory.voteFrom, value.epoch) : voteFrom(knowing: value)
        let token = record(.installed(value, voteFrom: voteFrom), effects: &effects)
        installation = Installation(token: token, voteFrom: voteFrom)
    }

    /// A NodeID may vote from the first view on in which it has a seat, or would have but for a
    /// restart after it had recorded that it was ready for it (V13). What it may have voted before
    /// with a view journal that it lost is then of no more matter.
    private func earnsVote(in value: NextView) -> Bool {
        if memory.current == nil { return value.view.rank(of: own.node) != nil }
        return hasPlace(in: value)
    }

    func installRecorded(now: Instant, effects: inout [Effect]) {
        guard let value = installing, let installation else { return }
        self.installation = nil
        installing = nil
        memory.apply(.installed(value, voteFrom: installation.voteFrom))
        announceFirst(effects: &effects)
        enter(value, now: now, effects: &effects)
    }

    func enter(_ value: NextView, now: Instant, effects: inout [Effect]) {
        knownSince = now
        isBehind = false
        learning = .none
        endAttempt()
        pendingPromise = nil
        pendingAccept = nil
        raising = nil
        joiners = []
        for member in value.members { latecomers[member.node] = nil }
        suspicions = [:]
        judgeAccusations(by: value, now: now)
        leaving = []
        if settings.plant != .changeStaysWanted { wanted = nil }
        highestSeen = .none
        lastCoordinator = nil
        backoff = settings.suspicion / 4
        farewell = Farewell(of: own.node, in: value)
        echoed = []
        if value.view.contains(own) {
            seat = .member
            isEnding = false
            isWedged = false
            isFrozen = false
            vector = nil
            takeoverAt = .distantFuture
        } else {
            seat = value.view.rank(of: own.node) == nil ? .outside : .voter
            isEnding = true
            isWedged = true
            isFrozen = true
            wedgedAt = now
            takeoverAt = now.advanced(by: takeoverDelay)
            if seat == .outside { effects.append(.event(.leftOut(value.epoch))) }
        }
        effects.append(.event(.installed(value.installed)))
        effects.append(.event(.listed(value.list, in: value.epoch, after: value.change)))
        effects.append(.install(value, seat))
        if seat == .member {
            tellOutsiders(of: value, effects: &effects)
            replaceTheDead(value, now: now, effects: &effects)
        }
    }

    /// Machines of the list that are there without a seat hear of the view: one may know a view of which
    /// no member is left, and hear of newer ones from nobody else; or it may have been removed a moment
    /// ago and added again, and be about to end.
    private func tellOutsiders(of value: NextView, effects: inout [Effect]) {
        for node in paths.nodes
        where value.list.contains(node) && value.view.rank(of: node) == nil {
            effects.append(.send(.install(value), to: node))
        }
    }

    /// A view that names incarnations now dead is followed at once by the next change (V19).
    private func replaceTheDead(
        _ value: NextView, now: Instant, effects: inout [Effect]
    ) {
        for member in value.members where member != own {
            guard let path = paths[member.node], path != member else { continue }
            effects.append(
                .event(.suspected(member.node, reason: .died, silent: .zero, late: .zero)))
            suspect(member.node, .died, by: own.node, silent: .zero, now: now, effects: &effects)
        }
    }

    /// What the replica holds of the present epoch, after it entered a view without a seat.
    package func holds(_ vector: [UInt64]?, delivered: [UInt64] = []) {
        guard seat != .member else { return }
        self.vector = vector
        self.delivered = delivered
    }

    /// A view from a teacher is to be recorded: from now on nobody else's word of it, or of an older
    /// one, is taken. The order goes with the teacher, and would not reach the view another way.
    ///
    /// - Returns: False if another way already leads to a view, which is entered first.
    package func learns(_ value: NextView) -> Bool {
        guard installing == nil else { return false }
        learning = max(learning, value.epoch)
        return true
    }

    /// A view that was learned from a teacher, already synced. It is older than any in which this
    /// process could have a seat.
    package func learned(_ value: NextView, voteFrom: Epoch, now: Instant) {
        memory.apply(.installed(value, voteFrom: voteFrom))
        farewell = nil
        knownSince = now
        endAttempt()
        pendingPromise = nil
        pendingAccept = nil
        isEnding = true
        isBehind = true
        seat = .outside
        takeoverAt = .distantFuture
        vector = nil
    }

    /// This incarnation has recorded that it is level with the trim that lets it in.
    package func isJoining(_ member: Member) {
        memory.apply(.joining(member))
    }

    /// With whom this member has heard each other, both ways, for that long without a break (V23).
    package func heardSteadily(for time: Interval, now: Instant) -> [Member] {
        var result: [Member] = []
        for node in paths.nodes where node != own.node {
            guard let member = paths[node], let steady = hearing.steadyFor(node, now: now)
            else { continue }
            if steady >= time { result.append(member) }
        }
        return result
    }
}
