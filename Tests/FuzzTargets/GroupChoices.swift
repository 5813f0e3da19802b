import ConclaveBase
import ConclaveCoordination
import ConclaveWire

/// Requests and news of task groups, with members that may be right.
enum GroupChoices {
    static func operation(
        _ name: ObjectName, _ source: inout ByteSource, knowing coordinator: Coordinator
    ) -> Operation {
        let members = coordinator.groupMembers(name, at: coordinator.version).members
        let known = members.map(\.token.number) + [coordinator.version.number]
        let token = FencingToken(source.number(near: known))
        switch source.choice(of: 6) {
        case 0:
            return .joinGroup(
                GroupJoin(
                    name: name, attributes: attributes(&source), wantsState: source.flag()))
        case 1: return .leaveGroup(name: name, member: token)
        case 2: return .evictMember(name: name, member: token)
        case 3:
            let state = ProvidedState(
                from: token, to: FencingToken(source.number(near: known)),
                upTo: Version(source.number(near: known)), part: 0, partCount: 1, payload: [1])
            return .provideState(name: name, state)
        case 4:
            let upTo = source.flag() ? Version(source.number(near: known)) : nil
            return .adoptState(name: name, member: token, upTo: upTo)
        default: return .sendToGroup(name: name, payload: source.bytes(source.choice(of: 16)))
        }
    }

    private static func attributes(_ source: inout ByteSource) -> GroupAttributes {
        let entries = (0..<source.choice(of: 3)).map { place in
            GroupAttributes.Entry(name: "\(place)", value: "\(source.byte())")
        }
        return (try? GroupAttributes(entries)) ?? .none
    }

    static func follow(_ source: inout ByteSource) -> GroupFollow {
        let name = source.pick(OperationChoices.names)
        let form = source.byte()
        let near = [UInt64(1), 2, 5]
        return GroupFollow(
            name, withMessages: form & 1 == 0,
            member: form & 2 == 0 ? nil : FencingToken(source.number(near: near)),
            from: form & 4 == 0 ? nil : Version(source.number(near: near)),
            start: form & 8 == 0 ? nil : Version(source.number(near: near)))
    }

    /// In any order and as often as it likes.
    static func news(_ source: inout ByteSource) -> GroupNews {
        let near = [UInt64(1), 2, 3]
        let version = Version(source.number(near: near))
        let member = GroupMember(
            token: FencingToken(source.number(near: near)), session: SessionID(7),
            host: NodeID(1), pid: 1, uid: 1, label: "", attributes: .none)
        let form = source.byte()
        guard form & 1 == 1 else {
            return .state(
                GroupStatePart(
                    version: version, number: version.number, isFirst: form & 2 == 0,
                    isLast: form & 4 == 0, isResync: form & 8 != 0,
                    members: form & 16 == 0 ? [member] : []))
        }
        let departure = GroupDeparture(
            member: member.token, session: member.session,
            reason: source.pick(GroupDepartureReason.allCases))
        let message = GroupMessage(
            sender: SessionID(7), member: member.token, host: NodeID(1), pid: 1, payload: [1])
        let contents: [GroupEntry.Content] = [
            .view(joined: [member], departed: []), .view(joined: [], departed: [departure]),
            .message(message), .adopted(member.token),
            .provided(
                ProvidedState(
                    from: member.token, to: member.token, upTo: version, part: 0, partCount: 1,
                    payload: [1])),
        ]
        let entry = GroupEntry(
            version: version, time: .zero, number: source.number(near: near),
            content: source.pick(contents))
        return .entries(
            form & 2 == 0 ? [entry] : [], upTo: Version(source.number(near: near)))
    }
}
