import ConclaveBase
import ConclaveCoordination
import ConclaveService
import ConclaveWire
import Testing

@Suite struct `Task groups and their followers` {
    private let group: TestGroup
    private let first: ConnectionID
    private let second: ConnectionID
    private let follower: ConnectionID
    private let session: SessionID
    private var daemon: TestDaemon { group[0] }
    private var number: UInt64 = 0
    private let name: ObjectName

    init() throws {
        try self.init(quotas: Quotas())
    }

    private init(quotas: Quotas, plant: Plant? = nil) throws {
        group = TestGroup(quotas: quotas, validitySlotCount: 512, plant: plant)
        name = try ObjectName("workers")
        let opened = try group[0].connectWithSession(pid: 1)
        (first, session) = (opened.id, opened.session.session)
        (second, _) = try group[0].connectWithSession(pid: 2)
        follower = group[0].connect(pid: 3)
        group[0].hello(follower)
        _ = try group[0].received(follower)
    }

    @discardableResult
    private mutating func ask(
        _ operation: Operation, _ connection: ConnectionID
    ) throws -> Reply? {
        number += 1
        daemon.request(operation, number: number, confirmed: number - 1, connection)
        return try daemon.received(connection).replies.last?.reply
    }

    private mutating func join(_ connection: ConnectionID) throws -> FencingToken {
        try #require(try ask(.joinGroup(GroupJoin(name: name)), connection)?.token)
    }

    private mutating func send(_ payload: [UInt8], _ connection: ConnectionID) throws {
        try ask(.sendToGroup(name: name, payload: payload), connection)
    }

    private func follow(_ follow: GroupFollow, number: UInt64 = 4) {
        daemon.send(.followGroup, number: number, follower) { follow.encode(into: &$0) }
    }

    private func frames() throws -> [FrameBuffer.Frame] {
        try daemon.received(follower).filter {
            $0.header.type == ClientFrameType.followGroup.rawValue
        }
    }

    private func news(_ frames: [FrameBuffer.Frame]) throws -> [GroupNews] {
        try frames.map { frame in
            var reader = ByteReader(frame.body)
            let news = try GroupNews(from: &reader)
            try reader.finish()
            return news
        }
    }

    private func news() throws -> [GroupNews] { try news(frames()) }

    private func state(_ news: GroupNews?) throws -> GroupStatePart {
        guard case .state(let part)? = news else {
            throw WireError.invalid(field: "news", reason: "\(news.debugDescription)")
        }
        return part
    }

    private func payloads(_ news: [GroupNews]) -> [[UInt8]] {
        news.flatMap { news in
            guard case .entries(let entries, _) = news else { return [[UInt8]]() }
            return entries.compactMap { entry in
                if case .message(let message) = entry.content { message.payload } else { nil }
            }
        }
    }

    @Test mutating func `a follower is told the members, then each view`() throws {
        let token = try join(first)
        follow(GroupFollow(name))
        _ = try join(second)
        try send([1], second)
        try ask(.leaveGroup(name: name, member: token), first)
        let frames = try frames()
        #expect(frames.map(\.header.flags) == [.reply, .event, .event])
        #expect(frames.allSatisfy { $0.header.number == 4 })
        let news = try news(frames)
        let part = try state(news[0])
        #expect(part.isFirst && part.isLast && !part.isResync)
        #expect(part.members.map(\.session) == [session])
        #expect(payloads(news).isEmpty)
    }

    @Test mutating func `a member is told its own view first, whatever happened since`() throws {
        let token = try join(first)
        _ = try join(second)
        try send([1], second)
        follow(GroupFollow(name, withMessages: true, member: token))
        let news = try news()
        let part = try state(news.first)
        #expect(part.version.number == token.number && part.members.map(\.token) == [token])
        #expect(part.number == token.number)
        guard case .entries(let entries, let upTo)? = news.last else {
            Issue.record("\(news)")
            return
        }
        #expect(entries.count == 2 && upTo == group.machine.version)
    }

    @Test mutating func `a member is told of nothing after it was put out`() throws {
        let token = try join(first)
        _ = try join(second)
        follow(GroupFollow(name, withMessages: true, member: token))
        try ask(.evictMember(name: name, member: token), second)
        try send([1], second)
        let frames = try frames()
        #expect(frames.last?.header.flags == [.event, .last])
        #expect(payloads(try news(frames)).isEmpty)
        // Nothing of it is left.
        #expect(group.machine.groupCount == 1)
        try send([2], second)
        #expect(try self.frames().isEmpty)
    }

    @Test mutating func `a stream is resumed without loss or double`() throws {
        let token = try join(first)
        for payload in 1...5 as ClosedRange<UInt8> { try send([payload], second) }
        let version = group.machine.version
        for payload in 6...9 as ClosedRange<UInt8> { try send([payload], second) }
        follow(GroupFollow(name, withMessages: true, member: token, from: version))
        #expect(payloads(try news()) == [[6], [7], [8], [9]])
        daemon.send(.unsubscribe, number: 9, follower) { $0.integer(UInt64(4)) }
        try send([10], second)
        #expect(try news().isEmpty)
    }

