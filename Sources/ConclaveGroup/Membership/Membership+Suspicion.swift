import ConclaveBase

extension Membership {
    /// Ends the epoch because of `whom`. Suspicion ends the epoch, not the member: who is in the
    /// next view is measured afresh (V11).
    func suspect(
        _ whom: NodeID, _ reason: DepartureReason, by accuser: NodeID, silent: Interval,
        now: Instant, effects: inout [Effect]
    ) {
        guard seat == .member, let current = memory.current, installing == nil,
            current.view.rank(of: whom) != nil
        else { return }
        if suspicions[whom] == nil || reason == .died {
            suspicions[whom] = Suspicion(reason: reason, by: accuser, silent: silent)
        }
        let isFirst = !isEnding
        end(now: now, effects: &effects)
        guard isFirst, accuser == own.node, reason != .left else { return }
        for node in others {
            effects.append(
                .send(
                    .accuse(current.epoch, whom: whom, reason: reason, silent: silent), to: node))
        }
    }

    /// Begins to end the epoch: wedges, measures who is there, and waits for a coordinator or
    /// becomes one.
    func end(now: Instant, effects: inout [Effect]) {
        guard !isEnding else { return }
        isEnding = true
        wedge(now: now, effects: &effects)
        takeoverAt = now.advanced(by: takeoverDelay)
        takeOver(now: now, effects: &effects)
    }

    func wedge(now: Instant, effects: inout [Effect]) {
        guard !isWedged else { return }
        isWedged = true
        isFrozen = false
        wedgedAt = now
        joiners = joiners.filter { isAdmissible($0, now: now) }
        nextPing = now.advanced(by: pingPause)
        effects.append(.event(.wedged(memory.epoch)))
        effects.append(.wedge)
        ping(now: now, effects: &effects)
    }

    /// The lowest rank that may be there goes first; others follow, each after a longer time (V14).
    var takeoverDelay: Interval {
        guard let current = memory.current, let rank = current.view.rank(of: own.node) else {
            return .zero
        }
        let before = current.members.prefix(rank.index).filter {
            paths[$0.node] != nil && suspicions[$0.node] == nil
        }
        return settings.suspicion / 2 * Int64(before.count)
    }

    /// Nothing but the time keeps this member from coordinating the next view.
    var mayTakeOver: Bool {
        !isCoordinating && installing == nil && isEnding && !isBehind
            && (seat == .member || seat == .voter)
    }

    func takeOver(now: Instant, effects: inout [Effect]) {
        guard now >= takeoverAt, mayTakeOver, let quorum = memory.current?.installed.view.quorum
        else { return }
        let present = others.filter { paths[$0] != nil }
        guard present.count + 1 >= quorum else {
            takeoverAt = now.advanced(by: settings.heartbeat)
            let missing = others.filter { paths[$0] == nil }
            effects.append(.event(.waiting(for: missing, purpose: .quorum)))
            return
        }
        startAttempt(now: now, effects: &effects)
    }

    func connected(_ member: Member, now: Instant, effects: inout [Effect]) {
        paths[member.node] = member
        hearing.broken(member.node)
        if isEnding || seat != .member {
            effects.append(.send(.ping(now.nanoseconds), to: member.node))
        }
        guard let current = memory.current else { return }
        // Whoever was away learns at once where the others are, and need not ask for promises.
        if seat == .member, !isEnding, !current.view.contains(member) {
            effects.append(.send(.install(current), to: member.node))
        }
        guard let rank = current.view.rank(of: member.node) else { return }
        if seat == .member, !isEnding, current.members[rank.index] != member {
            let silent = Interval.zero
            effects.append(
                .event(.suspected(member.node, reason: .died, silent: silent, late: .zero)))
            suspect(member.node, .died, by: own.node, silent: silent, now: now, effects: &effects)
        }
        attempt?.resend(to: member.node)
        advanceAttempt(now: now, effects: &effects)
    }

    func disconnected(
        _ node: NodeID, byPeer: Bool, now: Instant, effects: inout [Effect]
    ) {
        paths[node] = nil
        hearing.broken(node)
        let reason: DepartureReason = byPeer ? .died : .unreachable
        if seat == .member, memory.current?.view.rank(of: node) != nil {
            if !isEnding {
                effects.append(
                    .event(.suspected(node, reason: reason, silent: .zero, late: .zero)))
            }
            suspect(node, reason, by: own.node, silent: .zero, now: now, effects: &effects)
        }
        drop([node], now: now, effects: &effects)
        if isEnding, lastCoordinator == node {
            takeoverAt = min(takeoverAt, now.advanced(by: takeoverDelay))
        }
        answerPrepare(now: now, effects: &effects)
        advanceAttempt(now: now, effects: &effects)
    }

    func leave(now: Instant, effects: inout [Effect]) {
        guard seat == .member, let current = memory.current, !leaving.contains(own.node) else {
            return
        }
        leaving.append(own.node)
        for node in others { effects.append(.send(.leave(current.epoch), to: node)) }
        suspect(own.node, .left, by: own.node, silent: .zero, now: now, effects: &effects)
    }

    /// Where too few would stay, as when all are stopped at once, nobody waits for a view without
    /// the others: who leaves is gone, as after a crash.
    func giveUpLeaving(effects: inout [Effect]) {
        guard leaving.contains(own.node), let current = memory.current,
            current.members.count - leaving.count < current.installed.minimumMembers
        else { return }
        effects.append(.event(.leftOut(current.epoch)))
    }
}
