import ConclaveBase
import ConclaveCoordination
import ConclaveWire
import Testing

@Suite struct `Task groups` {
    private var stage: Stage
    private let sessions: [SessionID]
    private var numbers: [SessionID: UInt64] = [:]
    private let workers = ObjectName(known: "workers")
    private let others = ObjectName(known: "others")

    init() {
        self.init(quotas: Quotas())
    }

    private init(quotas: Quotas) {
        stage = Stage(quotas: quotas)
        sessions = stage.open(all: 1...4)
    }

    private mutating func ask(_ session: SessionID, _ operation: Operation) -> Reply? {
        let number = (numbers[session] ?? 0) + 1
        numbers[session] = number
        stage.request(session, number, confirmed: number - 1, operation)
        return stage.reply(to: number, of: session)
    }

    @discardableResult
    private mutating func join(
        _ member: Int, _ name: ObjectName? = nil, _ attributes: GroupAttributes = .none
    ) -> Reply? {
        let join = GroupJoin(name: name ?? workers, attributes: attributes)
        return ask(sessions[member], .joinGroup(join))
    }

    @discardableResult
    private mutating func send(
        _ member: Int, _ payload: [UInt8] = [1], to name: ObjectName? = nil
    ) -> Reply? {
        ask(sessions[member], .sendToGroup(name: name ?? workers, payload: payload))
    }

    private func code(_ reply: Reply?) -> RefusalCode? {
        if case .refused(let refusal) = reply { refusal.code } else { nil }
    }

    private func token(_ reply: Reply?) throws -> FencingToken {
        guard case .joined(let joined) = reply else {
            throw WireError.invalid(field: "reply", reason: "\(reply.debugDescription)")
        }
        return joined.token
    }

    private func members(_ name: ObjectName? = nil, at version: Version? = nil) -> [SessionID] {
        stage.coordinator.groupMembers(
            name ?? workers, at: version ?? stage.version
        ).members.map(\.session)
    }

    private func entries(
        after version: Version, _ name: ObjectName? = nil, member: FencingToken? = nil
    ) -> [GroupEntry] {
        stage.coordinator.groupEntries(name ?? workers, after: version, member: member).entries
    }

    private func departed(_ entry: GroupEntry?) -> [GroupDepartureReason] {
        guard case .view(_, let departed)? = entry?.content else { return [] }
        return departed.map(\.reason)
    }

    // MARK: - Views

