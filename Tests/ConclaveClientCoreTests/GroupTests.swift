import ConclaveBase
import ConclaveClientCore
import ConclaveWire
import Testing

@Suite struct `Followers of task groups` {
    private var client = TestClient()
    private let name: ObjectName
    private let own = FencingToken(5)
    private let call: CallID

    init() throws {
        client.open()
        name = try ObjectName("workers")
        call = client.query(
            .followGroup(GroupFollow(name, withMessages: true, member: FencingToken(5))))
        client.effects.removeAll()
    }

    private func member(_ token: UInt64) -> GroupMember {
        GroupMember(
            token: FencingToken(token), session: SessionID(token), host: NodeID(1), pid: 1,
            uid: 1, label: "", attributes: .none)
    }

    private mutating func receive(_ news: GroupNews, _ flags: FrameHeader.Flags = .event) {
        client.receive(.followGroup, flags, number: 1) { news.encode(into: &$0) }
    }

    private mutating func receiveState(
        _ version: UInt64, _ members: [UInt64], isFirst: Bool = true, isLast: Bool = true,
        isResync: Bool = false, _ flags: FrameHeader.Flags = .event
    ) {
        receive(
            .state(
                GroupStatePart(
                    version: Version(version), number: version, isFirst: isFirst,
                    isLast: isLast, isResync: isResync, members: members.map(member))), flags)
    }

    private func entry(_ version: UInt64, _ content: GroupEntry.Content) -> GroupEntry {
        GroupEntry(version: Version(version), time: .zero, number: version, content: content)
    }

    private func message(_ version: UInt64, from sender: UInt64?) -> GroupEntry {
        entry(
            version,
            .message(
                GroupMessage(
                    sender: SessionID(1), member: sender.map { FencingToken($0) },
                    host: NodeID(1), pid: 1, payload: [UInt8(version)])))
    }

    private func departure(_ token: UInt64) -> GroupDeparture {
        GroupDeparture(
            member: FencingToken(token), session: SessionID(token), reason: .died)
    }

    private mutating func updates() -> [ClientCore.GroupUpdate] {
        client.take().flatMap { effect -> [ClientCore.GroupUpdate] in
            switch effect {
            case .answered(call, .report(.groupUpdates(let updates))),
                .event(call, .report(.groupUpdates(let updates))):
                updates
            default: []
            }
        }
    }

    private func picture(_ version: UInt64, _ members: [UInt64]) -> ClientCore.GroupPicture {
        ClientCore.GroupPicture(
            name: name, number: version, version: Version(version),
            members: members.map(member))
    }

    private mutating func sentFrom() throws -> Version? {
        let frame = try #require(
            try client.sent().last { $0.header.type == ClientFrameType.followGroup.rawValue })
        var reader = ByteReader(frame.body)
        return try GroupFollow(from: &reader).from
    }

    @Test mutating func `members in pieces are told as a whole, then views and messages`() throws {
        receiveState(5, [3], isLast: false, .reply)
        #expect(updates().isEmpty)
        receiveState(5, [5], isFirst: false)
        receive(
            .entries(
                [
                    message(6, from: 5), entry(7, .view(joined: [member(7)], departed: [])),
                    entry(8, .view(joined: [], departed: [departure(3)])), message(9, from: 7),
                    message(10, from: nil),
                ], upTo: Version(12)))
        let updates = updates()
        try #require(updates.count == 6)
        #expect(updates[0] == .state(picture(5, [3, 5]), isResync: false))
        guard case .view(let view, _, let joined, _) = updates[2],
            case .view(let last, _, _, let departed) = updates[3]
        else {
            Issue.record("\(updates)")
            return
        }
        #expect(view == picture(7, [3, 5, 7]) && joined == [member(7)])
        #expect(last == picture(8, [5, 7]) && departed.map(\.member) == [member(3)])
        let ranks = updates.compactMap { update -> UInt32?? in
            if case .message(let delivery) = update { delivery.rank } else { nil }
        }
        #expect(ranks == [1, 1, nil])
    }

    @Test mutating func `on another connection it goes on where it was, without doubles`() throws {
        receiveState(5, [5], .reply)
        receive(.entries([message(6, from: 5)], upTo: Version(6)))
        _ = updates()
        client.step(.disconnected(reason: "cut"))
        client.reconnect()
        #expect(try sentFrom() == Version(6))
        receive(.entries([message(6, from: 5), message(7, from: 5)], upTo: Version(7)), .reply)
        let updates = updates()
        #expect(updates.count == 1)
        guard case .message(let delivery)? = updates.first else { return }
        #expect(delivery.message.payload == [7])
    }

    @Test mutating func `half a state is asked for again`() throws {
        receiveState(5, [3], isLast: false, .reply)
        client.step(.disconnected(reason: "cut"))
        client.reconnect()
        #expect(try sentFrom() == nil)
        receiveState(5, [5], isFirst: false)
        #expect(updates().isEmpty)
        receiveState(5, [3, 5])
        #expect(updates() == [.state(picture(5, [3, 5]), isResync: false)])
    }

    @Test mutating func `the view without the member is the last word`() throws {
        receiveState(5, [5], .reply)
        receive(
            .entries(
                [entry(6, .view(joined: [], departed: [departure(5)])), message(7, from: nil)],
                upTo: Version(7)))
        let updates = updates()
        #expect(updates.count == 3 && updates.last == .over)
        receive(.entries([message(8, from: nil)], upTo: Version(8)))
        #expect(self.updates().isEmpty)
        client.step(.disconnected(reason: "cut"))
        client.reconnect()
        let types = try client.sentTypes()
        #expect(!types.contains(.followGroup))
    }

    @Test mutating func `a resync without the member ends it, too`() {
        receiveState(5, [5], .reply)
        _ = updates()
        receiveState(9, [7], isResync: true)
        #expect(updates() == [.state(picture(9, [7]), isResync: true), .over])
    }

    @Test mutating func `doubts are told, and when they are over`() {
        receiveState(5, [5], .reply)
        client.take().forEach { _ in }
        client.step(.disconnected(reason: "cut"))
        let doubts = client.take().filter {
            if case .event(call, .report(.doubtful)) = $0 { true } else { false }
        }
        #expect(doubts.count == 1)
        client.reconnect()
        receive(.entries([], upTo: Version(6)), .reply)
        let assured = client.take().contains { $0 == .event(call, .report(.assured)) }
        #expect(assured)
    }
}
