import ConclaveBase
import ConclaveCoordination
import ConclaveWire
import Testing

@Suite struct `Reports` {
    private var stage = Stage()
    private let sessions: [SessionID]

    init() {
        sessions = stage.open(all: 1...3)
    }

    @Test mutating func `sessions are listed by id, with what they have and wait for`() {
        var stage = Stage()
        let all = stage.open(all: 1...3, hostCount: 3)
        stage.acquire(all[0], 1, ObjectName(known: "listed"))
        stage.acquire(all[1], 1, ObjectName(known: "listed"))
        let key = KeyOperation.put(ObjectName(known: "k"), value: [], isEphemeral: true)
        stage.request(all[2], 1, .transact(KeyTransaction(operations: [key])))
        stage.install([Stage.member(1), Stage.member(2)])
        let page = stage.coordinator.sessionPage()
        #expect(page.sessions.map(\.session) == all && page.next == nil)
        #expect(page.sessions.map(\.heldCount) == [1, 0, 0])
        #expect(page.sessions.map(\.waitingCount) == [0, 1, 0])
        #expect(page.sessions.map(\.keyCount) == [0, 0, 1])
        #expect(page.sessions.map(\.standing) == [.attached, .attached, .away])
        #expect(page.sessions.map(\.owner.pid) == [1, 2, 3])
        #expect(stage.coordinator.sessionPage(after: all[1]).sessions.map(\.session) == [all[2]])
    }

    @Test mutating func `sessions come a page at a time`() {
        var stage = Stage()
        let count = ClientLimits.listedSessions + 3
        let all = (1...UInt32(count)).map { stage.open($0) }
        let first = stage.coordinator.sessionPage()
        #expect(first.sessions.count == ClientLimits.listedSessions)
        let rest = stage.coordinator.sessionPage(after: first.next)
        #expect(rest.sessions.map(\.session) == Array(all.suffix(3)) && rest.next == nil)
    }

    @Test mutating func `locks are listed by name, under a prefix, after a name`() {
        for (number, name) in zip(UInt64(1)..., ["b/2", "a", "b/10", "c", "b"]) {
            stage.acquire(sessions[0], number, ObjectName(known: name))
        }
        func names(_ prefix: String, after: String? = nil) -> [String] {
            stage.coordinator.lockPage(
                prefix: prefix, after: after.map(ObjectName.init(known:))
            ).objects.map(\.name.text)
        }
        #expect(names("") == ["a", "b", "b/10", "b/2", "c"])
        #expect(names("b/") == ["b/10", "b/2"])
        #expect(names("", after: "b/10") == ["b/2", "c"])
        #expect(names("", after: "c").isEmpty)
    }

    @Test mutating func `a page has so many locks, and says where the next begins`() {
        let names = (0..<600).map { ObjectName(known: String(10_000 + $0)) }
        for (number, name) in zip(UInt64(1)..., names.reversed()) {
            stage.acquire(sessions[0], number, name)
        }
        let first = stage.coordinator.lockPage(prefix: "")
        #expect(first.objects.map(\.name) == Array(names[..<256]))
        #expect(first.next == names[255])
        let second = stage.coordinator.lockPage(prefix: "", after: first.next)
        let last = stage.coordinator.lockPage(prefix: "", after: second.next)
        #expect(second.objects.map(\.name) + last.objects.map(\.name) == Array(names[256...]))
        #expect(last.next == nil)
    }

    @Test mutating func `a report says who holds and waits, and since when`() throws {
        let lock = ObjectName(known: "lock")
        stage.acquire(sessions[0], 1, lock)
        let token = stage.version.number
        stage.time.microseconds += 5
        stage.acquire(sessions[1], 1, lock, .shared)
        let report = try #require(stage.lock(lock))
        #expect(
            report.holders == [
                SessionReport(
                    session: sessions[0], host: NodeID(1), pid: 1, uid: 1_000,
                    unit: "app-1.service", label: "label-1", token: token, mode: .exclusive,
                    since: Timestamp(microseconds: 1_000_000), remaining: nil)
            ])
        #expect(report.waiters.map(\.token) == [0])
        #expect(report.waiters.map(\.mode) == [.shared])
        #expect(report.waiters.map(\.since.microseconds) == [1_000_005])
    }

    @Test mutating func `why follows the chain of who waits for whom`() {
        let names = ["a", "b", "c"].map(ObjectName.init(known:))
        stage.acquire(sessions[1], 1, names[0])
        stage.acquire(sessions[2], 1, names[1])
        stage.acquire(sessions[0], 1, names[0])
        stage.acquire(sessions[1], 2, names[1])
        let why = stage.coordinator.why(names[0])
        #expect(
            why.chain == [
                .init(waiter: sessions[0], kind: .lock, name: names[0], holder: sessions[1]),
                .init(waiter: sessions[1], kind: .lock, name: names[1], holder: sessions[2]),
            ])
        #expect(why.objects.count == 1)
        #expect(why.version == stage.version)
        #expect(stage.coordinator.why(names[2]).objects.isEmpty)
        var count = 0
        _ = stage.coordinator.why(names[0], lookedAt: &count)
        #expect(count == 5)
    }

    @Test mutating func `a circle of waiting ends the chain where it closes`() {
        let names = ["a", "b"].map(ObjectName.init(known:))
        // Nobody looks for it, so that there can be one.
        var quotas = Quotas()
        quotas.deadlockSteps = 0
        stage = Stage(quotas: quotas)
        _ = stage.open(all: 1...3)
        stage.acquire(sessions[0], 1, names[0])
        stage.acquire(sessions[1], 1, names[1])
        stage.acquire(sessions[0], 2, names[1])
        stage.acquire(sessions[1], 2, names[0])
        #expect(
            stage.coordinator.why(names[0]).chain.map(\.waiter) == [sessions[1], sessions[0]])
    }

    @Test mutating func `why shows every kind of object of that name`() {
        let name = ObjectName(known: "name")
        stage.acquire(sessions[0], 1, name)
        stage.request(sessions[0], 2, .campaign(slot: name, value: [4]))
        stage.request(sessions[0], 3, .arrive(BarrierArrival(name: name, parties: 7)))
        let objects = stage.coordinator.why(name).objects
        #expect(objects.map(\.kind) == [.lock, .leaderSlot, .barrier])
        #expect(objects[1].value == [4])
        #expect(objects[2].parties == 7)
        #expect(objects[2].generation == stage.version.number)
        #expect(objects[2].waiters.map(\.session) == [sessions[0]])
    }

    @Test mutating func `sessions are found by the member they are attached to`() {
        let elsewhere = stage.open(9, host: 2)
        #expect(stage.coordinator.sessions(attachedTo: Stage.member(1)).map(\.id) == sessions)
        #expect(stage.coordinator.sessions(attachedTo: Stage.member(2)).map(\.id) == [elsewhere])
        #expect(stage.coordinator.sessions(attachedTo: Stage.member(3)).isEmpty)
        #expect(stage.coordinator.sessionsOutsideView().isEmpty)
    }
}
