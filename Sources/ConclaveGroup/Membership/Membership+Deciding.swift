import ConclaveBase

extension Membership {
    /// Chooses the next view from the promises, if they allow one; else the attempt waits on. The
    /// same promises give the same trim: who is level with it stays so when joiners are dropped.
    func decide(_ attempt: Attempt, now: Instant, effects: inout [Effect]) {
        guard let current = memory.current else { return }
        let promises = current.members.compactMap { attempt.promises[$0.node] }
        let withState = promises.filter { $0.vector != nil }
        var stateWasLost = false
        var candidates = withState
        if withState.isEmpty {
            // An empty state by a majority alone could forget what an absent member still has
            // (V26).
            let missing = current.members.filter {
                attempt.promises[$0.node] == nil && !isStateGone(with: $0, now: now)
            }.map(\.node)
            guard missing.isEmpty || settings.plant == .emptyStateByMajority else {
                if !attempt.reportedWait {
                    effects.append(.event(.waiting(for: missing, purpose: .state)))
                    attempt.reportedWait = true
                }
                return
            }
            stateWasLost = true
            candidates = promises
        }
        let trim =
            stateWasLost
            ? Array(repeating: 0, count: current.members.count)
            : trim(of: withState, memberCount: current.members.count)
        if !stateWasLost, settings.plant != .trimByMaximum {
            candidates.removeAll { fills(for: $0, from: withState, trim: trim) == nil }
        }
        let staying = candidates.filter { !leaving.contains($0.from.node) }
        if staying.count >= current.installed.minimumMembers { candidates = staying }
        var chosen = largestMutuallyHearing(candidates)
        let change = change(after: current, promises: promises, staying: chosen)
        if let change, change.isRemoval {
            candidates.removeAll { $0.from.node == change.node }
            chosen = largestMutuallyHearing(candidates)
        }
        guard !chosen.isEmpty else { return }
        let list = change?.applied(to: current.list) ?? current.list
        let members = chosen.map(\.from)
        let joining = joining(members, of: list, now: now)
        // Where more could be in it if they heard each other, a view of fewer serves nothing, and who is
        // left over could not go on without each of it.
        let needed = min(list.minimumMembers, current.view.quorum, candidates.count)
        attempt.isTooSmall = members.count + joining.count < needed
        guard !attempt.isTooSmall else {
            // One that was chosen with a learner that is gone by now is not proposed.
            attempt.value = nil
            return
        }
        attempt.joining = joining
        attempt.value = nextView(
            Choice(
                members: members + attempt.joining, trim: trim, stateWasLost: stateWasLost,
                list: settings.plant == .listFromFile ? foundingList : list, change: change),
            promises: promises, after: current)
        attempt.lacking = settings.plant == .joinerNotLevel ? [] : attempt.joining.map(\.node)
        attempt.fills = []
        if !stateWasLost { planFills(attempt, chosen: chosen, holders: withState, trim: trim) }
        let risen = attempt.risen
        attempt.lacking.removeAll { risen.contains($0) }
    }

    /// Whether a member of the present view took its state with it, though nobody votes for its node: in
    /// memory mode the state ends with the process, and another process of that node, which answers
    /// what was asked when the view with `member` in it was known already, was started later. One
    /// whose path is old may be an earlier one, and proves nothing.
    private func isStateGone(with member: Member, now: Instant) -> Bool {
        guard settings.stateDiesWithProcess, let path = paths[member.node] else { return false }
        return path != member && hears(member.node, now: now)
    }

    /// V17: the minimum over those who lived through the epoch; if nobody did, the maximum over
    /// those with state.
    private func trim(of promises: [Promise], memberCount: Int) -> [UInt64] {
        let lived = promises.filter(\.livedThrough)
        return (0..<memberCount).map { sender in
            let values = (lived.isEmpty ? promises : lived).map { $0.held(of: sender) }
            if lived.isEmpty || settings.plant == .trimByMaximum { return values.max() ?? 0 }
            return values.min() ?? 0
        }
    }

    /// Who lacks what below the trim, and who sends it.
    private func planFills(
        _ attempt: Attempt, chosen: [Promise], holders: [Promise], trim: [UInt64]
    ) {
        guard settings.plant != .trimByMaximum else { return }
        for promise in chosen {
            guard let fills = fills(for: promise, from: holders, trim: trim), !fills.isEmpty else {
                continue
            }
            attempt.fills += fills
            attempt.lacking.append(promise.from.node)
        }
    }

