import ConclaveBase

/// A learner that says it is ready to be let in.
struct Joiner: Equatable {
    var member: Member
    /// Other machines that it and they have heard steadily.
    var hears: [Member]
    var readyAt: Instant
}

/// Letting learners in (V16, V22, V23). Whoever is ready when the epoch ends, for whatever reason,
/// is proposed by the member that teaches it, if that one coordinates.
extension Membership {
    func isReady(_ member: Member, hears: [Member], now: Instant) {
        // Who was removed a moment ago is taught to the end, and not let in.
        guard seat == .member, !isEnding, installing == nil, isListed(member.node, in: list)
        else { return }
        let joiner = Joiner(member: member, hears: hears, readyAt: now)
        if let place = joiners.firstIndex(where: { $0.member == member }) {
            joiners[place] = joiner
        } else {
            joiners.removeAll { $0.member.node == member.node }
            joiners.append(joiner)
        }
    }

    private func isListed(_ node: NodeID, in list: MemberList) -> Bool {
        list.contains(node) || settings.plant == .strangerLetIn
    }

    /// It has said that it is ready not long ago, and does not pause after it came too late.
    func isAdmissible(_ joiner: Joiner, now: Instant) -> Bool {
        now.since(joiner.readyAt) <= settings.suspicion
            && now >= latecomers[joiner.member.node]?.until ?? .distantPast
    }

    /// Ends the epoch for those who are ready to be let in, by a view change that this member
    /// coordinates.
    func admit(now: Instant, effects: inout [Effect]) {
        guard seat == .member, !isEnding, installing == nil,
            joiners.contains(where: { isAdmissible($0, now: now) })
        else { return }
        isEnding = true
        wedge(now: now, effects: &effects)
        takeoverAt = now
        takeOver(now: now, effects: &effects)
    }

    /// Some who are ready have not heard each other, or not said so yet.
    package var joinersAreApart: Bool {
        joiners.contains { joiner in
            joiners.contains { $0.member != joiner.member && !joiner.hears.contains($0.member) }
        }
    }

    /// Who joins beside `members`, that stay: at most as many, and such that all hear each other.
    func joining(_ members: [Member], of list: MemberList, now: Instant) -> [Member] {
        var chosen: [Joiner] = []
        for joiner in joiners where chosen.count < members.count {
            let member = joiner.member
            let isThere =
                isListed(member.node, in: list) && paths[member.node] == member
                && (now.since(wedgedAt) <= settings.suspicion || hears(member.node, now: now))
            let isHeard = chosen.allSatisfy {
                $0.hears.contains(member) && joiner.hears.contains($0.member)
            }
            guard isThere, isHeard, !members.contains(where: { $0.node == member.node }) else {
                continue
            }
            chosen.append(joiner)
        }
        return chosen.map(\.member)
    }

    /// The group stands still for learners that do not get level: the others go on without them,
    /// and they are let try again after a pause that grows (V23).
    func leaveOutTheLate(_ attempt: Attempt, now: Instant, effects: inout [Effect]) {
        guard attempt.phase == .levelling, now >= attempt.joinersUntil else { return }
        let late = attempt.joining.filter { attempt.lacking.contains($0.node) }
        guard !late.isEmpty else { return }
        for member in late {
            let before = latecomers[member.node]?.pause ?? settings.suspicion * 4
            let pause = min(before * 2, .seconds(60))
            latecomers[member.node] = Latecomer(pause: pause, until: now.advanced(by: pause))
            joiners.removeAll { $0.member == member }
            effects.append(.event(.heldBack(member.node, pause: pause)))
        }
        decide(attempt, now: now, effects: &effects)
    }

    /// These learners are gone: a value with them that was not proposed to anybody is chosen anew.
    func drop(_ gone: [NodeID], now: Instant, effects: inout [Effect]) {
        joiners.removeAll { gone.contains($0.member.node) }
        guard let attempt, attempt.phase == .levelling,
            attempt.joining.contains(where: { gone.contains($0.node) })
        else { return }
        decide(attempt, now: now, effects: &effects)
    }
}
