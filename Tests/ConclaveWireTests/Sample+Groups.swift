import ConclaveBase
import ConclaveWire
import Testing

private let name = try! ObjectName("workers")
private let attributes = try! GroupAttributes([
    .init(name: "gpu", value: "2"), .init(name: "rack", value: ""),
])
private let member = GroupMember(
    token: FencingToken(7), session: SessionID(3), host: NodeID(2), pid: 11, uid: 1_000,
    label: "worker", attributes: attributes, possession: .wanted)
private let message = GroupMessage(
    sender: SessionID(3), member: FencingToken(7), host: NodeID(2), pid: 11, payload: [1, 2])
private let state = ProvidedState(
    from: FencingToken(5), to: FencingToken(7), upTo: Version(8), part: 1, partCount: 2,
    payload: [1, 2])
private let time = Timestamp(microseconds: 1_700_000_000_000_000)

extension Sample {
    private static func operation(_ operation: Operation) -> Sample {
        let type = operation.type
        return Sample(
            "operation \(type)", OperationFrame(confirmed: 6, operation: operation),
            decode: { try #require(try OperationFrame(type, from: &$0)) },
            encode: { $0.encode(into: &$1) })
    }

    private static func reply(_ reply: Reply) -> Sample {
        Sample(
            "\(reply)", reply, decode: { try Reply(from: &$0) }, encode: { $0.encode(into: &$1) })
    }

    private static func news(_ news: GroupNews) -> Sample {
        Sample(
            "\(news)", news, decode: { try GroupNews(from: &$0) },
            encode: { $0.encode(into: &$1) })
    }

    private static func follow(_ follow: GroupFollow) -> Sample {
        Sample(
            "\(follow)", follow, decode: { try GroupFollow(from: &$0) },
            encode: { $0.encode(into: &$1) })
    }

    static let groups: [Sample] = [
        .operation(.joinGroup(GroupJoin(name: name, attributes: attributes))),
        .operation(.joinGroup(GroupJoin(name: name, wantsState: true))),
        .operation(.leaveGroup(name: name, member: FencingToken(7))),
        .operation(.evictMember(name: name, member: FencingToken(7))),
        .operation(.sendToGroup(name: name, payload: [1, 2, 3])),
        .operation(.provideState(name: name, state)),
        .operation(.adoptState(name: name, member: FencingToken(7), upTo: Version(6))),
        .operation(.adoptState(name: name, member: FencingToken(7), upTo: nil)),
        .reply(.joined(GroupJoined(name: name, token: FencingToken(7), number: 7, rank: 1))),
        .reply(.sent(GroupSent(version: Version(8), number: 7, memberCount: 2))),
        .follow(GroupFollow(name)),
        .follow(
            GroupFollow(
                name, withMessages: true, member: FencingToken(7), from: Version(9))),
        .follow(
            GroupFollow(
                name, withMessages: true, member: FencingToken(7), start: Version(8))),
        .news(
            .state(
                GroupStatePart(
                    version: Version(8), number: 7, isFirst: true, isLast: false, isResync: true,
                    members: [member]))),
        .news(
            .entries(
                [
                    GroupEntry(
                        version: Version(8), time: time, number: 8,
                        content: .view(
                            joined: [member],
                            departed: [
                                GroupDeparture(
                                    member: FencingToken(5), session: SessionID(4),
                                    reason: .evicted)
                            ])),
                    GroupEntry(
                        version: Version(9), time: time, number: 8, content: .message(message)),
                    GroupEntry(
                        version: Version(10), time: time, number: 8, content: .provided(state)),
                    GroupEntry(
                        version: Version(11), time: time, number: 9,
                        content: .adopted(FencingToken(7))),
                ], upTo: Version(11))),
    ]
}
