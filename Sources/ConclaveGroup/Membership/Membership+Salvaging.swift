package import ConclaveBase

/// Going on alone with what is left of a history, when an operator says that those who would have to
/// agree are gone for good (V27). It is the one way into a view that no majority accepted; the view
/// begins another lineage, so nobody takes it for the successor of one that a majority may yet agree
/// on.
extension Membership {
    /// From here on this member neither promises nor accepts, and takes no view of the others.
    package func abandon() {
        isAbandoned = true
        endAttempt()
        pendingPromise = nil
        pendingAccept = nil
        raising = nil
        wanted = nil
        joiners = []
    }

    /// A decided view is on its way to the disk.
    package var isInstalling: Bool { installing != nil }

    /// The highest era of any view that this member knows, or accepted.
    package var highestEra: UInt16 {
        max(memory.current?.era ?? 0, memory.accepted?.value.era ?? 0)
    }

    /// Who is in the member list of a history that goes on from `list`: the machines that are
    /// reached, and this one. The others may be added again. One that is alone must be able to serve
    /// while it grows, so a majority is not asked for then.
    package func salvagedList(of list: MemberList) -> MemberList {
        let entries = list.entries.filter { $0.node == own.node || paths[$0.node] != nil }
        let minimum = entries.count == 1 ? 1 : min(list.givenMinimum, entries.count)
        return MemberList(entries, givenMinimum: minimum)
    }

    /// The first view of a new lineage, of this member alone.
    ///
    /// - Parameters:
    ///   - newest: the newest view that anybody who was asked knows.
    ///   - trim: for each sender of the epoch that the state is of, what is delivered of it.
    ///   - stateWasLost: it begins with an empty state.
    package func salvagedView(
        after newest: NextView, trim: [UInt64], era: UInt16, stateWasLost: Bool = false
    ) -> NextView {
        let list = salvagedList(of: newest.list)
        let departed = newest.members.filter { $0 != own }.map { member in
            InstalledView.Departed(
                member: member, reason: reason(ofDeparture: member, list: list), by: own.node,
                silent: .zero)
        }
        return NextView(
            lineage: Lineage(high: random.next(), low: random.next()),
            givenUp: (newest.givenUp + [newest.lineage]).suffix(NextView.maximumGivenUp),
            installed: InstalledView(
                view: View(epoch: newest.epoch.next, members: [own]),
                joined: newest.view.contains(own) ? [] : [own.node], departed: departed,
                absent: [], minimumMembers: list.minimumMembers, stateWasLost: stateWasLost,
                historyWasGivenUp: true),
            trim: trim, era: era, maximumSessionTTL: newest.maximumSessionTTL, list: list,
            time: max(wallClock, newest.time))
    }

    private func reason(
        ofDeparture member: Member, list: MemberList
    ) -> DepartureReason {
        if member.node == own.node { return .died }
        return list.contains(member.node) ? .withoutState : .removed
    }

    /// Who is there and who is not goes on to be known; nothing else matters.
    func stepAbandoned(_ input: Input, now: Instant, effects: inout [Effect]) {
        switch input {
        case .connected(let member):
            paths[member.node] = member
            hearing.broken(member.node)
        case .disconnected(let node, _):
            paths[node] = nil
            hearing.broken(node)
        case .salvaged(let value, let who):
            isAbandoned = false
            effects.append(
                .event(
                    .historyGivenUp(
                        memory.lineage, for: value.lineage, in: value.epoch, by: who)))
            memory.apply(.installed(value, voteFrom: value.epoch))
            heardList = .empty
            heardEpoch = .none
            enter(value, now: now, effects: &effects)
        case .frame, .suspect, .frozen, .recorded, .level, .joinerLevel, .joinerReady, .admit,
            .tick, .leave, .change:
            break
        }
    }
}