    @Test mutating func `one who does not read is told all of it later`() throws {
        let token = try join(first)
        follow(GroupFollow(name, withMessages: true, member: token))
        _ = try daemon.received(follower)
        daemon.step(.client(.stalled(follower, byteCount: 1)))
        for payload in 1...50 as ClosedRange<UInt8> { try send([payload], second) }
        #expect(try daemon.received(follower).isEmpty)
        daemon.step(.client(.drained(follower)))
        #expect(payloads(try news()) == (1...50).map { [$0] })
    }

    @Test mutating func `one who does not read for too long is told that messages are lost`() throws
    {
        var quotas = Quotas()
        quotas.groupLogCount = 3
        self = try Self(quotas: quotas)
        let token = try join(first)
        follow(GroupFollow(name, withMessages: true, member: token))
        _ = try daemon.received(follower)
        daemon.step(.client(.stalled(follower, byteCount: 1)))
        for payload in 1...9 as ClosedRange<UInt8> { try send([payload], second) }
        daemon.step(.client(.drained(follower)))
        let part = try state(try news().first)
        #expect(part.isResync && part.members.map(\.token) == [token])
        try send([10], second)
        #expect(payloads(try news()) == [[10]])
    }

    @Test mutating func `who is no member any more when it begins anew is told so`() throws {
        var quotas = Quotas()
        quotas.groupLogCount = 2
        self = try Self(quotas: quotas)
        let token = try join(first)
        _ = try join(second)
        try ask(.leaveGroup(name: name, member: token), first)
        for _ in 1...5 { try send([1], second) }
        follow(GroupFollow(name, withMessages: true, member: token))
        let frames = try frames()
        #expect(frames.map(\.header.flags) == [[.reply, .last]])
        #expect(try state(try news(frames).first).isResync)
    }

    /// Their state takes several pieces.
    private func joinMany() throws {
        let attributes = try GroupAttributes(
            (0..<3).map { .init(name: "\($0)", value: String(repeating: "v", count: 1_000)) })
        for number in 1...200 as ClosedRange<UInt64> {
            group.propose([
                Command.open(
                    .init(
                        id: Secret(high: 9, low: number), secret: Secret(high: 9, low: number),
                        ttl: .seconds(5), label: "", process: daemon.process(100),
                        member: daemon.member, nonce: 9_000 + number)
                ).bytes
            ])
            let join = Operation.joinGroup(GroupJoin(name: name, attributes: attributes))
            group.propose([
                Command.request(
                    session: SessionID(group.machine.version.number), number: 1, confirmed: 0,
                    operation: join
                ).bytes
            ])
        }
    }

    @Test func `many members come in pieces of one version`() throws {
        try joinMany()
        follow(GroupFollow(name))
        let parts = try news().map(state)
        #expect(parts.count > 2)
        #expect(Set(parts.map(\.version)).count == 1)
        #expect(parts.map(\.isFirst) == [true] + parts.dropFirst().map { _ in false })
        #expect(parts.map(\.isLast) == parts.dropLast().map { _ in false } + [true])
        #expect(parts.flatMap(\.members).count == 200)
    }

    @Test mutating func `who was told a part has missed nothing, however much is forgotten`() throws
    {
        var quotas = Quotas()
        quotas.groupLogCount = 2
        self = try Self(quotas: quotas)
        try joinMany()
        daemon.turnsPerStep = 1
        follow(GroupFollow(name))
        let part = try state(try news().first)
        #expect(part.isFirst && !part.isLast && !part.isResync)
        daemon.turnsPerStep = 0
        for payload in 1...9 as ClosedRange<UInt8> { try send([payload], first) }
        daemon.turnsPerStep = .max
        daemon.step(.client(.drained(follower)))
        let again = try news().map(state)
        #expect(again.first?.isFirst == true && again.last?.isLast == true)
        #expect(again.allSatisfy { !$0.isResync && $0.version > part.version })
    }

    @Test mutating func `what was not told is found when the state is replaced`() throws {
        _ = try join(first)
        follow(GroupFollow(name, withMessages: true))
        _ = try daemon.received(follower)
        daemon.isDeaf = true
        number += 1
        let send = Operation.sendToGroup(name: name, payload: [9])
        group.propose([
            Command.request(session: session, number: 50, confirmed: 0, operation: send).bytes
        ])
        #expect(try daemon.received(follower).isEmpty)
        daemon.isDeaf = false
        group.replaceState(of: daemon)
        #expect(payloads(try news()) == [[9]])
    }

    @Test mutating func `a message that does not fit a slot is refused with the limit`() throws {
        _ = try join(first)
        number += 1
        let payload = [UInt8](repeating: 1, count: 5_000)
        daemon.request(.sendToGroup(name: name, payload: payload), number: number, first)
        let refusals = try daemon.received(first).refusals
        #expect(refusals.map(\.code) == [.invalid] && refusals[0].message.contains("4000"))
    }

    @Test mutating func `a session that dies is departed from its groups in the same step`() throws
    {
        let token = try join(first)
        _ = try join(second)
        follow(GroupFollow(name))
        daemon.step(.client(.processDied(first)))
        guard case .entries(let entries, _)? = try news().last,
            case .view(_, let departed)? = entries.last?.content
        else {
            Issue.record("no view")
            return
        }
        #expect(
            departed == [GroupDeparture(member: token, session: session, reason: .died)])
    }

    @Test func `a user follows so much and no more`() throws {
        for number in 1...UInt64(301) { follow(GroupFollow(name), number: number) }
        #expect(try daemon.received(follower).refusals.map(\.code) == [.quotaExceeded])
    }
}
