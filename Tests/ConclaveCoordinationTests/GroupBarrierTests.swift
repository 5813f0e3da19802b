import ConclaveBase
import ConclaveCoordination
import ConclaveWire
import TestSupport
import Testing

@Suite struct `Barriers of task groups` {
    private var stage: Stage
    private let name = ObjectName(known: "step")
    private let group = ObjectName(known: "workers")
    private var sessions: [SessionID]
    private var tokens: [FencingToken] = []
    private var numbers: [SessionID: UInt64] = [:]

    init() {
        self.init(on: Stage())
    }

    /// Three members, and a session that is none.
    private init(on empty: Stage) {
        stage = empty
        sessions = stage.open(all: 1...4)
        for session in sessions[..<3] {
            request(session, .joinGroup(GroupJoin(name: group)))
            tokens.append(stage.token)
        }
    }

    /// Its number.
    @discardableResult
    private mutating func request(_ session: SessionID, _ operation: Operation) -> UInt64 {
        numbers[session, default: 0] += 1
        stage.request(session, numbers[session]!, operation)
        return numbers[session]!
    }

    @discardableResult
    private mutating func arrive(
        _ party: Int, for member: Int? = nil, among: [Int] = [], payload: [UInt8] = []
    ) -> UInt64 {
        let tokens = tokens
        let named = BarrierGroup(group, among: among.map { tokens[$0] })
        return request(
            sessions[party],
            .arrive(
                BarrierArrival(
                    name: name, group: named, member: tokens[member ?? party], payload: payload)))
    }

    private func result(_ party: Int, _ number: UInt64 = 2) -> BarrierResult? {
        guard case .tripped(let result) = stage.reply(to: number, of: sessions[party]) else {
            return nil
        }
        return result
    }

    private func refusal(_ party: Int, _ number: UInt64) -> RefusalCode? {
        stage.refusal(of: number, of: sessions[party])
    }

    private var view: UInt64 { stage.coordinator.groupMembers(group, at: stage.version).number }

    @Test mutating func `the barriers of a group name so many members together, and no more`() {
        var quotas = Quotas()
        quotas.barrierNamesPerGroup = 3
        self = .init(on: Stage(quotas: quotas))
        arrive(0, among: [0, 1])
        #expect(stage.position(of: 2, of: sessions[0]) == 1)
        let other = ObjectName(known: "other")
        let tokens = tokens
        func arrival(_ named: [Int]) -> Operation {
            .arrive(
                BarrierArrival(
                    name: other, group: BarrierGroup(group, among: named.map { tokens[$0] }),
                    member: tokens[1]))
        }
        let refused = request(sessions[1], arrival([1, 2]))
        #expect(refusal(1, refused) == .quotaExceeded)
        let taken = request(sessions[1], arrival([1]))
        #expect(stage.reply(to: taken, of: sessions[1]) != nil)
        // Who names nobody means all, and that takes no room.
        let all = request(sessions[2], arrival([]))
        #expect(refusal(2, all) == nil)
    }

    @Test mutating func `members that are named count as bytes, once for each generation`() {
        var quotas = Quotas()
        quotas.valueByteCount = 24
        self = .init(on: Stage(quotas: quotas))
        arrive(0, among: [0, 1, 2])
        #expect(stage.position(of: 2, of: sessions[0]) == 2)
        arrive(1, among: [0, 1, 2])
        #expect(stage.position(of: 2, of: sessions[1]) == 1)
        let other = BarrierArrival(
            name: ObjectName(known: "other"), group: BarrierGroup(group, among: [tokens[2]]),
            member: tokens[2])
        let refused = request(sessions[2], .arrive(other))
        #expect(refusal(2, refused) == .quotaExceeded)
        arrive(2, among: [0, 1, 2])
        #expect(result(2, 3) != nil)
        let taken = request(sessions[2], .arrive(other))
        #expect(refusal(2, taken) == nil)
    }

