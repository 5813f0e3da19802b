import ConclaveBase
import ConclaveCoordination
import ConclaveWire
import TestSupport
import Testing

@Suite struct `Deadlocks` {
    private var stage: Stage
    private let sessions: [SessionID]
    private let names = ["a", "b", "c", "d"].map(ObjectName.init(known:))
    private var numbers: [SessionID: UInt64] = [:]

    init() {
        (stage, sessions) = Self.begin(Quotas())
    }

    private static func begin(_ quotas: Quotas) -> (Stage, [SessionID]) {
        var stage = Stage(quotas: quotas)
        let sessions = stage.open(all: 1...5, hostCount: 3)
        return (stage, sessions)
    }

    /// Asks for one of the locks; the number of the request is returned.
    @discardableResult
    private mutating func take(
        _ name: Int, _ session: Int, _ mode: LockMode = .exclusive, priority: Int32 = 0,
        task: TaskTag = TaskTag()
    ) -> UInt64 {
        let id = sessions[session]
        numbers[id, default: 0] += 1
        stage.request(
            id, numbers[id]!,
            .acquire(
                name: names[name], mode: mode, isTry: false, priority: priority, task: task))
        return numbers[id]!
    }

    private func isDeadlock(_ number: UInt64, _ session: Int) -> Bool {
        stage.refusal(of: number, of: sessions[session]) == .deadlock
    }

    private func isWaiting(_ number: UInt64, _ session: Int) -> Bool {
        stage.position(of: number, of: sessions[session]) != nil
    }

    private func who(_ session: Int) -> String {
        "session \(sessions[session]) (pid \(session + 1) on host \(session % 3 + 1))"
    }

    @Test mutating func `a cycle of three locks is refused with the cycle named`() {
        for index in 0..<3 { take(index, index) }
        #expect(isWaiting(take(1, 0), 0))
        #expect(isWaiting(take(2, 1), 1))
        let number = take(0, 2)
        let message =
            "it would wait for itself: \(who(2)) waits for lock a, held by \(who(0)), which waits "
            + "for lock b, held by \(who(1)), which waits for lock c, held by \(who(2))"
        let refused = Reply.refused(Refusal(.deadlock, message))
        #expect(stage.reply(to: number, of: sessions[2]) == refused)
        #expect(stage.lock(names[0])?.waiters.isEmpty == true)

        // K9: whatever happens meanwhile, the same request gets the same answer.
        stage.end(sessions[0], .died)
        numbers[sessions[2]] = number - 1
        take(0, 2)
        #expect(stage.reply(to: number, of: sessions[2]) == refused)
        take(0, 2)
        #expect(stage.lock(names[0])?.holders.map(\.session) == [sessions[2]])
    }

    @Test mutating func `who only tries is told that it is busy`() {
        take(0, 0)
        take(1, 1)
        take(1, 0)
        stage.acquire(sessions[1], 9, names[0], isTry: true)
        #expect(stage.reply(to: 9, of: sessions[1]) == .busy(holder: sessions[0]))
    }

    @Test mutating func `each shared holder counts`() {
        take(0, 0, .shared)
        take(0, 1, .shared)
        take(1, 2)
        take(1, 1)
        #expect(isDeadlock(take(0, 2), 2))
        #expect(isDeadlock(take(0, 2, .permits(1, of: 1)), 2) == false)
    }

    @Test mutating func `a shared wish behind one that wants it alone waits for the holders`() {
        take(0, 0, .shared)
        take(1, 2)
        take(1, 0)
        take(0, 1)
        #expect(isDeadlock(take(0, 2, .shared), 2))
    }

    @Test mutating func `permits that others give back are enough`() {
        take(0, 0, .permits(1, of: 2))
        take(0, 1, .permits(1, of: 2))
        take(1, 2)
        take(1, 0)
        #expect(isWaiting(take(0, 2, .permits(1)), 2), "session 1 waits for nothing")
    }

    @Test mutating func `permits that nobody gives back are not`() {
        take(0, 0, .permits(1, of: 2))
        take(0, 1, .permits(1, of: 2))
        take(1, 2)
        take(1, 0)
        #expect(isDeadlock(take(0, 2, .permits(2)), 2))
        take(1, 1)
        #expect(isDeadlock(take(0, 2, .permits(1)), 2))
    }

