import ConclaveBase
import ConclaveCoordination
import ConclaveWire
import Testing

/// Random commands from many sessions, beside a plain model; the invariants are checked after each.
struct RandomWalk {
    struct Party: Hashable {
        var session: SessionID
        var number: UInt64
    }

    /// What a client knows of its session.
    struct Client {
        var pid: UInt32
        var number: UInt64 = 0
        var answered: Set<UInt64> = []
        var waiting: Set<UInt64> = []
        var sent: [UInt64: Operation] = [:]
        var confirmed: UInt64 = 0

        /// Up to where each number is answered or known to wait.
        mutating func confirm() {
            while answered.contains(confirmed + 1) || waiting.contains(confirmed + 1) {
                confirmed += 1
            }
        }
    }

    private static let names = ["a", "b", "c"].map(ObjectName.init(known:))

    private var random: SeededRandom
    private(set) var stage = Stage()
    /// Told the same, and now and then replaced by what its snapshot says.
    private var replica = Stage()
    private var locks = ReferenceModel()
    private var slots = ReferenceModel()
    private var clients: [SessionID: Client] = [:]
    private var nextPID: UInt32 = 1
    private var replies: [Party: Reply] = [:]
    private var outcomes: [ObjectName: [UInt64: Reply]] = [:]
    private var trippedRanks: [ObjectName: [UInt64: Set<UInt32>]] = [:]
    private var newestTokens: [ObjectName: (any: UInt64, exclusive: UInt64)] = [:]
    private var isThirdAbsent = false

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
    }

    private var sessions: [SessionID] { clients.keys.sorted() }

    private mutating func pick<Value>(_ values: [Value]) -> Value {
        values[Int(random.below(UInt64(values.count)))]
    }

    mutating func step() throws {
        stage.time.microseconds += random.below(1_000)
        replica.time = stage.time
        switch random.below(100) {
        case 0..<6: open()
        case 6..<9: try end()
        case 9..<11: try changeView()
        case 11..<14: try repeatRequest()
        case 14..<16: try restoreReplica()
        case 16..<18: try resume()
        default: try request()
        }
        try check()
    }

    mutating func endAll() throws {
        checkTrips()
        while !clients.isEmpty { try end() }
        for lease in stage.coordinator.leaseTerms {
            apply(.expireLease(name: lease.name, renewed: lease.renewed))
        }
        try check()
        let latches = stage.coordinator.latchPage(prefix: "").latches
        #expect(latches.allSatisfy { $0.state.remaining < $0.state.count })
        #expect(stage.coordinator.objectCount == stage.coordinator.keyCount + latches.count)
        #expect(stage.coordinator.ephemeralKeyCount == 0)
        #expect(stage.coordinator.sessionCount == 0)
        #expect(stage.coordinator.digest == replica.coordinator.digest)
    }

    private mutating func apply(_ command: Command) {
        stage.apply(command)
        replica.apply(command)
    }

    private mutating func open() {
        guard clients.count < 12 else { return }
        let host = UInt32(random.below(isThirdAbsent ? 2 : 3)) + 1
        apply(.open(Stage.open(nextPID, host: host)))
        clients[SessionID(stage.version.number)] = Client(pid: nextPID)
        nextPID += 1
    }

    private mutating func end() throws {
        guard !clients.isEmpty else { return }
        let session = pick(sessions)
        let attachment = try #require(stage.coordinator.sessionState(session)).attachment
        if stage.coordinator.view.contains(attachment.member) {
            let reason = pick([SessionEnd.goodbye, .died, .expired])
            apply(.end(session: session, attachment: attachment.number, reason: reason))
        } else {
            apply(
                .expire(
                    session: session, attachment: attachment.number, epoch: stage.epoch))
        }
        #expect(stage.coordinator.sessionState(session) == nil)
        clients[session] = nil
        locks.end(session, at: stage.version)
        slots.end(session, at: stage.version)
        try note()
    }

    private mutating func resume() throws {
        guard !clients.isEmpty else { return }
        let session = pick(sessions)
        let state = try #require(stage.coordinator.sessionState(session))
        let host = isThirdAbsent ? UInt32(1) : state.process.host.number
        apply(
            .resume(
                ResumeCommand(
                    session: session, secret: state.secret,
                    confirmed: clients[session]!.confirmed, process: state.process,
                    member: Stage.member(host), nonce: 1)))
        let attachment = stage.coordinator.sessionState(session)?.attachment
        #expect(attachment?.number == state.attachment.number + 1)
    }

    private mutating func changeView() throws {
        if locks.isSuspended, random.chance(perMille: 700) {
            apply(.openGrants(epoch: stage.epoch))
            locks.open(at: stage.version)
            slots.open(at: stage.version)
        } else {
            isThirdAbsent.toggle()
            let isLost = random.chance(perMille: 300)
            let members = Array(Stage.members[..<(isThirdAbsent ? 2 : 3)])
            stage.install(members, stateWasLost: isLost)
            replica.install(members, stateWasLost: isLost)
            if isLost {
                locks.isSuspended = true
                slots.isSuspended = true
            }
        }
        try note()
    }

    private mutating func restoreReplica() throws {
        try replica.restore()
        #expect(replica.coordinator.digest == stage.coordinator.digest)
    }

    /// What was sent before, from an old daemon or a new one, changes nothing.
    private mutating func repeatRequest() throws {
        let known = sessions.filter { !clients[$0]!.sent.isEmpty }
        guard !known.isEmpty else { return }
        let session = pick(known)
        let number = pick(clients[session]!.sent.keys.sorted())
        apply(
            .request(
                session: session, number: number, confirmed: 0,
                operation: clients[session]!.sent[number]!))
        #expect(stage.effects.count <= 1)
        try note()
    }

    private mutating func request() throws {
        guard !clients.isEmpty else { return }
        let session = pick(sessions)
        clients[session]!.number += 1
        if random.chance(perMille: 500) { clients[session]!.confirm() }
        let number = clients[session]!.number
        let operation = operation(for: session, number)
        clients[session]!.sent[number] = operation
        apply(
            .request(
                session: session, number: number, confirmed: clients[session]!.confirmed,
                operation: operation))
        follow(operation, session, number)
        try note()
    }

    private mutating func operation(for session: SessionID, _ number: UInt64) -> Operation {
        let name = pick(Self.names)
        let token = { (model: ReferenceModel) in
            let held = model.objects[name]?.holders.first { $0.session == session }
            return FencingToken(held?.token ?? 1)
        }
        switch random.below(26) {
        case 24...: return .latch(latch(name))
        case 22...: return .lease(lease(name))
        case 19...: return groupOperation(name)
        case 16: return .downgrade(name: name, token: token(locks))
        case 18: return .handOver(slot: name, token: token(slots), to: pick(sessions))
        case 17: return .upgrade(name: name, token: token(locks))
        case 13...: return .transact(transaction(name))
        case 0..<4:
            return .acquire(
                name: name, mode: mode(), isTry: random.chance(perMille: 200),
                priority: pick([0, 0, 1, -1]), task: tag())
        case 4..<6: return .release(name: name, token: token(locks))
        case 6:
            return .campaign(
                slot: name, value: [UInt8(random.below(256))], priority: pick([0, 0, 1]),
                places: pick([nil, nil, 1, 2]), task: tag())
        case 7: return .announce(slot: name, token: token(slots), value: [1])
        case 8: return .resign(slot: name, token: token(slots))
        case 9 where !members(of: name).isEmpty && random.chance(perMille: 500):
            return .arrive(memberArrival(name))
        case 9, 10:
            return .arrive(
                BarrierArrival(
                    name: name, parties: random.chance(perMille: 950) ? 3 : 2,
                    rank: random.chance(perMille: 200) ? UInt32(random.below(2)) : nil,
                    payload: [UInt8(random.below(256))]))
        case 11: return .limit(name: name, limit: 1 + UInt32(random.below(3)))
        default:
            let waiting = clients[session]!.waiting.sorted()
            let target = waiting.isEmpty ? random.below(number) : pick(waiting)
            return .cancel(number: target, reason: pick(CancelReason.allCases))
        }
    }

    private func members(of name: ObjectName) -> [FencingToken] {
        stage.coordinator.groupMembers(name, at: stage.version).members.map(\.token)
    }

    private mutating func memberArrival(_ name: ObjectName) -> BarrierArrival {
        let tokens = members(of: name)
        return BarrierArrival(
            name: pick(Self.names),
            group: BarrierGroup(name, among: random.chance(perMille: 200) ? tokens : []),
            member: pick(tokens), payload: [UInt8(random.below(256))])
    }

    private mutating func groupOperation(_ name: ObjectName) -> Operation {
        let members = stage.coordinator.groupMembers(name, at: stage.version).members
        let token = members.isEmpty ? FencingToken(1) : pick(members).token
        switch random.below(8) {
        case 0, 1:
            return .joinGroup(GroupJoin(name: name, wantsState: random.chance(perMille: 700)))
        case 2: return .leaveGroup(name: name, member: token)
        case 3: return .evictMember(name: name, member: token)
        case 4:
            let newcomer = members.isEmpty ? token : pick(members).token
            let state = ProvidedState(
                from: token, to: newcomer, upTo: stage.version, part: 0, partCount: 1, payload: [4])
            return .provideState(name: name, state)
        case 5, 6:
            let upTo = random.chance(perMille: 500) ? stage.version : nil
            return .adoptState(name: name, member: token, upTo: upTo)
        default: return .sendToGroup(name: name, payload: [UInt8(random.below(256))])
        }
    }

    /// The session as a whole, or one of its tasks within any other.
    private mutating func tag() -> TaskTag {
        guard random.chance(perMille: 300) else { return TaskTag() }
        let other = TaskReference(session: pick(sessions), number: random.below(3))
        return TaskTag(
            number: random.below(3), within: random.chance(perMille: 500) ? [other] : [])
    }

    private mutating func mode() -> LockMode {
        switch random.below(4) {
        case 0, 1: return .permits(1 + UInt32(random.below(2)), of: pick([2, 2, 2, 3, nil]))
        case 2: return .shared
        default: return .exclusive
        }
    }

    private mutating func latch(_ name: ObjectName) -> LatchOperation {
        let count: UInt32 = random.chance(perMille: 950) ? 4 : 2
        switch random.below(9) {
        case 0: return LatchOperation(name, .remove)
        case 1...4: return LatchOperation(name, .wait(of: count))
        default: return LatchOperation(name, .countDown(of: count))
        }
    }

    private mutating func lease(_ name: ObjectName) -> LeaseOperation {
        let token = stage.coordinator.leaseReport(name)?.grant.token ?? FencingToken(1)
        let ttl = Interval.seconds(1 + Int64(random.below(5)))
        let isGrant = stage.coordinator.leaseReport(name) == nil
        switch isGrant ? 0 : random.below(4) {
        case 0: return LeaseOperation(name, .grant(ttl: ttl, holder: "h\(random.below(9))"))
        case 1: return LeaseOperation(name, .release(token: token))
        case 2: return LeaseOperation(name, .transfer(token: token, holder: "heir", ttl: ttl))
        default: return LeaseOperation(name, .renew(token: token))
        }
    }

    private mutating func transaction(_ name: ObjectName) -> KeyTransaction {
        let other = pick(Self.names)
        let put = KeyOperation.put(
            name, value: [UInt8](repeating: 1, count: Int(random.below(40))),
            isEphemeral: random.chance(perMille: 500))
        let compare = KeyCompare(pick(Self.names), pick([.absent, .present]))
        return KeyTransaction(
            compares: random.chance(perMille: 300) ? [compare] : [],
            operations: name == other
                ? [put] : random.chance(perMille: 500) ? [.delete(other)] : [put, .delete(other)])
    }

    private mutating func follow(_ operation: Operation, _ session: SessionID, _ number: UInt64) {
        let version = stage.version
        if stage.refusal(of: number, of: session) == .deadlock { return }
        switch operation {
        case .acquire(let name, let mode, let isTry, let priority, _, _):
            let waiter = ReferenceModel.Waiter(
                session: session, number: number, mode: mode, priority: priority)
            locks.acquire(name, waiter, isTry: isTry, at: version)
        case .release(let name, let token):
            locks.release(name, session, token: token.number, at: version)
        case .downgrade(let name, let token):
            locks.downgrade(name, session, token: token.number, at: version)
        case .upgrade(let name, let token):
            locks.upgrade(name, session, number, token: token.number, at: version)
        case .limit(let name, let limit): locks.limit(name, limit, at: version)
        case .campaign(let slot, _, let priority, let places, _):
            let named = places ?? (slots.objects[slot] == nil ? 1 : nil)
            let waiter = ReferenceModel.Waiter(
                session: session, number: number, mode: .permits(1, of: named), priority: priority)
            slots.acquire(slot, waiter, isTry: false, at: version)
        case .resign(let slot, let token):
            slots.release(slot, session, token: token.number, at: version)
        case .handOver(let slot, let token, let standby):
            slots.handOver(slot, session, token: token.number, to: standby, at: version)
        case .cancel(let target, _):
            locks.cancel(session, target, at: version)
            slots.cancel(session, target, at: version)
        case .announce, .arrive, .transact, .lease, .revoke, .joinGroup, .leaveGroup, .evictMember,
            .sendToGroup, .provideState, .adoptState, .latch, .acquireAll, .releaseAll:
            break
        }
    }

    /// Takes the last effects to heart as the clients would.
    private mutating func note() throws {
        for effect in stage.effects {
            switch effect {
            case .reply(let session, let number, let reply):
                try note(reply, Party(session: session, number: number))
            case .queued(let session, let number, _):
                clients[session]?.waiting.insert(number)
            default: break
            }
        }
    }

    private mutating func note(_ reply: Reply, _ party: Party) throws {
        #expect(clients[party.session] != nil, "an ended session is answered")
        clients[party.session]?.waiting.remove(party.number)
        clients[party.session]?.answered.insert(party.number)
        if let before = replies.updateValue(reply, forKey: party) {
            #expect(before == reply, "K9: \(party) was answered differently before")
            return
        }
        switch reply {
        case .granted(let grant): note(grant)
        case .tripped(let result): note(result)
        case .broken(let report):
            let before = outcomes[report.name, default: [:]]
                .updateValue(reply, forKey: report.generation)
            #expect(before == nil || before == reply, "C7: \(report)")
        default: break
        }
    }

    /// C6.
    private mutating func note(_ grant: LockGrant) {
        let newest = newestTokens[grant.name] ?? (any: 0, exclusive: 0)
        let token = grant.token.number
        switch grant.mode {
        case .exclusive:
            #expect(token > newest.any)
            newestTokens[grant.name] = (any: token, exclusive: token)
        case .shared, .permits:
            #expect(token >= newest.any && token > newest.exclusive)
            newestTokens[grant.name] = (any: token, exclusive: newest.exclusive)
        }
    }

    /// C7.
    private mutating func note(_ result: BarrierResult) {
        var shared = result
        shared.rank = 0
        let before = outcomes[result.name, default: [:]]
            .updateValue(.tripped(shared), forKey: result.generation)
        #expect(before == nil || before == .tripped(shared))
        let isNew = trippedRanks[result.name, default: [:]][result.generation, default: []]
            .insert(result.rank).inserted
        #expect(isNew, "two parties of one rank")
    }

    private func check() throws {
        #expect(stage.effects == replica.effects)
        for name in Self.names {
            let objects = stage.coordinator.why(name).objects
            try check(objects.first { $0.kind == .lock }, locks.objects[name])
            try check(
                objects.first { $0.kind == .leaderSlot }, slots.objects[name]?.withoutModes)
        }
        for (session, client) in clients {
            #expect(Set(stage.coordinator.waitingNumbers(of: session)) == client.waiting)
        }
    }

    /// C7: whoever trips, all its parties are told.
    private func checkTrips() {
        for (name, generations) in trippedRanks {
            for (generation, ranks) in generations {
                guard case .tripped(let result) = outcomes[name]?[generation] else { continue }
                #expect(ranks.count == result.parties.count, "C7: a party was not told")
            }
        }
    }

    private func check(_ report: ObjectReport?, _ model: ReferenceModel.Object?) throws {
        let actual = report.map { ReferenceModel.Object($0) } ?? .init()
        try #require(actual == (model?.withoutNumbers ?? .init()))
        if actual.holders.contains(where: { $0.mode == .exclusive }) {
            #expect(actual.holders.count <= actual.limit ?? 1, "C5: two holders")
        }
    }
}