    @Test mutating func `it trips when all who belong to the view have come, ranked as there`() {
        arrive(2, payload: [2])
        #expect(stage.position(of: 2, of: sessions[2]) == 2)
        arrive(0, payload: [0])
        #expect(result(0) == nil)
        arrive(1, payload: [1])
        #expect(stage.effects.count == 3)
        for party in 0..<3 {
            #expect(result(party)?.rank == UInt32(party))
            #expect(result(party)?.parties.map(\.payload) == [[0], [1], [2]])
            #expect(result(party)?.view == view)
        }
    }

    @Test mutating func `who joins must come, too`() {
        for party in 0..<2 { arrive(party) }
        request(sessions[3], .joinGroup(GroupJoin(name: group)))
        tokens.append(stage.token)
        arrive(2)
        #expect(result(2) == nil)
        arrive(3)
        #expect(result(3)?.parties.count == 4)
        #expect(result(0)?.rank == 0)
    }

    @Test(arguments: [SessionEnd.died, .goodbye, .expired])
    mutating func `who ends is not awaited: it trips if all that are left have come`(
        reason: SessionEnd
    ) {
        for party in 0..<2 { arrive(party) }
        stage.end(sessions[2], reason)
        #expect(result(0)?.parties.count == 2)
        #expect(result(1)?.view == view)
    }

    @Test mutating func `who ends while it waits is gone without a word to the others`() {
        arrive(0)
        arrive(1)
        stage.end(sessions[0], .died)
        #expect(stage.reply(to: 2, of: sessions[1]) == nil)
        arrive(2)
        #expect(result(1)?.rank == 0)
        #expect(result(2)?.parties.map(\.pid) == [2, 3])
    }

    @Test mutating func `who leaves while it waits is told so, and the rest go on`() {
        arrive(0)
        arrive(1)
        request(sessions[0], .leaveGroup(name: group, member: tokens[0]))
        #expect(refusal(0, 2) == .notHeld)
        #expect(stage.reply(to: 2, of: sessions[1]) == nil)
        arrive(2)
        #expect(result(1)?.parties.count == 2)
        request(sessions[1], .evictMember(name: group, member: tokens[2]))
        arrive(1)
        #expect(result(1, 4)?.parties.count == 1)
    }

    @Test mutating func `a process of the member's user comes for it, and no other`() {
        arrive(3, for: 0)
        #expect(refusal(3, 1) == nil)
        arrive(0)
        #expect(refusal(0, 2) == .alreadyHeld)
        stage.apply(.open(Stage.open(9, uid: 7)))
        sessions.append(SessionID(stage.version.number))
        arrive(4, for: 1)
        #expect(refusal(4, 1) == .denied)
        arrive(1)
        arrive(2)
        #expect(result(3, 1)?.rank == 0)
    }

    @Test mutating func `the end of who came for a member breaks it, that of the member does not`()
    {
        arrive(3, for: 0)
        arrive(1)
        stage.end(sessions[3], .died)
        guard case .broken(let report) = stage.reply(to: 2, of: sessions[1]) else {
            Issue.record("the generation is not broken: \(stage.effects)")
            return
        }
        #expect(report.reason == .partyEnded && report.parties == 3 && report.arrivedCount == 2)
        #expect(report.missing.map(\.rank) == [0, 2])
        #expect(report.missing.map(\.hasEnded) == [true, false])
        #expect(report.missing[1].pid == 3)
        sessions[3] = stage.open(44)
        numbers[sessions[3]] = 0
        arrive(3, for: 0)
        arrive(1)
        stage.end(sessions[0], .died)
        #expect(refusal(3, 1) == .notHeld)
        arrive(2)
        #expect(result(1, 3)?.parties.count == 2)
    }

    @Test mutating func `who gives up breaks it for all, and who is missing is known by name`() {
        arrive(0)
        arrive(1)
        request(sessions[1], .cancel(number: 2, reason: .timedOut))
        guard case .broken(let report) = stage.reply(to: 2, of: sessions[0]) else {
            Issue.record("the generation is not broken")
            return
        }
        #expect(report.reason == .timedOut)
        #expect(report.missing == [BarrierAbsence(rank: 2, host: NodeID(1), pid: 3)])
        let shown = stage.coordinator.why(name).objects
        #expect(shown.first?.parties ?? 0 == 0)
    }

