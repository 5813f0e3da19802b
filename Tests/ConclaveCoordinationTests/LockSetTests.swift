import ConclaveBase
import ConclaveWire
import Testing

@testable import ConclaveCoordination

@Suite struct `Several locks as one` {
    private let a = ObjectName(known: "a")
    private let b = ObjectName(known: "b")
    private let c = ObjectName(known: "c")

    private func all(
        _ names: [ObjectName], _ mode: LockMode = .exclusive, isTry: Bool = false,
        priority: Int32 = 0, lockDelay: Interval = .zero
    ) -> Operation {
        .acquireAll(
            LockSet(
                names.map { LockSet.Part($0, mode) }, isTry: isTry, priority: priority,
                lockDelay: lockDelay))
    }

    private func grants(_ stage: Stage, _ names: [ObjectName]) -> Reply {
        .grantedAll(
            names.map {
                LockGrant(name: $0, mode: .exclusive, token: stage.token, previousEnd: .released)
            })
    }

    private func holders(_ stage: Stage, _ name: ObjectName) -> [SessionID] {
        stage.lock(name)?.holders.map(\.session) ?? []
    }

    @Test func `free ones are granted at once, under one token, by name`() {
        var stage = Stage()
        let one = stage.open(1)
        stage.request(one, 1, all([c, a, b]))
        guard case .grantedAll(let grants)? = stage.reply(to: 1, of: one) else {
            Issue.record("\(stage.effects)")
            return
        }
        #expect(grants.map(\.name) == [a, b, c])
        #expect(grants.allSatisfy { $0.token == stage.token })
        #expect(stage.lock(b)?.holders.first?.token == stage.token.number)
    }

    @Test func `none is granted before all are, and then all at one version`() {
        var stage = Stage()
        let sessions = stage.open(all: 1...4)
        stage.acquire(sessions[0], 1, a)
        let first = stage.token
        stage.acquire(sessions[1], 1, b)
        let second = stage.token
        stage.request(sessions[2], 1, all([a, b, c]))
        #expect(stage.position(of: 1, of: sessions[2]) == 0)
        stage.request(sessions[0], 2, .release(name: a, token: first))
        #expect(stage.reply(to: 1, of: sessions[2]) == nil)
        #expect(holders(stage, a).isEmpty)
        #expect(stage.lock(a)?.waiters.first?.set?.standing == .reserved)
        #expect(stage.lock(a)?.waiters.first?.set?.next == b)
        #expect(stage.lock(c)?.waiters.first?.set?.standing == .coming)
        // Reserved: nobody else has it meanwhile.
        stage.acquire(sessions[3], 1, a, isTry: true)
        #expect(stage.reply(to: 1, of: sessions[3]) == .busy(holder: nil))
        stage.request(sessions[1], 2, .release(name: b, token: second))
        guard case .grantedAll(let grants)? = stage.reply(to: 1, of: sessions[2]) else {
            Issue.record("\(stage.effects)")
            return
        }
        #expect(grants.map(\.previousEnd) == [.released, .released, .none])
        #expect(grants.allSatisfy { $0.token == stage.token })
    }

    @Test func `who takes the locks one by one in their order never waits in a circle with it`() {
        var stage = Stage()
        let sessions = stage.open(all: 1...2)
        stage.acquire(sessions[0], 1, a)
        let first = stage.token
        stage.request(sessions[1], 1, all([a, b]))
        // The other one has not come to it yet.
        stage.acquire(sessions[0], 2, b)
        #expect(stage.reply(to: 2, of: sessions[0]) == stage.granted(b))
        let second = stage.token
        stage.request(sessions[0], 3, .release(name: a, token: first))
        #expect(stage.reply(to: 1, of: sessions[1]) == nil)
        stage.request(sessions[0], 4, .release(name: b, token: second))
        #expect(stage.reply(to: 1, of: sessions[1]) == grants(stage, [a, b]))
    }

