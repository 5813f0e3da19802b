package import ConclaveBase
import ConclaveGroup
package import ConclaveWire

extension Replica {
    /// Tells a change of whether requests are taken, and why not.
    func tellServing() {
        let isServing = isServing
        let reason = isServing ? "" : notServingReason
        guard isServing != wasServing || reason != servingReason else { return }
        wasServing = isServing
        servingReason = reason
        tell(.serving(isServing: isServing, reason: reason))
    }

    /// What was received cannot be kept, so that nothing more is acknowledged (V31). A member whose
    /// disk is full goes on until then.
    var lacksRoom: Bool {
        guard !fullLanes.isEmpty else { return false }
        return journal?.needsSegment ?? false || fullLanes.contains { $0.lane != .snapshots }
    }

    /// Why this member takes no requests, in a sentence for an operator.
    package var notServingReason: String {
        if order.isDivided {
            return "the members' states differ, and none has a majority: nothing is granted until "
                + "an operator says which one is right"
        }
        if let full = fullLanes.first, lacksRoom || epoch == nil || epoch?.isWedged == true {
            return
                "the disk is full: there is no room for \(full.file); goes on by itself when there "
                + "is"
        }
        if salvage?.isDecided == true {
            return "goes on without the others, as it was told: writes down what is left"
        }
        if membership.memory.loss != nil { return lossReason }
        if let successor {
            return
                "its history was given up, and member \(successor) goes on in another one: joins "
                + "that when its data directory is moved away"
        }
        if let waitingFor { return Self.sentence(waitingFor.nodes, waitingFor.purpose) }
        switch membership.seat {
        case .blank: return "waits for the first view, or to be let into one" + unconnected
        case .outside: return "is not in view \(view.epoch): \(whyOutside)"
        case .voter: return "restarted in view \(view.epoch): waits for the next view"
        case .member:
            if membership.isBehind { return "was left out: \(whyOutside)" }
            if membership.isEnding { return "view \(view.epoch) is ending: waits for the next" }
            let installed = membership.memory.current?.installed
            if let installed, !installed.isAdequate {
                return "view \(view.epoch) has \(view.members.count) members of the "
                    + "\(installed.minimumMembers) that it needs"
            }
            return "view \(view.epoch) begins"
        }
    }

    private var whyOutside: String {
        let unaware = membership.unaware
        if !unaware.isEmpty {
            let list = unaware.map(\.description).joined(separator: ", ")
            return "was removed from the group, and is needed until enough of members \(list) "
                + "know so"
        }
        if !membership.isListed {
            return "was removed from the group, and waits to be added again"
        }
        if isPausing {
            return "was left out \(leftOutCount) times soon after it had joined, and pauses for "
                + "\(joinPause.milliseconds) ms"
        }
        guard unheard.isEmpty else {
            let list = unheard.map(\.description).joined(separator: ", ")
            return "has caught up, but does not hear \(list) both ways"
        }
        return "waits to be let in"
    }

    /// What became of a journal that was set aside, and what it takes to go on.
    private var lossReason: String {
        guard membership.seat == .blank else {
            return "lost its journal and has learned the state of view \(view.epoch): "
                + whyOutside + unconnected
        }
        return "its journal was damaged and is set aside: waits to learn the state from a member "
            + "that has it\(unconnected); if no member has it any more, nothing is served until an "
            + "operator puts a data directory back that has it, or runs 'conclave recover' on a "
            + "member that has an older one"
    }

    /// Whose absence a blank member can name before anybody has told it whom the group waits for.
    private var unconnected: String {
        let absent = memberStates().filter { $0.state == .absent }.map(\.node.description)
        return absent.isEmpty ? "" : "; not connected: \(absent.joined(separator: ", "))"
    }

    private static func sentence(_ nodes: [NodeID], _ purpose: WaitPurpose) -> String {
        let list = nodes.map(\.description).joined(separator: ", ")
        return switch purpose {
        case .founding: "the first view needs all configured members: waits for \(list)"
        case .quorum:
            "hears no majority of the newest view: waits for \(list); \(whatToDo)"
        case .state:
            "the last view's state may be with members that are absent: waits for \(list)"
        case .joining: "waits to be let in by \(list)"
        case .members: "waits for more members: \(list)"
        }
    }

    private static var whatToDo: String {
        "if too many are lost for good, 'conclave recover' goes on without them"
    }

    /// All machines of the member list as this member sees them.
    package func memberStates() -> [(node: NodeID, state: MemberState)] {
        let isSeated = membership.seat == .member
        return membership.list.nodes.map { node in
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
        let senders = epoch.view.members.indices
        return (
            epoch.view.epoch,
            senders.map { epoch.multicast.acknowledged(by: epoch.own.index, of: $0) }
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