    @Test mutating func `only those that are named are awaited, as far as they are there`() {
        arrive(0, among: [0, 2])
        let report = stage.coordinator.why(name).objects.first
        #expect(report?.parties == 2)
        #expect(report?.missing == [BarrierAbsence(rank: 1, host: NodeID(1), pid: 3)])
        arrive(1, among: [0, 2])
        #expect(refusal(1, 2) == .notHeld)
        stage.end(sessions[2], .died)
        #expect(result(0)?.parties.count == 1)
    }

    @Test mutating func `why tells of which view of the group it is`() {
        arrive(0)
        let before = stage.coordinator.why(name).objects.first?.group
        #expect(before?.memberCount == 3)
        stage.end(sessions[2], .died)
        let after = stage.coordinator.why(name).objects.first?.group
        #expect(after?.memberCount == 2)
        #expect(after?.view == before.map { $0.view + 1 })
        let group = after.map { stage.coordinator.why($0.name).group }
        #expect(group == after)
        #expect(stage.coordinator.why(name).group == (after?.name == name ? after : nil))
    }

    @Test mutating func `other parties break it, whoever names them`() {
        arrive(0)
        request(sessions[1], .arrive(BarrierArrival(name: name, parties: 3)))
        guard case .broken(let report) = stage.reply(to: 2, of: sessions[0]) else {
            Issue.record("the generation is not broken")
            return
        }
        #expect(report.reason == .disagreement)
        #expect(report.message.contains("the members of group workers and 3 of them were named"))
    }

    @Test mutating func `members of a group wait at no more barriers than the quota allows`() {
        var quotas = Quotas()
        quotas.barriersPerGroup = 1
        stage = Stage(quotas: quotas)
        let session = stage.open(1)
        let other = stage.open(2)
        for session in [session, other] {
            stage.request(session, 1, .joinGroup(GroupJoin(name: group)))
        }
        let member = stage.coordinator.groupMembers(group, at: stage.version).members[0].token
        let names = [name, ObjectName(known: "other")]
        for (number, name) in zip(UInt64(2)..., names) {
            let arrival = BarrierArrival(
                name: name, group: BarrierGroup(group), member: member)
            stage.request(session, number, .arrive(arrival))
        }
        #expect(stage.refusal(of: 3, of: session) == .quotaExceeded)
        #expect(stage.coordinator.why(names[0]).objects.count == 1)
        stage.end(other, .died)
        #expect(stage.reply(to: 2, of: session) != nil)
    }

    @Test mutating func `payloads are bounded together`() {
        for party in 0..<3 {
            numbers[sessions[party]] = 200 * UInt64(party) + 10
        }
        sessions += stage.open(all: 10...150)
        for session in sessions[4...] {
            request(session, .joinGroup(GroupJoin(name: group)))
            tokens.append(stage.token)
        }
        let payload = [UInt8](repeating: 7, count: 4_096)
        tokens.insert(tokens[0], at: 3)
        var codes: [RefusalCode] = []
        for party in 4..<sessions.count {
            let number = arrive(party, payload: payload)
            if let code = refusal(party, number) { codes.append(code) }
        }
        #expect(codes == [RefusalCode](repeating: .invalid, count: sessions.count - 4 - 128))
    }

    @Test mutating func `a snapshot keeps who waits for whom, and refuses what cannot be`() throws {
        arrive(0, payload: [9])
        arrive(3, for: 1)
        try stage.restore()
        let restored = stage.coordinator.digest
        try stage.restore()
        #expect(stage.coordinator.digest == restored)
        arrive(2)
        #expect(result(0)?.parties.map(\.payload) == [[9], [], []])
        try stage.restore()
        #expect(stage.coordinator.storedReplies(of: sessions[0]).count == 2)
        arrive(0)
        var snapshot = stage.coordinator.encodeSnapshot()
        var writer = ByteWriter()
        writer.flag(true)
        writer.name(group)
        writer.integer(UInt32(0))
        let place = try #require(snapshot.firstRange(of: writer.bytes))
        snapshot[place.lowerBound + 3] = UInt8(ascii: "x")
        #expect(throws: WireError.self) { try Coordinator(snapshot: snapshot) }
    }
}