    /// What brings a member level with the trim. Nil: nobody has it any more, for all but this one have
    /// delivered it. It had said that it has that, and does not: its disk has lost it without a word,
    /// as a write that was under way when the power went (V30). So it learns like one that was away.
    private func fills(
        for promise: Promise, from holders: [Promise], trim: [UInt64]
    ) -> [Attempt.Fill]? {
        var fills: [Attempt.Fill] = []
        for sender in trim.indices where promise.held(of: sender) < trim[sender] {
            let range = promise.held(of: sender)..<trim[sender]
            let able = holders.filter {
                $0.canGive(range, of: sender)
                    || settings.plant == .lossWaitedFor && $0.held(of: sender) >= trim[sender]
            }
            guard let holder = able.first(where: { $0.from == own }) ?? able.first else {
                return nil
            }
            fills.append(
                Attempt.Fill(
                    holder: holder.from.node, to: promise.from.node,
                    ranges: [FillRange(sender: sender, ordinals: range)]))
        }
        return fills
    }

    /// The largest set whose members all hear each other, both ways; of equal ones, the one with
    /// the lower ranks (V16). Views have at most 16 members, so every set is tried.
    private func largestMutuallyHearing(_ promises: [Promise]) -> [Promise] {
        let count = min(promises.count, 16)
        var hears = Array(repeating: 0, count: count)
        for (index, promise) in promises.prefix(count).enumerated() {
            for other in 0..<count
            where other == index || promise.hears.contains(promises[other].from.node) {
                hears[index] |= 1 << other
            }
        }
        var best = 0
        for set in 0..<(1 << count) {
            let isLarger = set.nonzeroBitCount > best.nonzeroBitCount
            let hasLowerRanks =
                set.nonzeroBitCount == best.nonzeroBitCount && isLower(set, than: best)
            guard isLarger || hasLowerRanks else { continue }
            let isMutual = (0..<count).allSatisfy {
                set & (1 << $0) == 0 || hears[$0] & set == set
            }
            if isMutual { best = set }
        }
        return (0..<count).filter { best & (1 << $0) != 0 }.map { promises[$0] }
    }

    /// Whether the lowest rank in which two sets differ is in `set`.
    private func isLower(_ set: Int, than other: Int) -> Bool {
        let difference = set ^ other
        guard difference != 0 else { return false }
        return set & (difference & -difference) != 0
    }

    /// What of the next view depends on more than the promises' silences.
    private struct Choice {
        var members: [Member]
        var trim: [UInt64]
        var stateWasLost: Bool
        var list: MemberList
        var change: MemberChange?
    }

    private func nextView(
        _ choice: Choice, promises: [Promise], after current: NextView
    ) -> NextView {
        let members = choice.members
        let departed = current.members.filter { !members.contains($0) }.map {
            departure(of: $0, list: choice.list, promises: promises)
        }
        // An incarnation that came back is present: if it departs again, its silence begins anew.
        let absent = (current.installed.departed + current.installed.absent)
            .filter { isRemembered[$0.member] ?? true }
            .filter { !members.contains($0.member) && !current.members.contains($0.member) }
            .map { old in
                var departed = old
                departed.silent = silence(of: old.member, promises: promises)
                return departed
            }
        let joined = members.filter { !current.members.contains($0) }.map(\.node)
        let nextEra = min(current.era, NextView.lastEra - 1) + 1
        let era = choice.stateWasLost ? max(nextEra, firstEra) : current.era
        return NextView(
            lineage: current.lineage, givenUp: current.givenUp,
            installed: InstalledView(
                view: View(epoch: current.epoch.next, members: members), joined: joined,
                departed: departed, absent: absent,
                minimumMembers: choice.list.minimumMembers, stateWasLost: choice.stateWasLost),
            trim: choice.trim, era: era, maximumSessionTTL: current.maximumSessionTTL,
            list: choice.list, change: choice.change,
            time: isClockDoubted && !choice.stateWasLost
                ? current.time : max(wallClock, current.time))
    }

    private func departure(
        of member: Member, list: MemberList, promises: [Promise]
    ) -> InstalledView.Departed {
        let promise = promises.first { $0.from.node == member.node }
        let suspicion = suspicions[member.node]
        let reason: DepartureReason =
            if !list.contains(member.node) {
                .removed
            } else if leaving.contains(member.node) {
                .left
            } else if let promise, promise.from != member {
                .died
            } else if let promise {
                promise.vector == nil ? .withoutState : .unreachable
            } else {
                suspicion?.reason ?? .silent
            }
        return InstalledView.Departed(
            member: member, reason: reason, by: suspicion?.by ?? own.node,
            silent: silence(of: member, promises: promises))
    }

    /// V18: the minimum over all promises, and nothing if it promised itself.
    private func silence(of member: Member, promises: [Promise]) -> Interval {
        if settings.plant == .silenceIgnored { return .seconds(1 << 30) }
        var smallest: Interval?
        for promise in promises {
            if promise.from == member { return .zero }
            for silence in promise.silences where silence.member == member {
                smallest = min(smallest ?? silence.interval, silence.interval)
            }
        }
        return smallest ?? .zero
    }
}