    @Test mutating func `members are ranked by when they joined, each with a view of its own`() {
        let first = join(0)
        let number = stage.version.number
        #expect(
            first
                == .joined(
                    GroupJoined(name: workers, token: stage.token, number: number, rank: 0)))
        #expect(stage.effects.last == .groupChanged(workers, at: stage.version))
        let second = join(1)
        #expect(
            second
                == .joined(
                    GroupJoined(name: workers, token: stage.token, number: number + 1, rank: 1)))
        #expect(members() == [sessions[0], sessions[1]])
        #expect(stage.coordinator.objectCount == 1)
    }

    @Test mutating func `a member says what it has, and followers are told`() throws {
        let attributes = try GroupAttributes([.init(name: "gpu", value: "2")])
        join(0, nil, attributes)
        let found = stage.coordinator.groupMembers(workers, at: stage.version).members
        #expect(found.map(\.attributes) == [attributes])
        #expect(found.map(\.label) == ["label-1"])
        let entry = entries(after: .zero).first
        #expect(entry?.content == .view(joined: found, departed: []))
    }

    @Test mutating func `a session belongs to a group once`() {
        join(0)
        #expect(code(join(0)) == .alreadyHeld)
        #expect(members().count == 1)
        #expect(stage.effects.count == 1)
    }

    @Test mutating func `who leaves does so with a view, and the ranks close up`() throws {
        join(0)
        let token = try token(join(1))
        join(2)
        let before = stage.version
        #expect(ask(sessions[1], .leaveGroup(name: workers, member: token)) == .done)
        #expect(members() == [sessions[0], sessions[2]])
        let entry = try #require(entries(after: before).first)
        let gone = GroupDeparture(member: token, session: sessions[1], reason: .left)
        #expect(entry.content == .view(joined: [], departed: [gone]))
        #expect(entries(after: before).count == 1)
        #expect(join(1).map { _ in members().last } == sessions[1])
    }

    @Test mutating func `only the member itself leaves, once`() throws {
        let token = try token(join(0))
        #expect(code(ask(sessions[1], .leaveGroup(name: workers, member: token))) == .notHeld)
        #expect(ask(sessions[0], .leaveGroup(name: workers, member: token)) == .done)
        #expect(code(ask(sessions[0], .leaveGroup(name: workers, member: token))) == .notHeld)
        #expect(code(ask(sessions[0], .leaveGroup(name: others, member: token))) == .notHeld)
    }

    @Test(arguments: [
        (SessionEnd.goodbye, GroupDepartureReason.left), (.died, .died), (.expired, .expired),
    ])
    mutating func `a session that ends leaves all its groups, each with one view`(
        end: SessionEnd, reason: GroupDepartureReason
    ) {
        join(0)
        join(1)
        join(1, others)
        let before = stage.version
        stage.end(sessions[1], end)
        #expect(members() == [sessions[0]])
        #expect(members(others) == [])
        #expect(entries(after: before).map { departed($0) } == [[reason]])
        #expect(entries(after: before, others).map { departed($0) } == [[reason]])
        let changed = stage.effects.filter { if case .groupChanged = $0 { true } else { false } }
        #expect(
            changed == [
                .groupChanged(others, at: stage.version),
                .groupChanged(workers, at: stage.version),
            ])
        #expect(stage.coordinator.objectCount == 1)
        #expect(stage.coordinator.groupMembershipCount == 1)
    }

    @Test mutating func `a lost host's members are lost with it`() {
        let far = stage.open(9, host: 3)
        _ = ask(far, .joinGroup(GroupJoin(name: workers)))
        stage.install(Array(Stage.members[..<2]))
        let before = stage.version
        stage.apply(.expire(session: far, attachment: 1, epoch: stage.epoch))
        #expect(entries(after: before).map { departed($0) } == [[.hostLost]])
    }

    @Test mutating func `another process of its user may put a member out, at once`() throws {
        let token = try token(join(0))
        join(1)
        let before = stage.version
        #expect(ask(sessions[1], .evictMember(name: workers, member: token)) == .done)
        #expect(members() == [sessions[1]])
        #expect(entries(after: before).map { departed($0) } == [[.evicted]])
        #expect(code(ask(sessions[1], .evictMember(name: workers, member: token))) == .refused)
    }

    @Test mutating func `a fellow member of another user puts nobody out, root does`() throws {
        let token = try token(join(0))
        stage.apply(.open(Stage.open(20, uid: 7)))
        let stranger = SessionID(stage.version.number)
        stage.apply(.open(Stage.open(21, uid: 0)))
        let root = SessionID(stage.version.number)
        let join = GroupJoin(name: workers)
        stage.request(stranger, 1, .joinGroup(join))
        let evict = Operation.evictMember(name: workers, member: token)
        stage.request(stranger, 2, evict)
        #expect(stage.refusal(of: 2, of: stranger) == .denied)
        #expect(members().count == 2)
        #expect(ask(root, evict) == .done)
        #expect(members() == [stranger])
    }

    // MARK: - Messages

    @Test mutating func `a message is in the view in which it is ordered`() throws {
        let token = try token(join(0))
        join(1)
        let number = stage.coordinator.groupMembers(workers, at: stage.version).number
        let reply = send(0, [7])
        #expect(
            reply == .sent(GroupSent(version: stage.version, number: number, memberCount: 2)))
        join(2)
        let log = entries(after: .zero)
        #expect(log.map(\.number) == [number - 1, number, number, number + 1])
        let message = GroupMessage(
            sender: sessions[0], member: token, host: NodeID(1), pid: 1, payload: [7])
        #expect(log[2].content == .message(message))
    }

    @Test mutating func `anybody may send, and is no member for that`() {
        join(0)
        send(3, [1])
        guard case .message(let message) = entries(after: .zero).last?.content else {
            Issue.record("there is no message")
            return
        }
        #expect(message.member == nil && message.sender == sessions[3] && message.pid == 4)
        #expect(members().count == 1)
    }

    @Test mutating func `nothing is sent to nobody`() throws {
        #expect(code(send(0)) == .refused)
        let token = try token(join(0))
        _ = ask(sessions[0], .leaveGroup(name: workers, member: token))
        #expect(code(send(0)) == .refused)
    }

    @Test mutating func `a member is told everything up to the view without it`() throws {
        let token = try token(join(0))
        join(1)
        send(1)
        _ = ask(sessions[1], .evictMember(name: workers, member: token))
        send(1)
        let joined = Version(token.number)
        #expect(members(at: joined) == [sessions[0]])
        let reading = stage.coordinator.groupEntries(workers, after: joined, member: token)
        #expect(reading.isOver)
        #expect(reading.entries.count == 3)
        #expect(departed(reading.entries.last) == [.evicted])
        let all = stage.coordinator.groupEntries(workers, after: joined)
        #expect(!all.isOver && all.entries.count == 4 && all.upTo == stage.version)
    }

    @Test mutating func `who wants views alone is told no messages, and misses nothing`() {
        join(0)
        send(0)
        send(0)
        let reading = stage.coordinator.groupEntries(workers, after: .zero, withMessages: false)
        #expect(reading.entries.count == 1 && reading.upTo == stage.version)
        #expect(reading.lookedCount == 3)
    }

    @Test mutating func `what is passed over costs as much as what is told`() {
        join(0)
        let joined = stage.version
        for payload in 0..<9 as Range<UInt8> { send(0, [payload]) }
        let reading = stage.coordinator.groupEntries(
            workers, after: joined, withMessages: false, GroupBudget(count: 4, byteCount: .max))
        #expect(reading.entries.isEmpty && reading.lookedCount == 4)
        #expect(reading.upTo == Version(joined.number + 4))
        let page = stage.coordinator.groupMembers(workers, at: joined)
        #expect(page.lookedCount == 10, "the member, and all that happened since")
    }

    @Test mutating func `a reading ends where its budget does, and goes on there`() {
        join(0)
        for payload in 0..<5 as Range<UInt8> { send(0, [payload]) }
        var after = Version.zero
        var told: [GroupEntry] = []
        for _ in 0..<4 {
            let reading = stage.coordinator.groupEntries(
                workers, after: after, GroupBudget(count: 2, byteCount: .max))
            told += reading.entries
            after = reading.upTo
        }
        #expect(told == entries(after: .zero))
        #expect(after == stage.version)
    }

    // MARK: - What is kept

    private static func small() -> Quotas {
        var quotas = Quotas()
        quotas.groupLogCount = 3
        quotas.desertedGroups = 1
        return quotas
    }

    @Test mutating func `what is forgotten shows in the floor`() {
        self = Self(quotas: Self.small())
        join(0)
        let joined = stage.version
        #expect(stage.coordinator.groupFloor(workers) < joined)
        for _ in 0..<3 { send(0) }
        #expect(stage.coordinator.groupFloor(workers) == joined)
        send(0)
        #expect(stage.coordinator.groupFloor(workers) > joined)
        #expect(entries(after: stage.coordinator.groupFloor(workers)).count == 3)
    }

    @Test mutating func `the last views of a group that was left are kept for a while`() throws {
        self = Self(quotas: Self.small())
        let before = stage.version
        let token = try token(join(0))
        let number = stage.version.number
        _ = ask(sessions[0], .leaveGroup(name: workers, member: token))
        #expect(stage.coordinator.objectCount == 0)
        #expect(stage.coordinator.groupFloor(workers) <= before)
        #expect(entries(after: before).count == 2)
        join(1)
        #expect(entries(after: before).map(\.number) == [number, number + 1, number + 2])
    }

    @Test mutating func `a group forgotten and made again has larger numbers, and a floor`() throws
    {
        self = Self(quotas: Self.small())
        for name in [workers, others] {
            let token = try token(join(0, name))
            _ = ask(sessions[0], .leaveGroup(name: name, member: token))
        }
        let forgotten = stage.coordinator.groupFloor(workers)
        #expect(forgotten > .zero)
        #expect(stage.coordinator.desertedGroupCount == 1)
        #expect(stage.coordinator.groupMembers(workers, at: stage.version).number == 0)
        join(1)
        #expect(stage.coordinator.groupFloor(workers) == forgotten)
        #expect(entries(after: forgotten).map(\.number) == [stage.version.number])
    }

    @Test mutating func `the members at a version are those of its view`() throws {
        var known: [Version: [SessionID]] = [:]
        var tokens: [FencingToken] = []
        for member in 0..<3 {
            tokens.append(try token(join(member)))
            known[stage.version] = members()
        }
        _ = ask(sessions[1], .leaveGroup(name: workers, member: tokens[1]))
        known[stage.version] = members()
        stage.end(sessions[0], .died)
        known[stage.version] = members()
        join(1)
        for (version, sessions) in known { #expect(members(at: version) == sessions) }
    }

    @Test mutating func `pages of members make up all of them`() {
        for member in 0..<4 { join(member) }
        var after: FencingToken?
        var found: [SessionID] = []
        var isLast = false
        while !isLast {
            let page = stage.coordinator.groupMembers(
                workers, at: stage.version, after: after, GroupBudget(count: 1, byteCount: .max))
            found += page.members.map(\.session)
            after = page.members.last?.token
            isLast = page.isLast
        }
        #expect(found == sessions)
    }

    // MARK: - Quotas

    @Test mutating func `there is room for so many members and groups`() {
        var quotas = Quotas()
        quotas.membersPerGroup = 2
        quotas.groupsPerSession = 1
        self = Self(quotas: quotas)
        join(0)
        join(1)
        #expect(code(join(2)) == .quotaExceeded)
        #expect(code(join(0, others)) == .quotaExceeded)
        #expect(members().count == 2 && members(others).isEmpty)
    }

    @Test mutating func `a group forgets what is old before it refuses what is new`() {
        var quotas = Quotas()
        quotas.groupByteCount = 4_000
        self = Self(quotas: quotas)
        join(0)
        for _ in 0..<10 {
            guard case .sent = send(0, Array(repeating: 1, count: 1_000)) else {
                Issue.record("refused")
                return
            }
            #expect(stage.coordinator.groupByteCount <= 4_000)
            guard
                case .message = entries(after: stage.coordinator.groupFloor(workers)).last?.content
            else {
                Issue.record("what was just ordered is not kept")
                return
            }
        }
        #expect(code(send(0, Array(repeating: 1, count: 4_000))) == .quotaExceeded)
        #expect(members().count == 1)
    }

    @Test mutating func `whoever leaves takes nobody's room, however full its own is`() throws {
        var quotas = Quotas()
        quotas.groupByteCountPerUID = 2_500
        self = Self(quotas: quotas)
        stage.apply(.open(Stage.open(30, uid: 5)))
        let other = SessionID(stage.version.number)
        stage.request(other, 1, .joinGroup(GroupJoin(name: workers)))
        stage.request(
            other, 2, .sendToGroup(name: workers, payload: Array(repeating: 1, count: 500)))
        let said = stage.version
        let token = try token(join(0))
        // Groups of its own take all that is left of its user's room, to the last bytes.
        for size in (0...1_000).reversed() {
            let value = String(repeating: "v", count: size)
            let attributes = try GroupAttributes([.init(name: "a", value: value)])
            let name = ObjectName(known: "own/\(size)")
            _ = ask(sessions[1], .joinGroup(GroupJoin(name: name, attributes: attributes)))
        }
        #expect(ask(sessions[0], .leaveGroup(name: workers, member: token)) == .done)
        #expect(stage.coordinator.groupFloor(workers) < said)
        let kept = entries(after: stage.coordinator.groupFloor(workers))
        #expect(departed(kept.last) == [.left])
    }

    @Test mutating func `what one user has brought keeps no other one from it`() {
        var quotas = Quotas()
        quotas.groupByteCountPerUID = 3_000
        self = Self(quotas: quotas)
        join(0)
        join(1, others)
        send(0, Array(repeating: 1, count: 1_500))
        #expect(code(send(1, Array(repeating: 1, count: 1_500), to: others)) == .quotaExceeded)
        stage.apply(.open(Stage.open(30, uid: 5)))
        let other = SessionID(stage.version.number)
        let reply = ask(
            other, .sendToGroup(name: others, payload: Array(repeating: 1, count: 1_500)))
        guard case .sent = reply else {
            Issue.record("\(reply.debugDescription)")
            return
        }
    }

    @Test mutating func `who has no room left takes nothing of the deserted groups of others`()
        throws
    {
        var quotas = Quotas()
        quotas.groupByteCountPerUID = 3_000
        self = Self(quotas: quotas)
        stage.apply(.open(Stage.open(30, uid: 5)))
        let other = SessionID(stage.version.number)
        let reply = ask(other, .joinGroup(GroupJoin(name: others)))
        guard case .joined(let joined) = reply else {
            Issue.record("\(reply.debugDescription)")
            return
        }
        _ = ask(other, .leaveGroup(name: others, member: joined.token))
        let own = ObjectName(known: "own")
        let token = try token(join(0, own))
        send(0, Array(repeating: 1, count: 1_000), to: own)
        _ = ask(sessions[0], .leaveGroup(name: own, member: token))
        join(0)
        #expect(stage.coordinator.desertedGroupCount == 2)
        // What it has left itself makes room, and nothing else does.
        send(0, Array(repeating: 1, count: 1_500))
        #expect(stage.coordinator.desertedGroupCount == 1)
        #expect(code(send(0, Array(repeating: 1, count: 4_000))) == .quotaExceeded)
        #expect(stage.coordinator.desertedGroupCount == 1)
        #expect(stage.coordinator.groupFloor(others) < stage.version)
    }

    // MARK: - Histories

    @Test mutating func `what was given up of the history is not told`() {
        join(0)
        let before = stage.version
        stage.install(Stage.members, historyWasGivenUp: true)
        #expect(members().isEmpty)
        #expect(stage.coordinator.groupFloor(workers) > before)
        #expect(stage.coordinator.objectCount == 0)
        #expect(stage.coordinator.groupByteCount == 0)
    }

    @Test mutating func `a state read from its snapshot has the groups, and goes on`() throws {
        self = Self(quotas: Self.small())
        for member in 0..<3 { join(member) }
        send(0)
        send(3)
        stage.end(sessions[1], .died)
        let token = try token(join(0, others))
        _ = ask(sessions[0], .leaveGroup(name: others, member: token))
        let expected = stage
        try stage.restore()
        #expect(stage.coordinator.digest == expected.coordinator.digest)
        #expect(members() == [sessions[0], sessions[2]])
        let floor = stage.coordinator.groupFloor(workers)
        #expect(floor == expected.coordinator.groupFloor(workers))
        #expect(
            entries(after: floor)
                == expected.coordinator.groupEntries(workers, after: floor).entries)
        #expect(stage.coordinator.groupByteCount == expected.coordinator.groupByteCount)
        #expect(stage.coordinator.desertedGroupCount == 1)
    }

    @Test mutating func `attributes are bounded, named once, and in order`() throws {
        let many = (0..<33).map { GroupAttributes.Entry(name: "k\($0)", value: "") }
        #expect(throws: WireError.self) { try GroupAttributes(many) }
        let twice = [GroupAttributes.Entry(name: "k", value: "1"), .init(name: "k", value: "2")]
        #expect(throws: WireError.self) { try GroupAttributes(twice) }
        #expect(throws: WireError.self) { try GroupAttributes([.init(name: "", value: "1")]) }
        #expect(throws: WireError.self) { try GroupAttributes([.init(name: "a\n", value: "1")]) }
        let large = String(repeating: "v", count: 1_024)
        let five = (0..<5).map { GroupAttributes.Entry(name: "k\($0)", value: large) }
        #expect(throws: WireError.self) { try GroupAttributes(five) }
        let sorted = try GroupAttributes([.init(name: "b", value: ""), .init(name: "a", value: "")])
        #expect(sorted.entries.map(\.name) == ["a", "b"])
    }
}
