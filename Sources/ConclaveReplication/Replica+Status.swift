package import ConclaveBase
import ConclaveGroup
package import ConclaveWire

extension Replica {
    /// Tells a change of whether requests are taken, and why not; the latter with the next tick.
    func tellServing() {
        let isServing = isServing
        guard isServing != wasServing || !isServing && isReasonDue else { return }
        isReasonDue = false
        let reason = isServing ? nil : notServing
        guard isServing != wasServing || reason != toldReason else { return }
        tellServing(isServing, reason)
    }

    // Not inlined, like `tell`.
    @inline(never)
    private func tellServing(_ isServing: Bool, _ reason: NotServing?) {
        wasServing = isServing
        toldReason = reason
        tell(.serving(isServing: isServing, reason: reason?.sentence ?? ""))
    }

    /// What was received cannot be kept, so that nothing more is acknowledged (V31). A member whose
    /// disk is full goes on until then.
    var lacksRoom: Bool {
        guard !fullLanes.isEmpty else { return false }
        return journal?.needsSegment ?? false || fullLanes.contains { $0.lane != .snapshots }
    }

    /// Why this member takes no requests, in a sentence for an operator.
    package var notServingReason: String { notServing.sentence }

    private var notServing: NotServing {
        if order.isDivided { return .divided }
        if let full = fullLanes.first, lacksRoom || epoch == nil || epoch?.isWedged == true {
            return .diskFull(file: full.file)
        }
        if salvage?.isDecided == true { return .goesOnAlone }
        let number = view.epoch
        let seat = membership.seat
        if let loss = membership.memory.loss {
            if seat == .blank, loss.epoch == .none {
                return .lostBeforeAnyView(unconnected: unconnected)
            }
            return seat == .blank
                ? .lost(unconnected: unconnected)
                : .learnedAfterLoss(number, whyOutside, unconnected: unconnected)
        }
        if let successor { return .historyGivenUp(successor: successor) }
        if let waitingFor { return .waits(waitingFor.nodes, waitingFor.purpose) }
        switch seat {
        case .blank: return .blank(unconnected: unconnected)
        case .outside: return .outside(number, whyOutside)
        case .voter: return .restarted(number)
        case .member:
            if membership.isBehind { return .leftOut(whyOutside) }
            if membership.isEnding { return .ending(number) }
            if let installed = membership.memory.current?.installed, !installed.isAdequate {
                return .tooFew(
                    number, count: installed.view.members.count,
                    minimum: installed.minimumMembers)
            }
            return .begins(number)
        }
    }

    private var whyOutside: NotServing.Outside {
        if !unaware.isEmpty { return .removedUntold(to: unaware) }
        if !isListed { return .removed }
        if isPausing {
            return .pausing(leftOutCount: leftOutCount, milliseconds: joinPause.milliseconds)
        }
        return unheard.isEmpty ? .waiting : .doesNotHear(unheard)
    }

    private var unconnected: [NodeID] {
        list.nodes.filter { $0 != settings.own.node && paths[$0] == nil }
    }

    /// All machines of the member list as this member sees them.
    package func memberStates() -> [(node: NodeID, state: MemberState)] {
        let isSeated = membership.seat == .member
        return list.nodes.map { node in
            let path = node == settings.own.node ? settings.own : paths[node]
            guard let rank = view.rank(of: node) else {
                return (node, path == nil ? .absent : .joining)
            }
            let member = view.members[rank.index]
            if node == settings.own.node {
                return (node, isSeated ? .member : .joining)
            }
            guard let path else { return (node, isSeated ? .suspected : .absent) }
            return (node, path == member ? .member : .joining)
        }
    }

    /// The epoch that this member is in, and how many messages of each sender it has acknowledged.
    package var acknowledged: (epoch: Epoch, vector: [UInt64])? {
        guard let epoch else { return nil }
        let multicast = epoch.multicast
        return (
            epoch.view.epoch,
            epoch.view.members.indices.map { multicast.acknowledged(by: epoch.own.index, of: $0) }
        )
    }

    /// For each sender of the newest view, how many messages are held here outside of its epoch;
    /// nil: no state.
    package var heldVector: [UInt64]? { hasState ? held.vector : nil }

    /// There is a state, though perhaps not that of the newest view.
    package var hasAnyState: Bool { order.current != nil }

    /// Views that this member knows of, the newest last.
    package var knownViews: [(view: InstalledView, at: Timestamp)] { order.views }

    /// Asks the others for a view without this member, in good order.
    ///
    /// - Returns: False if nobody needs to be asked, or the group would lose its quorum: just stop.
    package func leave(now: Instant) -> Bool {
        guard isServing, let installed = order.current?.installed,
            view.members.count - 1 >= max(1, installed.minimumMembers)
        else { return false }
        run(.leave, now: now)
        return true
    }
}