    @Test func `its turn at each is that of when it asked`() {
        var stage = Stage()
        let sessions = stage.open(all: 1...4)
        stage.acquire(sessions[0], 1, a)
        let first = stage.token
        stage.acquire(sessions[1], 1, b)
        let second = stage.token
        stage.request(sessions[2], 1, all([a, b]))
        // It waits for b before the other one has come there, and yet has asked later.
        stage.acquire(sessions[3], 1, b)
        stage.request(sessions[0], 2, .release(name: a, token: first))
        stage.request(sessions[1], 2, .release(name: b, token: second))
        #expect(stage.reply(to: 1, of: sessions[2]) == grants(stage, [a, b]))
        #expect(stage.reply(to: 1, of: sessions[3]) == nil)
        let token = stage.token
        stage.request(sessions[2], 2, .releaseAll(names: [a, b], token: token))
        #expect(stage.reply(to: 2, of: sessions[2]) == .done)
        #expect(
            stage.reply(to: 1, of: sessions[3]) == stage.granted(b, after: .released))
    }

    @Test func `a higher priority comes first at each`() {
        var stage = Stage()
        let sessions = stage.open(all: 1...3)
        stage.acquire(sessions[0], 1, a)
        let token = stage.token
        stage.acquire(sessions[1], 1, a)
        stage.request(sessions[2], 1, all([a, b], priority: 1))
        stage.request(sessions[0], 2, .release(name: a, token: token))
        #expect(holders(stage, a) == [sessions[2]])
        #expect(holders(stage, b) == [sessions[2]])
    }

    @Test func `a try that cannot have all of them takes none`() {
        var stage = Stage()
        let sessions = stage.open(all: 1...2)
        stage.acquire(sessions[0], 1, b)
        stage.request(sessions[1], 1, all([a, b], isTry: true))
        #expect(stage.reply(to: 1, of: sessions[1]) == .busy(holder: sessions[0]))
        #expect(stage.lock(a) == nil)
        #expect(stage.coordinator.objectCount == 1)
    }

    @Test func `one that is held or awaited already refuses all`() {
        var stage = Stage()
        let sessions = stage.open(all: 1...2)
        stage.acquire(sessions[0], 1, b)
        stage.request(sessions[0], 2, all([a, b]))
        #expect(stage.refusal(of: 2, of: sessions[0]) == .alreadyHeld)
        #expect(stage.lock(a) == nil)
        stage.request(sessions[1], 1, all([b, c]))
        // It has not come to c yet, and awaits it all the same.
        stage.acquire(sessions[1], 2, c)
        #expect(stage.refusal(of: 2, of: sessions[1]) == .alreadyHeld)
    }

    @Test func `what is given up leaves nothing behind, and who waits has its turn`() {
        var stage = Stage()
        let sessions = stage.open(all: 1...3)
        stage.acquire(sessions[0], 1, b)
        stage.request(sessions[1], 1, all([a, b, c]))
        stage.acquire(sessions[2], 1, a)
        #expect(stage.position(of: 1, of: sessions[2]) != nil)
        stage.request(sessions[1], 2, .cancel(number: 1, reason: .timedOut))
        #expect(stage.reply(to: 1, of: sessions[1]) == .cancelled)
        #expect(stage.reply(to: 2, of: sessions[1]) == .cancelOutcome(wasCancelled: true))
        #expect(stage.reply(to: 1, of: sessions[2]) == stage.granted(a))
        #expect(stage.lock(b)?.waiters.isEmpty == true)
        #expect(stage.lock(c) == nil)
    }

    @Test func `the end of its session leaves nothing behind`() {
        var stage = Stage()
        let sessions = stage.open(all: 1...3)
        stage.acquire(sessions[0], 1, b)
        stage.request(sessions[1], 1, all([a, b, c], lockDelay: .seconds(5)))
        stage.acquire(sessions[2], 1, a)
        stage.end(sessions[1], .died)
        // It never had it: nothing of what it did can be half done.
        #expect(stage.reply(to: 1, of: sessions[2]) == stage.granted(a))
        #expect(stage.lock(c) == nil)
        #expect(stage.coordinator.closedLocks.isEmpty)
    }

    @Test func `the request comes again, and its one answer`() throws {
        var stage = Stage()
        let sessions = stage.open(all: 1...2)
        stage.acquire(sessions[0], 1, b)
        let token = stage.token
        let wish = all([a, b])
        stage.request(sessions[1], 1, wish)
        stage.request(sessions[1], 1, wish)
        #expect(stage.position(of: 1, of: sessions[1]) == 0)
        #expect(stage.coordinator.waitingNumbers(of: sessions[1]) == [1])
        stage.request(sessions[0], 2, .release(name: b, token: token))
        let reply = try #require(stage.reply(to: 1, of: sessions[1]))
        stage.request(sessions[1], 1, wish)
        #expect(stage.reply(to: 1, of: sessions[1]) == reply)
    }

    @Test func `who comes to what would close a circle is refused, and lets others go on`() {
        var stage = Stage()
        let sessions = stage.open(all: 1...3)
        stage.acquire(sessions[0], 1, a)
        let token = stage.token
        stage.acquire(sessions[1], 1, b)
        stage.request(sessions[2], 1, all([a, b]))
        // Against the order: it holds b and waits for a, behind the one that needs both.
        stage.acquire(sessions[1], 2, a)
        #expect(stage.position(of: 2, of: sessions[1]) == 1)
        stage.request(sessions[0], 2, .release(name: a, token: token))
        #expect(stage.refusal(of: 1, of: sessions[2]) == .deadlock)
        #expect(
            stage.reply(to: 2, of: sessions[1]) == stage.granted(a, after: .released))
        #expect(stage.lock(b)?.waiters.isEmpty == true)
    }

    @Test func `who would wait for what is reserved, and is waited for, is refused by name`() {
        var stage = Stage()
        let sessions = stage.open(all: 1...2)
        stage.acquire(sessions[0], 1, b)
        stage.request(sessions[1], 1, all([a, b]))
        stage.acquire(sessions[0], 2, a)
        guard case .refused(let refusal)? = stage.reply(to: 2, of: sessions[0]) else {
            Issue.record("\(stage.effects)")
            return
        }
        #expect(refusal.code == .deadlock)
        #expect(refusal.message.contains("waits for lock a, kept for session \(sessions[1])"))
        #expect(refusal.message.contains("waits for lock b, held by session \(sessions[0])"))
    }

    @Test func `a refused one is gone with the names that only it had`() {
        var stage = Stage()
        let sessions = stage.open(all: 1...3)
        stage.acquire(sessions[0], 1, a)
        let token = stage.token
        stage.acquire(sessions[1], 1, b)
        stage.request(sessions[2], 1, all([a, b, c]))
        stage.acquire(sessions[1], 2, a)
        stage.request(sessions[0], 2, .release(name: a, token: token))
        #expect(stage.refusal(of: 1, of: sessions[2]) == .deadlock)
        #expect(stage.coordinator.objectCount == 2)
    }

    @Test func `a lock that is closed after a loss keeps all of them`() {
        var stage = Stage()
        let sessions = stage.open(all: 1...2)
        stage.request(
            sessions[0], 1,
            .acquire(name: b, mode: .exclusive, isTry: false, lockDelay: .seconds(5)))
        stage.request(sessions[1], 1, all([a, b]))
        stage.end(sessions[0], .died)
        let since = stage.version
        #expect(stage.reply(to: 1, of: sessions[1]) == nil)
        stage.apply(.openLock(name: b, since: since))
        #expect(holders(stage, a) == [sessions[1]])
        #expect(holders(stage, b) == [sessions[1]])
    }

    @Test func `a lock that is closed while it is reserved keeps all of them, too`() {
        var stage = Stage()
        let sessions = stage.open(all: 1...3)
        stage.request(
            sessions[0], 1,
            .acquire(name: a, mode: .shared, isTry: false, lockDelay: .seconds(5)))
        stage.acquire(sessions[1], 1, b)
        let token = stage.token
        stage.request(sessions[2], 1, all([a, b], .shared))
        #expect(stage.lock(a)?.waiters.first?.set?.standing == .reserved)
        stage.end(sessions[0], .died)
        let since = stage.version
        stage.request(sessions[1], 2, .release(name: b, token: token))
        #expect(stage.reply(to: 1, of: sessions[2]) == nil)
        #expect(stage.lock(b)?.waiters.first?.set?.next == nil)
        stage.apply(.openLock(name: a, since: since))
        #expect(holders(stage, a) == [sessions[2]])
        #expect(holders(stage, b) == [sessions[2]])
    }

    @Test func `a semaphore that has enough permits again has all of them`() {
        var stage = Stage()
        let sessions = stage.open(all: 1...3)
        stage.acquire(sessions[0], 1, a, .permits(2, of: 3))
        let token = stage.token
        stage.acquire(sessions[1], 1, b)
        let other = stage.token
        stage.request(
            sessions[2], 1,
            .acquireAll(
                LockSet([LockSet.Part(a, .permits(1, of: 3)), LockSet.Part(b, .exclusive)])))
        stage.request(sessions[1], 2, .limit(name: a, limit: 2))
        stage.request(sessions[1], 3, .release(name: b, token: other))
        #expect(stage.lock(b)?.waiters.first?.set?.standing == .reserved)
        stage.request(sessions[0], 2, .release(name: a, token: token))
        #expect(holders(stage, a) == [sessions[2]])
        #expect(holders(stage, b) == [sessions[2]])
    }

    /// The limit is lowered while it is reserved for both.
    @Test func `two that wait with permits of one semaphore do not wait for each other`() {
        var stage = Stage()
        let sessions = stage.open(all: 1...3)
        stage.request(sessions[0], 1, all([b, c]))
        let token = stage.token
        for (session, other) in zip(sessions[1...], [b, c]) {
            stage.request(
                session, 1,
                .acquireAll(
                    LockSet([
                        LockSet.Part(a, .permits(2, of: 4)), LockSet.Part(other, .exclusive),
                    ])))
        }
        stage.request(sessions[0], 2, .limit(name: a, limit: 3))
        stage.request(sessions[0], 3, .releaseAll(names: [b, c], token: token))
        #expect(holders(stage, a) == [sessions[1]])
        let first = stage.token
        stage.request(sessions[1], 2, .releaseAll(names: [a, b], token: first))
        #expect(holders(stage, a) == [sessions[2]])
        #expect(holders(stage, c) == [sessions[2]])
    }

    @Test func `permits that it waits with count as given out`() {
        var stage = Stage()
        let sessions = stage.open(all: 1...3)
        stage.acquire(sessions[0], 1, b)
        stage.request(
            sessions[1], 1,
            .acquireAll(
                LockSet([LockSet.Part(a, .permits(2, of: 3)), LockSet.Part(b, .exclusive)])))
        stage.acquire(sessions[2], 1, a, .permits(2, of: nil), isTry: true)
        #expect(stage.reply(to: 1, of: sessions[2]) == .busy(holder: nil))
        stage.request(sessions[2], 2, .limit(name: a, limit: 1))
        #expect(stage.refusal(of: 2, of: sessions[2]) == .refused)
        stage.request(sessions[2], 3, .limit(name: a, limit: 4))
        stage.acquire(sessions[2], 4, a, .permits(2, of: nil), isTry: true)
        #expect(stage.reply(to: 4, of: sessions[2]) == stage.granted(a, .permits(2, of: nil)))
    }

    @Test func `who shares a lock has it alone only when it is reserved for nobody`() {
        var stage = Stage()
        let sessions = stage.open(all: 1...3)
        stage.acquire(sessions[0], 1, a, .shared)
        let token = stage.token
        stage.acquire(sessions[1], 1, b)
        stage.request(sessions[2], 1, all([a, b], .shared))
        stage.request(sessions[0], 2, .upgrade(name: a, token: token))
        #expect(stage.position(of: 2, of: sessions[0]) == 1)
        stage.request(sessions[2], 2, .cancel(number: 1, reason: .gaveUp))
        #expect(stage.reply(to: 2, of: sessions[0]) == stage.granted(a))
    }

    @Test func `what is not held under the one token releases nothing`() {
        var stage = Stage()
        let one = stage.open(1)
        stage.request(one, 1, all([a, b]))
        let token = stage.token
        stage.acquire(one, 2, c)
        stage.request(one, 3, .releaseAll(names: [a, b, c], token: token))
        #expect(stage.refusal(of: 3, of: one) == .notHeld)
        #expect(holders(stage, a) == [one])
        stage.request(one, 4, .release(name: a, token: token))
        #expect(stage.reply(to: 4, of: one) == .done)
        stage.request(one, 5, .releaseAll(names: [b], token: token))
        #expect(stage.reply(to: 5, of: one) == .done)
        #expect(stage.coordinator.objectCount == 1)
    }

    @Test func `nothing is reserved while grants are suspended`() {
        var stage = Stage()
        stage.install(Stage.members, stateWasLost: true)
        let sessions = stage.open(all: 1...2)
        stage.request(sessions[0], 1, all([a, b]))
        #expect(stage.lock(a)?.waiters.first?.set?.standing == .queued)
        stage.request(sessions[1], 1, all([a], isTry: true))
        #expect(stage.refusal(of: 1, of: sessions[1]) == .unavailable)
        stage.apply(.openGrants(epoch: stage.epoch))
        #expect(holders(stage, a) == [sessions[0]])
        #expect(holders(stage, b) == [sessions[0]])
    }

    @Test func `snapshots keep how far it has come`() throws {
        var stage = Stage()
        let sessions = stage.open(all: 1...3)
        stage.acquire(sessions[0], 1, b)
        let token = stage.token
        stage.acquire(sessions[1], 1, c)
        let third = stage.token
        stage.request(sessions[2], 1, all([a, b, c]))
        let digest = stage.coordinator.digest
        try stage.restore()
        #expect(stage.coordinator.digest == digest)
        #expect(stage.coordinator.waitingNumbers(of: sessions[2]) == [1])
        stage.request(sessions[0], 2, .release(name: b, token: token))
        try stage.restore()
        stage.request(sessions[1], 2, .release(name: c, token: third))
        #expect(holders(stage, a) == [sessions[2]])
        #expect(holders(stage, c) == [sessions[2]])
    }

    @Test func `quotas count each of them`() {
        var quotas = Quotas()
        quotas.claimsPerSession = 2
        var stage = Stage(quotas: quotas)
        let one = stage.open(1)
        stage.request(one, 1, all([a, b, c]))
        #expect(stage.refusal(of: 1, of: one) == .quotaExceeded)
        #expect(stage.coordinator.objectCount == 0)
        stage.request(one, 2, all([a, b]))
        #expect(holders(stage, b) == [one])
    }

    @Test func `why tells what it waits for, and who waits for it`() {
        var stage = Stage()
        let sessions = stage.open(all: 1...3)
        stage.acquire(sessions[0], 1, b)
        stage.request(sessions[1], 1, all([a, b]))
        stage.acquire(sessions[2], 1, a)
        let chain = stage.coordinator.why(a).chain
        #expect(chain.map(\.name) == [a, b])
        #expect(chain.map(\.waiter) == [sessions[2], sessions[1]])
        #expect(chain.map(\.holder) == [sessions[1], sessions[0]])
    }
}
