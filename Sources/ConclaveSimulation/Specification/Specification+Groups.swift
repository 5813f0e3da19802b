import ConclaveBase
import ConclaveCoordination
import ConclaveWire

/// Task groups: every version makes at most one view, or one message, of each. The bytes of all of
/// them are far below their quotas in any run.
extension Specification {
    mutating func joinGroup(_ join: GroupJoin, _ id: SessionID, _ number: UInt64) {
        let members = groups[join.name]?.members ?? []
        if members.contains(where: { $0.session == id }) {
            return refuse(id, number, .alreadyHeld)
        }
        let own = groups.values.count { $0.members.contains { $0.session == id } }
        guard !members.isEmpty || objectCount < quotas.objects,
            members.count < quotas.membersPerGroup, own < quotas.groupsPerSession
        else { return refuse(id, number, .quotaExceeded) }
        let process = sessions[id]!.process
        let member = GroupMember(
            token: FencingToken(version), session: id, host: process.host, pid: process.pid,
            uid: process.uid, label: sessions[id]!.label, attributes: join.attributes,
            possession: join.wantsState ? .wanted : .none)
        var group =
            groups[join.name]
            ?? SpecifiedGroup(
                number: version.number - 1, changed: .zero, floor: forgottenGroups)
        group.members.append(member)
        groups[join.name] = group
        let view = beginView(of: join.name)
        answer(
            id, number,
            .joined(
                GroupJoined(
                    name: join.name, token: member.token, number: view,
                    rank: UInt32(group.members.count - 1))))
        note(.view(joined: [member], departed: []), in: join.name)
    }

    mutating func leaveGroup(
        _ name: ObjectName, _ token: FencingToken, _ id: SessionID, _ number: UInt64
    ) {
        guard let member = member(token, of: name), member.session == id else {
            return refuse(id, number, .notHeld)
        }
        answer(id, number, .done)
        remove(member, from: name, .left)
    }

    mutating func evictMember(
        _ name: ObjectName, _ token: FencingToken, _ id: SessionID, _ number: UInt64
    ) {
        guard let member = member(token, of: name) else { return refuse(id, number, .refused) }
        let uid = sessions[id]!.process.uid
        guard uid == 0 || uid == member.uid else {
            return refuse(id, number, .denied)
        }
        answer(id, number, .done)
        remove(member, from: name, .evicted)
    }

    mutating func sendToGroup(
        _ name: ObjectName, _ payload: [UInt8], _ id: SessionID, _ number: UInt64
    ) {
        guard let group = groups[name], !group.members.isEmpty else {
            return refuse(id, number, .refused)
        }
        let process = sessions[id]!.process
        answer(
            id, number,
            .sent(
                GroupSent(
                    version: version, number: group.number,
                    memberCount: UInt32(group.members.count))))
        let message = GroupMessage(
            sender: id, member: group.members.first { $0.session == id }?.token,
            host: process.host, pid: process.pid, payload: payload)
        note(.message(message), in: name)
    }

    mutating func provideState(
        _ name: ObjectName, _ state: ProvidedState, _ id: SessionID, _ number: UInt64
    ) {
        guard let provider = groups[name]?.members.first(where: { $0.session == id }),
            provider.token == state.from
        else { return refuse(id, number, .notHeld) }
        guard provider.possession == .held,
            member(state.to, of: name)?.possession == .wanted,
            state.upTo.number >= state.to.number, state.upTo <= version
        else { return refuse(id, number, .refused) }
        answer(id, number, .done)
        note(.provided(state), in: name)
    }

    mutating func adoptState(
        _ name: ObjectName, _ token: FencingToken, _ upTo: Version?, _ id: SessionID,
        _ number: UInt64
    ) {
        guard let group = groups[name],
            let index = group.members.firstIndex(where: { $0.token == token && $0.session == id })
        else { return refuse(id, number, .notHeld) }
        switch group.members[index].possession {
        case .held: return answer(id, number, .done)
        case .none: return refuse(id, number, .refused)
        case .wanted: break
        }
        if let upTo {
            guard group.founded <= upTo, upTo <= version else {
                return refuse(id, number, .refused)
            }
        } else {
            let holders = group.members.count { $0.possession == .held }
            guard holders == 0 else { return refuse(id, number, .refused) }
            groups[name]!.founded = version
        }
        groups[name]!.members[index].possession = .held
        answer(id, number, .done)
        _ = beginView(of: name)
        note(.adopted(token), in: name)
    }

    /// By name.
    mutating func leaveGroups(_ id: SessionID, _ reason: SessionEnd) {
        for name in groups.keys.sorted() {
            // Those that nobody belongs to may go meanwhile.
            guard let member = groups[name]?.members.first(where: { $0.session == id }) else {
                continue
            }
            let departure: GroupDepartureReason =
                switch reason {
                case .goodbye: .left
                case .died: .died
                case .expired: .expired
                case .hostLost: .hostLost
                case .forced: .evicted
                }
            remove(member, from: name, departure)
        }
    }

    mutating func forgetGroupHistory() {
        groups = groups.filter { !$0.value.members.isEmpty }
        for name in groups.keys {
            groups[name]!.kept = []
            groups[name]!.floor = version
        }
        forgottenGroups = version
    }

    func groupFloor(_ name: ObjectName) -> Version { groups[name]?.floor ?? forgottenGroups }

    private func member(_ token: FencingToken, of name: ObjectName) -> GroupMember? {
        groups[name]?.members.first { $0.token == token }
    }

    private mutating func remove(
        _ member: GroupMember, from name: ObjectName, _ reason: GroupDepartureReason
    ) {
        groups[name]!.members.removeAll { $0 == member }
        let departure = GroupDeparture(
            member: member.token, session: member.session, reason: reason)
        _ = beginView(of: name)
        note(.view(joined: [], departed: [departure]), in: name)
        reviewBarriers(of: name)
    }

    /// Returns its number.
    private mutating func beginView(of name: ObjectName) -> UInt64 {
        if groups[name]!.changed < version { groups[name]!.number += 1 }
        groups[name]!.changed = version
        return groups[name]!.number
    }

    private mutating func note(_ content: GroupEntry.Content, in name: ObjectName) {
        effects.append(.groupChanged(name, at: version))
        let entry = GroupEntry(
            version: version, time: time, number: groups[name]!.number, content: content)
        groups[name]!.kept.append(entry)
        groups[name]!.trim(maximumCount: quotas.groupLogCount)
        changedGroups.append(
            (
                name,
                GroupPictures.Picture(
                    version: version, number: entry.number, members: groups[name]!.members,
                    entry: entry)
            ))
        forgetDeserted()
    }

    /// Too many groups that nobody belongs to: those go first that were left first.
    private mutating func forgetDeserted() {
        let deserted = groups.filter { $0.value.members.isEmpty }
            .sorted { ($0.value.changed, $0.key) < ($1.value.changed, $1.key) }
        for (name, group) in deserted.dropLast(quotas.desertedGroups) {
            groups[name] = nil
            forgottenGroups = max(forgottenGroups, group.changed, group.floor)
        }
    }
}
