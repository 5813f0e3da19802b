import ConclaveBase
import ConclaveWire

/// Task groups. Membership excludes nobody: so it begins and ends at once, in order.
extension Coordinator {
    mutating func joinGroup(
        _ join: GroupJoin, _ request: RequestReference, effects: inout [CoordinationEffect]
    ) {
        let session = sessions[request.session]
        let index = groups.index(of: join.name)
        if let index, groups.belongs(session.id, to: index) {
            let message = "the session is a member of group \(join.name) already"
            return refuse(request, .alreadyHeld, message, effects: &effects)
        }
        let member = GroupMember(
            token: FencingToken(version), session: session.id, host: session.process.host,
            pid: session.process.pid, uid: session.process.uid, label: session.label,
            attributes: join.attributes, possession: join.wantsState ? .wanted : .none)
        if let message = quotaMessage(of: member, joining: join.name, index) {
            return refuse(request, .quotaExceeded, message, effects: &effects)
        }
        let size =
            GroupTable.byteCount(of: member) + TaskGroup.Record.byteCount(ofViewBy: member)
        guard groups.makeRoom(for: size, uid: member.uid, in: index, quotas: quotas) else {
            return refuse(
                request, .quotaExceeded, groupQuotaMessage(member.uid), effects: &effects)
        }
        let place = groups.join(join.name, member, at: now)
        let joined = GroupJoined(
            name: join.name, token: member.token, number: groups[place].number,
            rank: UInt32(groups[place].members.count - 1))
        answer(request, .joined(joined), effects: &effects)
        changed(place, uid: member.uid, effects: &effects)
    }

    private func quotaMessage(
        of member: GroupMember, joining name: ObjectName, _ index: Int?
    ) -> String? {
        let count = index.map { groups[$0].members.count } ?? 0
        if count == 0, !hasRoomForObject { return Self.objectQuotaMessage(quotas.objects) }
        if count >= quotas.membersPerGroup {
            return
                "group \(name) has \(quotas.membersPerGroup) members already: join when one has left, "
                + "or another group"
        }
        if groups.membershipCount(of: member.session) >= quotas.groupsPerSession {
            return
                "the session belongs to \(quotas.groupsPerSession) groups already: leave one first"
        }
        return nil
    }

    func groupQuotaMessage(_ uid: UInt32) -> String {
        "groups have \(quotas.groupByteCount) bytes already, or those of uid \(uid) "
            + "\(quotas.groupByteCountPerUID): leave some, or send and keep less"
    }

    /// Kept out of `dispatch`, which is on the way of every request.
    @inline(never)
    mutating func leaveGroup(
        _ name: ObjectName, _ token: FencingToken, _ request: RequestReference,
        effects: inout [CoordinationEffect]
    ) {
        guard let (index, member) = membership(token, in: name, of: request, effects: &effects)
        else { return }
        answer(request, .done, effects: &effects)
        depart(member, from: index, .left, effects: &effects)
    }

    /// That membership of the session, and where its group is; without one the request is refused.
    mutating func membership(
        _ token: FencingToken, in name: ObjectName, of request: RequestReference,
        effects: inout [CoordinationEffect]
    ) -> (index: Int, member: GroupMember)? {
        guard let index = groups.index(of: name), let member = groups[index].member(token),
            member.session == sessions[request.session].id
        else {
            let message = "the session is not member \(token) of group \(name)"
            refuse(request, .notHeld, message, effects: &effects)
            return nil
        }
        return (index, member)
    }

    mutating func evictMember(
        _ name: ObjectName, _ token: FencingToken, _ request: RequestReference,
        effects: inout [CoordinationEffect]
    ) {
        guard let index = groups.index(of: name), let member = groups[index].member(token) else {
            let message = "group \(name) has no member \(token)"
            return refuse(request, .refused, message, effects: &effects)
        }
        let uid = sessions[request.session].process.uid
        guard uid == 0 || uid == member.uid else {
            let message =
                "only root and uid \(member.uid) may put member \(token) of group \(name) out"
            return refuse(request, .denied, message, effects: &effects)
        }
        answer(request, .done, effects: &effects)
        depart(member, from: index, .evicted, effects: &effects)
    }

    mutating func sendToGroup(
        _ name: ObjectName, _ payload: [UInt8], _ request: RequestReference,
        effects: inout [CoordinationEffect]
    ) {
        guard let index = groups.index(of: name), !groups[index].isEmpty else {
            let message = "group \(name) has no members"
            return refuse(request, .refused, message, effects: &effects)
        }
        let session = sessions[request.session]
        let uid = session.process.uid
        let size = TaskGroup.Record.byteCount(ofPayload: payload)
        guard groups.makeRoom(for: size, uid: uid, in: index, quotas: quotas) else {
            return refuse(request, .quotaExceeded, groupQuotaMessage(uid), effects: &effects)
        }
        let message = GroupMessage(
            sender: session.id, member: groups[index].member(of: session.id)?.token,
            host: session.process.host, pid: session.process.pid, payload: payload)
        groups.say(message, in: index, uid: uid, at: now)
        let sent = GroupSent(
            version: version, number: groups[index].number,
            memberCount: UInt32(groups[index].members.count))
        answer(request, .sent(sent), effects: &effects)
        changed(index, uid: uid, effects: &effects)
    }

    /// A session that ends leaves every group that it belongs to, each with one view.
    mutating func leaveGroups(
        _ session: SessionID, reason: SessionEnd, effects: inout [CoordinationEffect]
    ) {
        guard plant != .memberOutlivesSession else { return }
        for index in groups.groups(of: session) {
            guard let member = groups[index].member(of: session) else { continue }
            depart(member, from: index, GroupDepartureReason(reason), effects: &effects)
        }
    }

    private mutating func depart(
        _ member: GroupMember, from index: Int, _ reason: GroupDepartureReason,
        effects: inout [CoordinationEffect]
    ) {
        let name = groups[index].name
        groups.depart(member.token, from: index, reason, at: now)
        changed(index, uid: member.uid, effects: &effects)
        reviewBarriers(of: name, without: member.token, effects: &effects)
    }

    mutating func changed(
        _ index: Int, uid: UInt32, effects: inout [CoordinationEffect]
    ) {
        effects.append(.groupChanged(groups[index].name, at: version))
        groups.trim(index, uid: uid, quotas: quotas)
    }
}

extension GroupDepartureReason {
    init(_ end: SessionEnd) {
        self =
            switch end {
            case .goodbye: .left
            case .died: .died
            case .expired: .expired
            case .hostLost: .hostLost
            case .forced: .evicted
            }
    }
}
