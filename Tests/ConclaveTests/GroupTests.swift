import Conclave
import ConclaveBase
import ConclaveWire
import TestSupport
import Testing

@Suite struct `Task groups of a program` {
    private static let name = try! ObjectName("workers")

    private static func bytes(_ encode: (inout ByteWriter) -> Void) -> [UInt8] {
        var writer = ByteWriter()
        encode(&writer)
        return writer.bytes
    }

    private static func member(_ token: UInt64) -> ConclaveWire.GroupMember {
        ConclaveWire.GroupMember(
            token: FencingToken(token), session: SessionID(token), host: NodeID(1), pid: 7,
            uid: 8, label: "l",
            attributes: try! GroupAttributes([.init(name: "gpu", value: "2")]))
    }

    private static func state(_ version: UInt64, _ members: [UInt64]) -> [UInt8] {
        bytes {
            GroupNews.state(
                GroupStatePart(
                    version: Version(version), number: 3, isFirst: true, isLast: true,
                    isResync: false, members: members.map(member))
            ).encode(into: &$0)
        }
    }

    private static func entries(_ entries: [GroupEntry]) -> [UInt8] {
        bytes {
            GroupNews.entries(entries, upTo: entries.last?.version ?? .zero).encode(into: &$0)
        }
    }

    private static func entry(
        _ version: UInt64, _ number: UInt64, _ content: GroupEntry.Content
    ) -> GroupEntry {
        GroupEntry(version: Version(version), time: .zero, number: number, content: content)
    }

    private static func departure(_ token: UInt64) -> ConclaveWire.GroupDeparture {
        ConclaveWire.GroupDeparture(
            member: FencingToken(token), session: SessionID(token), reason: .evicted)
    }

    /// Grants what is asked for, and answers who follows with `news`.
    private static func following(_ news: [[UInt8]]) -> ScriptedDaemon.Script {
        { request in
            guard request.type == .followGroup else { return ScriptedDaemon.grant(request) }
            return news.enumerated().map { $0 == 0 ? .report($1) : .event($1) }
        }
    }

    @Test func `a member is told views and messages, and leaves when nobody refers to it`()
        async throws
    {
        let message = ConclaveWire.GroupMessage(
            sender: SessionID(9), member: FencingToken(9), host: NodeID(2), pid: 3,
            payload: Array("hi".utf8))
        let daemon = ScriptedDaemon(
            Self.following([
                Self.state(1, [1]),
                Self.entries([
                    Self.entry(4, 4, .view(joined: [Self.member(9)], departed: [])),
                    Self.entry(5, 4, .message(message)),
                    Self.entry(6, 5, .view(joined: [], departed: [Self.departure(1)])),
                ]),
            ]))
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        var updates: [GroupUpdate] = []
        do {
            let member = try await conclave.join("workers", attributes: ["gpu": "2"])
            #expect(member.token == FencingToken(1) && member.firstRank == 0)
            for try await update in member { updates.append(update) }
        }
        #expect(updates.map(\.kind) == [.view, .view, .message, .view])
        #expect(updates[0].view?.members.map(\.attributes) == [["gpu": "2"]])
        #expect(updates[1].view?.rank(of: FencingToken(9)) == 1)
        #expect(updates[1].view?.joined.map(\.token) == [FencingToken(9)])
        #expect(updates[2].message?.text == "hi" && updates[2].message?.rank == 1)
        #expect(updates[3].view?.departed.map(\.reason) == [.evicted])
        await daemon.receives(.leaveGroup)
        let join = GroupJoin(
            name: Self.name, attributes: try GroupAttributes([.init(name: "gpu", value: "2")]))
        #expect(daemon.requests(.joinGroup).map(\.operation) == [.joinGroup(join)])
    }

    @Test func `the body of a member ends with it, and the call says that it was lost`()
        async throws
    {
        let daemon = ScriptedDaemon(
            Self.following([
                Self.state(1, [1]),
                Self.entries([Self.entry(6, 5, .view(joined: [], departed: [Self.departure(1)]))]),
            ]))
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let error = await #expect(throws: ConclaveError.self) {
            try await conclave.withMembership(of: "workers") { _ in
                try await Task.sleep(for: .seconds(60))
            }
        }
        #expect(error?.code == .lost)
    }

    @Test func `a body that ends leaves the group, and its result is that of the call`()
        async throws
    {
        let daemon = ScriptedDaemon(Self.following([Self.state(1, [1])]))
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let result = try await conclave.withMembership(of: "workers") { member in
            try await member.send("x").memberCount
        }
        #expect(result == 1)
        #expect(daemon.requests(.leaveGroup).count == 1)
        #expect(daemon.requests(.sendToGroup).count == 1)
    }

    @Test func `a caller that is cancelled leaves, and is told just that`() async throws {
        let daemon = ScriptedDaemon(Self.following([Self.state(1, [1])]))
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let task = Task {
            try await conclave.withMembership(of: "workers") { _ in
                try await Task.sleep(for: .seconds(60))
            }
        }
        await daemon.receives(.followGroup)
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(daemon.requests(.leaveGroup).count == 1)
    }

    @Test func `an observer is told the members, then each change`() async throws {
        let daemon = ScriptedDaemon(
            Self.following([
                Self.state(3, [1]),
                Self.entries([Self.entry(4, 4, .view(joined: [Self.member(4)], departed: []))]),
            ]))
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        var counts: [Int] = []
        for try await update in conclave.members(of: "workers") {
            counts.append(update.view?.members.count ?? 0)
            if counts.count == 2 { break }
        }
        #expect(counts == [1, 2])
        await daemon.receives(.unsubscribe)
    }

    @Test func `what no daemon would take is refused at once`() async throws {
        let daemon = ScriptedDaemon()
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let large = String(repeating: "v", count: 1_025)
        for attributes in [["": "1"], ["a\n": "1"], ["a": large]] {
            let error = await #expect(throws: ConclaveError.self) {
                _ = try await conclave.join("workers", attributes: attributes)
            }
            #expect(error?.code == .invalid)
        }
        let error = await #expect(throws: ConclaveError.self) {
            try await conclave.send([UInt8](repeating: 1, count: 65_537), toGroup: "workers")
        }
        #expect(error?.code == .invalid)
        #expect(daemon.requests(.joinGroup).isEmpty && daemon.requests(.sendToGroup).isEmpty)
    }
}
