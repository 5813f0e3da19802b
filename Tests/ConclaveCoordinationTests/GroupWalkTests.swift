import ConclaveBase
import ConclaveCoordination
import ConclaveWire
import Testing

@Suite struct `Random walks over task groups` {
    /// Somebody who knew the members once and was told every entry since knows the members now; and
    /// what is told of a view is what changed.
    @Test(arguments: 0..<UInt64(40))
    func `followers, replicas and snapshots agree`(seed: UInt64) throws {
        var walk = GroupWalk(seed: seed)
        for _ in 0..<600 { try walk.step() }
        try walk.endAll()
    }
}

/// Two replicas, one of them restored from snapshots, and followers that are told now and then.
private struct GroupWalk {
    private struct Follower {
        var at = Version.zero
        var number: UInt64 = 0
        var members: [SessionID] = []
    }

    private static let names = ["a", "b", "c"].map { ObjectName(known: $0) }

    private var stage: Stage
    private var replica: Stage
    private var random: SeededRandom
    private var sessions: [SessionID] = []
    private var numbers: [SessionID: UInt64] = [:]
    private var nextPID: UInt32 = 1
    private var followers: [ObjectName: Follower] = [:]
    /// By group and session.
    private var tokens: [ObjectName: [SessionID: FencingToken]] = [:]

    init(seed: UInt64) {
        var quotas = Quotas()
        quotas.groupLogCount = 12
        quotas.desertedGroups = 2
        quotas.membersPerGroup = 5
        quotas.groupByteCount = 6_000
        quotas.groupByteCountPerUID = 5_000
        quotas.entriesPerRow = 3
        stage = Stage(quotas: quotas)
        replica = stage
        random = SeededRandom(seed: seed)
        for name in Self.names { followers[name] = Follower() }
    }

    mutating func step() throws {
        switch random.below(20) {
        case 0..<2: open()
        case 2: try end()
        case 3: try replica.restore()
        case 4: if random.chance(perMille: 100) { giveUpHistory() }
        case 5..<8: try follow(pick(Self.names))
        default: try request()
        }
        #expect(stage.effects == replica.effects)
        #expect(stage.coordinator.digest == replica.coordinator.digest)
        try checkMembers()
    }

    mutating func endAll() throws {
        while !sessions.isEmpty { try end() }
        #expect(stage.coordinator.groupCount == 0)
        #expect(stage.coordinator.groupMembershipCount == 0)
        for name in Self.names { try follow(name) }
    }

    private mutating func pick<T>(_ list: [T]) -> T { list[Int(random.below(UInt64(list.count)))] }

    private mutating func apply(_ command: Command) {
        stage.apply(command)
        replica.apply(command)
    }

    private mutating func open() {
        guard sessions.count < 8 else { return }
        apply(.open(Stage.open(nextPID, uid: UInt32(1 + random.below(2)))))
        sessions.append(SessionID(stage.version.number))
        nextPID += 1
    }

    private mutating func end() throws {
        guard !sessions.isEmpty else { return }
        let session = sessions.remove(at: Int(random.below(UInt64(sessions.count))))
        apply(.end(session: session, attachment: 1, reason: pick([.died, .goodbye, .expired])))
        for name in Self.names { tokens[name]?[session] = nil }
    }

    private mutating func giveUpHistory() {
        stage.install(Stage.members, historyWasGivenUp: true)
        replica.install(Stage.members, historyWasGivenUp: true)
        sessions = []
        tokens = [:]
    }

    private mutating func request() throws {
        guard !sessions.isEmpty else { return }
        let session = pick(sessions)
        let name = pick(Self.names)
        let number = (numbers[session] ?? 0) + 1
        numbers[session] = number
        let own = tokens[name]?[session] ?? FencingToken(3)
        let other = pick([own] + (tokens[name] ?? [:]).values.sorted())
        let operation: Operation =
            switch random.below(10) {
            case 0..<4: .joinGroup(GroupJoin(name: name))
            case 4..<6: .leaveGroup(name: name, member: own)
            case 6: .evictMember(name: name, member: other)
            default:
                .sendToGroup(
                    name: name, payload: Array(repeating: 1, count: Int(random.below(900))))
            }
        apply(
            .request(
                session: session, number: number, confirmed: number - 1, operation: operation))
        switch (operation, stage.reply(to: number, of: session)) {
        case (_, .joined(let joined)): tokens[name, default: [:]][session] = joined.token
        case (.leaveGroup, .done): tokens[name]?[session] = nil
        case (.evictMember, .done): tokens[name] = tokens[name]?.filter { $0.value != other }
        default: break
        }
    }

    private func checkMembers() throws {
        for name in Self.names {
            let found = stage.coordinator.groupMembers(name, at: stage.version).members
            let expected = (tokens[name] ?? [:]).sorted { $0.value < $1.value }.map(\.key)
            try #require(found.map(\.session) == expected)
        }
    }

    private mutating func follow(_ name: ObjectName) throws {
        var follower = try #require(followers[name])
        let machine = stage.coordinator
        if follower.at < machine.groupFloor(name) {
            follower.at = machine.groupFloor(name)
            let state = machine.groupMembers(name, at: follower.at)
            follower.members = state.members.map(\.session)
            follower.number = state.number
        }
        let reading = machine.groupEntries(name, after: follower.at)
        for entry in reading.entries {
            try #require(entry.version > follower.at)
            follower.at = entry.version
            try take(entry, &follower)
        }
        follower.at = reading.upTo
        let state = machine.groupMembers(name, at: machine.version)
        try #require(state.members.map(\.session) == follower.members)
        if machine.groupCount > 0, !state.members.isEmpty {
            #expect(state.number == follower.number)
        }
        followers[name] = follower
    }

    private func take(_ entry: GroupEntry, _ follower: inout Follower) throws {
        switch entry.content {
        case .message, .provided: #expect(entry.number == follower.number)
        case .adopted:
            #expect(entry.number > follower.number)
            follower.number = entry.number
        case .view(let joined, let departed):
            #expect(entry.number > follower.number)
            for gone in departed { try #require(follower.members.contains(gone.session)) }
            follower.members.removeAll { session in departed.contains { $0.session == session } }
            follower.members += joined.map(\.session)
            follower.number = entry.number
        }
    }
}
