package import ConclaveBase
package import ConclaveGroup

/// A change that an operator waits for.
struct PendingChange: Equatable {
    var number: UInt64
    var change: MemberChange
    var deadline: Instant
    /// When it is asked for again, if the last view did not have it.
    var nextTry: Instant
}

/// The member list: who changes it, and who may be reached.
extension Replica {
    private static var changePatience: Interval { .seconds(30) }

    /// The machines that may be members, as the newest view that is known here has them; before
    /// the first, as the configuration has them.
    package var list: MemberList { membership.memory.current?.list ?? membership.list }

    /// Whether this machine may be a member, by the newest list that it knows or heard of.
    var isListed: Bool {
        let newest = membership.heardEpoch > view.epoch ? membership.heardList : list
        return newest.contains(settings.own.node)
    }

    /// The members that a machine which was removed still has to tell so.
    var unaware: [NodeID] { membership.farewell?.unaware ?? [] }

    /// Has the member list changed with the next view. `memberChange` tells the outcome, within
    /// half a minute; asking for what is so already, or asking again, does no harm.
    package func change(_ change: MemberChange, number: UInt64, now: Instant) {
        if let outcome = immediateOutcome(of: change) {
            return tell(.memberChange(number, outcome))
        }
        pendingChange = PendingChange(
            number: number, change: change, deadline: now.advanced(by: Self.changePatience),
            nextTry: now)
        run(.change(change), now: now)
    }

    /// What can be said without asking the others.
    private func immediateOutcome(of change: MemberChange) -> MemberChangeOutcome? {
        guard pendingChange == nil else {
            return .refused("another change of the members is under way here")
        }
        guard isServing else { return .unavailable(notServingReason) }
        if !change.isRemoval, change.isDone(in: list) { return .done(view.epoch) }
        return change.refusal(by: list, present: view.members.map(\.node)).map {
            .refused($0)
        }
    }

    // Not inlined, like `tell`.
    @inline(never)
    private func answerChange(_ outcome: MemberChangeOutcome) {
        guard let pending = pendingChange else { return }
        pendingChange = nil
        tell(.memberChange(pending.number, outcome))
    }

    /// A view begins: is the list as it was wanted?
    func judgeChange(now: Instant) {
        guard let pending = pendingChange else { return }
        if settings.plant == .changeTakenForDone { return answerChange(.done(view.epoch)) }
        if pending.change.isDone(in: list) { return tickChange(pending, now: now) }
        let present = view.members.map(\.node)
        if membership.seat == .member, let next = membership.memory.current,
            let reason = pending.change.refusal(by: next.list, present: present)
        {
            return answerChange(.refused(reason))
        }
        pendingChange?.nextTry = now.advanced(by: settings.suspicion)
    }

    private func tickChange(_ pending: PendingChange, now: Instant) {
        // A removed member that was asked itself may be the only one that knows so far, and whoever
        // hears that it is done may turn the machine off.
        if pending.change.isDone(in: list), unaware.isEmpty {
            answerChange(.done(view.epoch))
        } else if now >= pending.deadline {
            answerChange(
                .unknown(
                    "no view with it came in time; it may still come, and asking again "
                        + "does no harm"))
        } else if now >= pending.nextTry, isServing {
            pendingChange?.nextTry = now.advanced(by: settings.suspicion * 4)
            run(.change(pending.change), now: now)
        }
    }

    func tickMembers(now: Instant) {
        if let pending = pendingChange { tickChange(pending, now: now) }
        guard now >= partingUntil, unaware.isEmpty else { return }
        partingUntil = .distantFuture
        parting = []
        adoptMembers()
        if !isListed { tellRemoved() }
    }

    @inline(never)
    private func tellRemoved() { tell(.removed) }

    /// Who is removed hears of it on the paths that it has; only then are they cut. A member that is
    /// removed itself tells the others of the view for as long, and until enough of them know.
    func partFromRemoved(by value: NextView, now: Instant) {
        guard let change = value.change, change.isRemoval else { return }
        if let entry = reachable.first(where: { $0.node == change.node }) {
            parting.append(entry)
        }
        partingUntil = now.advanced(by: settings.suspicion * 2)
        if change.node == settings.own.node { tell(event: .removed(value.epoch)) }
    }

    /// A member reaches the machines of the list. Who has no seat may know an old list: it also
    /// reaches those that it was configured with, and those of newer lists that it heard of.
    func adoptMembers() {
        reachableAsHeard = membership.heardEpoch
        var members = list
        for entry in parting { members = members.adding(entry) }
        if membership.seat != .member || membership.isBehind || settings.plant == .strangerLetIn {
            for entry in membership.heardList.entries { members = members.adding(entry) }
            for node in settings.configured {
                members = members.adding(
                    MemberList.Entry(node: node, address: settings.addresses[node] ?? []))
            }
        }
        guard members.entries != reachable else { return }
        reachable = members.entries
        fabric.adopt(members: reachable)
    }
}