    @Test mutating func `who wants many permits keeps those behind it waiting`() {
        take(0, 0, .permits(1, of: 3))
        take(0, 1, .permits(2, of: 3))
        take(1, 2)
        take(1, 0)
        #expect(isWaiting(take(0, 2, .permits(1)), 2))
        #expect(isWaiting(take(0, 4, .permits(2), priority: 1), 4))
        let number = take(0, 3, .permits(3), priority: 1)
        let message =
            "it would wait for itself: \(who(3)) waits for lock a, held by \(who(0)), which waits "
            + "for lock b, held by \(who(2)), which waits for lock a, behind \(who(3))"
        #expect(
            stage.reply(to: number, of: sessions[3]) == .refused(Refusal(.deadlock, message)))
    }

    @Test mutating func `leader slots count`() {
        stage.request(sessions[0], 100, .campaign(slot: names[0], value: []))
        take(1, 1)
        numbers[sessions[0]] = 100
        take(1, 0)
        stage.request(sessions[1], 100, .campaign(slot: names[0], value: []))
        #expect(isDeadlock(100, 1))
        guard case .refused(let refusal)? = stage.reply(to: 100, of: sessions[1]) else { return }
        #expect(refusal.message.contains("waits for leader slot a, held by \(who(0))"))
        #expect(stage.coordinator.leaderState(names[0]).standbyCount == 0)
    }

    @Test mutating func `tasks of one session do not wait for each other`() {
        take(0, 0, task: TaskTag(number: 1))
        take(1, 1)
        #expect(isWaiting(take(1, 0, task: TaskTag(number: 2)), 0))
        #expect(isWaiting(take(0, 1), 1), "task 1 goes on")
    }

    @Test mutating func `a session waits for its tasks`() {
        take(0, 0)
        take(1, 1)
        #expect(isWaiting(take(1, 0, task: TaskTag(number: 2)), 0))
        #expect(isDeadlock(take(0, 1), 1))
    }

    @Test mutating func `a command that waits keeps the one around it waiting`() {
        let around = { (session: SessionID) in
            TaskTag(within: [TaskReference(session: session, number: 0)])
        }
        take(0, 0)
        take(1, 1)
        #expect(isWaiting(take(1, 2, task: around(sessions[0])), 2))
        #expect(
            stage.coordinator.why(names[1]).chain == [
                .init(waiter: sessions[2], kind: .lock, name: names[1], holder: sessions[1])
            ])
        let number = take(0, 3, task: around(sessions[1]))
        let message =
            "it would wait for itself: \(who(3)) waits for lock a, held by \(who(0)), for which "
            + "\(who(2)) waits for lock b, held by \(who(1)), for which it waits"
        #expect(
            stage.reply(to: number, of: sessions[3]) == .refused(Refusal(.deadlock, message)))
    }

    @Test mutating func `one who takes what the command around it holds waits for itself`() {
        take(0, 0)
        let around = TaskTag(within: [TaskReference(session: sessions[0], number: 0)])
        #expect(isDeadlock(take(0, 1, task: around), 1))
    }

    @Test mutating func `nobody is said to wait by another user, or by who is over`() {
        stage.apply(.open(Stage.open(77, uid: 5)))
        let stranger = SessionID(stage.version.number)
        let around = TaskTag(within: [TaskReference(session: sessions[0], number: 0)])
        take(0, 0)
        take(1, 1)
        stage.request(
            stranger, 1, .acquire(name: names[1], mode: .exclusive, isTry: false, task: around))
        #expect(isWaiting(take(0, 1), 1))
        stage.end(sessions[4], .goodbye)
        let gone = TaskTag(within: [TaskReference(session: sessions[4], number: 0)])
        #expect(isWaiting(take(1, 2, task: gone), 2))
    }

    @Test mutating func `who would have to be looked at for too long waits`() {
        var quotas = Quotas()
        quotas.deadlockSteps = 2
        (stage, _) = Self.begin(quotas)
        for index in 0..<3 { take(index, index) }
        take(1, 0)
        take(2, 1)
        #expect(isWaiting(take(0, 2), 2))
    }

    @Test mutating func `a snapshot keeps who waits for whom`() throws {
        take(0, 0, task: TaskTag(number: 7))
        take(1, 1)
        take(2, 2, .permits(1, of: 1))
        take(1, 0, task: TaskTag(number: 7))
        take(2, 1)
        take(2, 1, .permits(1))
        var restored = stage
        try restored.restore()
        #expect(restored.coordinator.digest == stage.coordinator.digest)
        let ask = Operation.acquire(name: names[0], mode: .exclusive, isTry: false)
        stage.request(sessions[2], 9, ask)
        restored.request(sessions[2], 9, ask)
        #expect(isDeadlock(9, 2))
        #expect(stage.effects == restored.effects)
        #expect(restored.coordinator.digest == stage.coordinator.digest)
    }

    @Test mutating func `as many tasks around it as can be named fit a snapshot`() throws {
        let around = (1...16).map { TaskReference(session: sessions[1], number: $0) }
        take(0, 0, task: TaskTag(number: 5, within: around))
        let number = take(0, 2, task: TaskTag(number: 5, within: around.reversed()))
        #expect(isWaiting(number, 2))
        let before = stage.coordinator.encodeSnapshot()
        try stage.restore()
        #expect(stage.coordinator.encodeSnapshot() == before)
    }

    @Test mutating func `of too many tasks around it the outermost is left out`() {
        let around = (1...16).map { TaskReference(session: sessions[1], number: $0) }
        take(0, 0)
        take(1, 1, task: TaskTag(number: 1))
        take(2, 1, task: TaskTag(number: 16))
        // Tasks 2 to 16 wait by it, and so does its session.
        take(0, 2, task: TaskTag(number: 5, within: around))
        #expect(isDeadlock(take(2, 0), 0))
        #expect(isWaiting(take(1, 0), 0))
    }

    @Test mutating func `so many requests wait within one task and no more`() {
        var quotas = Quotas()
        quotas.waitsPerTask = 3
        (stage, _) = Self.begin(quotas)
        let around = TaskTag(
            number: 1, within: [TaskReference(session: sessions[0], number: 9)])
        for name in 0..<4 { take(name, 4) }
        for (name, session) in [(0, 1), (1, 2), (2, 3)] {
            #expect(isWaiting(take(name, session, task: around), session))
        }
        let number = take(3, 1, task: around)
        #expect(stage.refusal(of: number, of: sessions[1]) == .quotaExceeded)
        #expect(stage.lock(names[3])?.waiterCount == 0)
        #expect(isWaiting(take(3, 1), 1))
    }

    @Test mutating func `while nothing is granted a cycle is refused all the same`() {
        take(0, 0)
        take(1, 1)
        stage.install(Stage.members, stateWasLost: true)
        #expect(isWaiting(take(1, 0), 0))
        #expect(isDeadlock(take(0, 1), 1))
    }

    @Test func `ten thousand who wait for one lock, and each in turn would close a cycle`() {
        let count = 10_000
        var quotas = Quotas()
        quotas.sessions = 2 * count
        quotas.sessionsPerUID = 2 * count
        var stage = Stage(quotas: quotas)
        let sessions = stage.open(all: 1...UInt32(count))
        let others = (0..<count).map { ObjectName(known: "other/\($0)") }
        for (session, name) in zip(sessions, others) { stage.acquire(session, 1, name) }
        stage.acquire(sessions[0], 2, names[0])
        for session in sessions.dropFirst() { stage.acquire(session, 2, names[0]) }
        #expect(stage.lock(names[0])?.waiterCount == UInt32(count - 1))
        for number in 1..<1_000 {
            stage.acquire(sessions[0], UInt64(2 + number), others[number])
            #expect(stage.refusal(of: UInt64(2 + number), of: sessions[0]) == .deadlock)
        }
    }

    /// The first of two requests that are let on by one command has its search, and the other one has none.
    @Test(arguments: [65_536, 17])
    func `all searches of a command end at one bound`(steps: Int) {
        var quotas = Quotas()
        quotas.deadlockStepsPerCommand = steps
        var stage = Stage(quotas: quotas)
        let sessions = stage.open(all: 1...4)
        let names = ["a", "b", "c", "d", "e"].map(ObjectName.init(known:))
        stage.request(
            sessions[0], 1,
            .acquireAll(LockSet(names[..<2].map { LockSet.Part($0, .exclusive) })))
        let token = stage.token
        stage.acquire(sessions[3], 1, names[4])
        for (session, name) in zip(sessions[1...2], names[2...3]) {
            stage.acquire(session, 1, name)
        }
        stage.acquire(sessions[3], 2, names[2])
        stage.acquire(sessions[3], 3, names[3])
        for (session, name) in zip(sessions[1...2], names[..<2]) {
            stage.request(
                session, 2,
                .acquireAll(LockSet([name, names[4]].map { LockSet.Part($0, .exclusive) })))
        }
        stage.request(sessions[0], 2, .releaseAll(names: Array(names[..<2]), token: token))
        let isBound = steps < 100
        #expect((stage.refusal(of: 2, of: sessions[1]) == .deadlock) == !isBound)
        #expect(stage.refusal(of: 2, of: sessions[2]) == (isBound ? nil : .deadlock))
        #expect(stage.lock(names[4])?.waiterCount == (isBound ? 2 : 0))
    }

    @Test func `a search ends at its bound, however long the chain or many the holders`() {
        let count = 100
        var quotas = Quotas()
        quotas.deadlockSteps = 1_024
        var stage = Stage(quotas: quotas)
        let sessions = stage.open(all: 1...UInt32(count))
        let links = (0..<count).map { ObjectName(known: "link/\($0)") }
        for (session, name) in zip(sessions, links) { stage.acquire(session, 1, name) }
        for index in (0..<count - 1).reversed() {
            stage.acquire(sessions[index], 2, links[index + 1])
        }
        // From the last to the first, over all the others: so far nobody looks.
        stage.acquire(sessions[count - 1], 2, links[0])
        #expect(stage.position(of: 2, of: sessions[count - 1]) == 0)
        stage.request(sessions[count - 1], 3, .cancel(number: 2, reason: .gaveUp))
        stage.acquire(sessions[count - 1], 4, links[count - 50])
        #expect(stage.refusal(of: 4, of: sessions[count - 1]) == .deadlock)
        guard case .refused(let refusal)? = stage.reply(to: 4, of: sessions[count - 1]) else {
            return
        }
        #expect(refusal.message.contains("and so on, over 4"))
        #expect(refusal.message.utf8.count <= ClientLimits.message)
    }
}
