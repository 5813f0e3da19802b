import Conclave
import ConclaveBase
import ConclaveWire
import TestSupport
import Testing

@Suite struct `The state of a task group` {
    private static func bytes(_ news: GroupNews) -> [UInt8] {
        var writer = ByteWriter()
        news.encode(into: &writer)
        return writer.bytes
    }

    private static func state(
        _ version: UInt64, _ members: [(UInt64, StatePossession)], isResync: Bool = false
    ) -> [UInt8] {
        bytes(
            .state(
                GroupStatePart(
                    version: Version(version), number: version, isFirst: true, isLast: true,
                    isResync: isResync,
                    members: members.map { token, possession in
                        ConclaveWire.GroupMember(
                            token: FencingToken(token), session: SessionID(token),
                            host: NodeID(1), pid: 7, uid: 8, label: "", attributes: .none,
                            possession: possession)
                    })))
    }

    private static func entry(_ version: UInt64, _ content: GroupEntry.Content) -> [UInt8] {
        let entry = GroupEntry(
            version: Version(version), time: .zero, number: version, content: content)
        return bytes(.entries([entry], upTo: entry.version))
    }

    private static func part(_ number: UInt32, _ payload: [UInt8]) -> GroupEntry.Content {
        .provided(
            ProvidedState(
                from: FencingToken(9), to: FencingToken(1), upTo: Version(12), part: number,
                partCount: 2, payload: payload))
    }

    private static func follow(_ request: ScriptedDaemon.Request) -> GroupFollow? {
        var reader = ByteReader(request.body)
        return try? GroupFollow(from: &reader)
    }

    /// The member is `FencingToken(1)`.
    private static func following(
        _ news: @escaping @Sendable (GroupFollow) -> [[UInt8]]
    ) -> ScriptedDaemon.Script {
        { request in
            guard request.type == .followGroup, let follow = follow(request) else {
                return ScriptedDaemon.grant(request)
            }
            return news(follow).enumerated().map { $0 == 0 ? .report($1) : .event($1) }
        }
    }

    @Test func `a newcomer takes over what it is handed, and goes on from there`() async throws {
        let daemon = ScriptedDaemon(
            Self.following { follow in
                guard follow.start == nil else {
                    return [Self.state(12, [(1, .wanted), (9, .held)])]
                }
                return [
                    Self.state(10, [(1, .wanted), (9, .held)]),
                    Self.entry(13, Self.part(1, [3])), Self.entry(14, Self.part(0, [1, 2])),
                    Self.entry(15, .adopted(FencingToken(1))),
                ]
            })
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let member = try await conclave.join("stock", sharingState: true)
        #expect(try await member.adopt() == [1, 2, 3])
        let adopt = Operation.adoptState(
            name: try ObjectName("stock"), member: FencingToken(1), upTo: Version(12))
        #expect(daemon.requests(.adoptState).map(\.operation) == [adopt])
        var updates = member.makeAsyncIterator()
        let first = try await updates.next()?.view
        #expect(first?.version == Version(12))
        #expect(first?.members.map(\.hasState) == [false, true])
        #expect(daemon.requests(.followGroup).map { Self.follow($0)?.start } == [nil, Version(12)])
        try await member.leave()
    }

    @Test func `who is the first begins with nothing`() async throws {
        let daemon = ScriptedDaemon(
            Self.following { _ in
                [Self.state(10, [(1, .wanted)]), Self.entry(11, .adopted(FencingToken(1)))]
            })
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let member = try await conclave.join("stock", sharingState: true)
        #expect(try await member.adopt() == nil)
        try await member.leave()
    }

    @Test func `who has missed a part is told so, and so is who has no share`() async throws {
        let daemon = ScriptedDaemon(
            Self.following { _ in
                [Self.state(10, [(1, .wanted)], isResync: true)]
            })
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let member = try await conclave.join("stock", sharingState: true)
        #expect(try await code { _ = try await member.adopt() } == .lost)
        try await member.leave()
        let other = try await conclave.join("stock")
        #expect(try await code { _ = try await other.adopt() } == .refused)
        try await other.leave()
    }

    private func code(_ body: () async throws -> Void) async throws -> ConclaveError.Code? {
        do {
            try await body()
            return nil
        } catch let error as ConclaveError {
            return error.code
        }
    }

    @Test func `who has the state hands it to each newcomer once`() async throws {
        let daemon = ScriptedDaemon(
            Self.following { _ in
                [Self.state(10, [(1, .held), (4, .wanted), (5, .none), (6, .wanted)])]
            })
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let member = try await conclave.join("stock", sharingState: true)
        var updates = member.makeAsyncIterator()
        let view = try #require(try await updates.next()?.view)
        let large = [UInt8](repeating: 1, count: ClientLimits.groupState + 1)
        #expect(try await code { try await member.provide(at: view) { large } } == .invalid)
        #expect(daemon.requests(.provideState).isEmpty)
        try await member.provide(at: view) { [UInt8](repeating: 2, count: 5_000) }
        try await member.provide(at: view) { large }
        var told: [UInt64: Int] = [:]
        for request in daemon.requests(.provideState) {
            guard case .provideState(_, let state)? = request.operation else { continue }
            #expect(state.from == FencingToken(1) && state.upTo == Version(10))
            told[state.to.number, default: 0] += state.payload.count
        }
        #expect(told == [4: 5_000, 6: 5_000])
        try await member.leave()
    }
}
