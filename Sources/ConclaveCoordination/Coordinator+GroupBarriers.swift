import ConclaveBase
import ConclaveWire

/// Barriers whose parties are the members of a task group: whoever belongs to it must come. Who joins
/// must come too, and who leaves or ends need not any more.
extension Coordinator {
    /// Who may arrive for a member: its own session, and processes of its user.
    func refusal(ofMember arrival: BarrierArrival, by request: RequestReference) -> Refusal? {
        guard let group = arrival.group, let token = arrival.member else { return nil }
        let members = parties(of: group).members
        guard let member = members.first(where: { $0.token == token }) else {
            let message = "group \(group.name) has no member \(token) that is to come"
            return Refusal(.notHeld, message)
        }
        let uid = sessions[request.session].process.uid
        guard uid == 0 || uid == member.uid else {
            let message =
                "only root and uid \(member.uid) may arrive for member \(token) of group "
                + "\(group.name)"
            return Refusal(.denied, message)
        }
        return refusal(ofMember: token, of: group, at: arrival)
    }

    private func refusal(
        ofMember token: FencingToken, of group: BarrierGroup, at arrival: BarrierArrival
    ) -> Refusal? {
        let index = barriers.index(of: arrival.name)
        let generation = index.map { barriers[$0].generation }
        guard arrival.generation == nil || arrival.generation == generation else { return nil }
        guard let barrier = index, !barriers[barrier].arrivals.isEmpty else {
            // The end of a membership looks at all of them.
            return refusal(ofOneMoreBarrierOf: group)
        }
        guard barriers[barrier].group == group else { return nil }
        let present = barriers[barrier].arrivals
        if present.contains(where: { $0.member == token }) {
            let message = "member \(token) of group \(group.name) has arrived already"
            return Refusal(.alreadyHeld, message)
        }
        let together = present.reduce(arrival.payload.count) { $0 + $1.payload.count }
        guard together <= ClientLimits.barrierPayloadsTogether else {
            let message =
                "the payloads are more than the \(ClientLimits.barrierPayloadsTogether) bytes that "
                + "a barrier's reply carries"
            return Refusal(.invalid, message)
        }
        return nil
    }

    private func refusal(ofOneMoreBarrierOf group: BarrierGroup) -> Refusal? {
        if barriers.count(gatheringMembersOf: group.name) >= quotas.barriersPerGroup {
            let message =
                "members of group \(group.name) wait at \(quotas.barriersPerGroup) barriers already: "
                + "arrive again when one of them has tripped"
            return Refusal(.quotaExceeded, message)
        }
        let named = barriers.namedCount(gatheringMembersOf: group.name) + group.among.count
        if named > quotas.barrierNamesPerGroup {
            let message =
                "the barriers at which members of group \(group.name) wait name "
                + "\(quotas.barrierNamesPerGroup) members already: arrive again when one of them has "
                + "tripped, or name none, and all must come"
            return Refusal(.quotaExceeded, message)
        }
        return nil
    }

    /// Who must come, by rank, and the number of the group's view.
    private func parties(of group: BarrierGroup) -> (members: [GroupMember], view: UInt64) {
        groups.parties(of: plant == .namedAreAll ? BarrierGroup(group.name) : group)
    }

    func missingCount(at barrier: Int) -> UInt32 {
        guard let group = barriers[barrier].group else { return barriers[barrier].missingCount }
        let members = parties(of: group).members
        return UInt32(members.count - barriers[barrier].arrivals.count)
    }

    /// How many must come, of those who are present in the group.
    private func partyCount(of group: BarrierGroup, _ present: Set<FencingToken>) -> Int {
        guard !group.among.isEmpty, plant != .namedAreAll else { return present.count }
        return group.among.count { present.contains($0) }
    }

    /// Now the parties are who belongs to the group.
    mutating func settle(_ barrier: Int) {
        guard let group = barriers[barrier].group else { return }
        let (members, view) = parties(of: group)
        barriers.settle(barrier, members, view: view)
    }

    /// As it would be decided now.
    func settled(_ index: Int) -> Barrier {
        var barrier = barriers[index]
        guard let group = barrier.group else { return barrier }
        let (members, view) = parties(of: group)
        barrier.settle(members, view: view)
        return barrier
    }

    /// A member is gone from the group: it is no party any more, and if all that are left have come,
    /// that decides.
    mutating func reviewBarriers(
        of group: ObjectName, without token: FencingToken, effects: inout [CoordinationEffect]
    ) {
        // A whole group may go at one version: its members are looked through only for somebody's sake.
        guard barriers.count(gatheringMembersOf: group) > 0 else { return }
        let present = Set(groups.parties(of: BarrierGroup(group)).members.map(\.token))
        for barrier in barriers.gathering(membersOf: group) {
            let name = barriers[barrier].name
            for arrival in barriers.withdraw(from: barrier, where: { $0.member == token }) {
                let message =
                    "member \(token) is gone from group \(group), so that it is no party of barrier "
                    + "\(name) any more"
                refuse(arrival.request, .notHeld, message, effects: &effects)
            }
            guard barriers.isThere(barrier, name: name), let awaited = barriers[barrier].group,
                partyCount(of: awaited, present) == barriers[barrier].arrivals.count,
                plant != .departureAwaited
            else { continue }
            trip(barrier, effects: &effects)
        }
    }

    /// A session ends that waits as a member: it is gone from the group at this version, so it only
    /// shrinks the parties. False: whom it arrived for goes on, and that breaks the generation.
    mutating func withdraws(session: SessionID, from barrier: Int) -> Bool {
        guard let group = barriers[barrier].group else { return false }
        let own = parties(of: group).members.filter { $0.session == session }.map(\.token)
        let isOwn = barriers[barrier].arrivals.allSatisfy { arrival in
            arrival.session != session || arrival.member.map(own.contains) ?? false
        }
        guard isOwn else { return false }
        _ = barriers.withdraw(from: barrier) { $0.session == session }
        return true
    }
}
