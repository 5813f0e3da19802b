import ConclaveBase
import ConclaveCoordination
import ConclaveWire
import Testing

@Suite struct `Exactly once` {
    private var stage = Stage()
    private let lock = ObjectName(known: "lock")
    private let other = ObjectName(known: "other")
    private let first: SessionID
    private let second: SessionID

    init() {
        first = stage.open(1)
        second = stage.open(2, host: 2)
    }

    private var stored: [UInt64] { stage.coordinator.storedReplies(of: first).map(\.number) }

    @Test mutating func `K9: a repeat gets the same reply and changes nothing`() {
        stage.acquire(first, 1, lock)
        let reply = stage.granted(lock)
        #expect(stage.effects == [.reply(session: first, number: 1, reply)])
        stage.request(first, 2, .release(name: lock, token: stage.token))
        stage.acquire(first, 1, lock)
        #expect(stage.effects == [.reply(session: first, number: 1, reply)])
        #expect(stage.coordinator.objectCount == 0)
    }

    @Test mutating func `K9: a repeat of what waits is told that it waits`() {
        stage.acquire(first, 1, lock)
        stage.acquire(second, 1, lock)
        stage.acquire(second, 1, lock)
        #expect(stage.effects == [.queued(session: second, number: 1, position: 0)])
        #expect(stage.lock(lock)?.waiters.count == 1)
        #expect(stage.coordinator.waitingNumbers(of: second) == [1])
    }

    @Test mutating func `K9: a confirmed number is never applied again`() {
        stage.acquire(first, 1, lock, isTry: true)
        stage.request(first, 2, confirmed: 1, .release(name: lock, token: stage.token))
        stage.acquire(first, 1, lock, isTry: true)
        #expect(stage.effects == [.settled(session: first, number: 1)])
        #expect(stage.coordinator.objectCount == 0)
        #expect(stored == [2])
        stage.apply(.confirm(session: first, upTo: 2))
        #expect(stored == [])
    }

    @Test mutating func `numbers may have gaps, and a gap may be filled until it is confirmed`() {
        stage.acquire(first, 5, lock)
        stage.acquire(first, 3, other)
        #expect(stage.reply(to: 3, of: first) == stage.granted(other))
        stage.request(
            first, 6, confirmed: 5, .release(name: other, token: FencingToken(stage.version)))
        stage.acquire(first, 4, ObjectName(known: "late"))
        #expect(stage.effects == [.settled(session: first, number: 4)])
        #expect(stage.coordinator.objectCount == 1)
    }

    @Test mutating func `a request does not confirm itself`() {
        stage.request(
            first, 1, confirmed: .max, .acquire(name: lock, mode: .exclusive, isTry: false))
        #expect(stage.reply(to: 1, of: first) == stage.granted(lock))
        stage.request(first, 0, .acquire(name: other, mode: .exclusive, isTry: false))
        #expect(stage.effects == [.settled(session: first, number: 0)])
    }

    @Test mutating func `what waits is not confirmed by what came after, nor in its way`() {
        stage.acquire(second, 1, lock)
        let held = stage.token
        stage.acquire(first, 1, lock)
        stage.acquire(first, 2, other)
        stage.request(first, 3, confirmed: 2, .release(name: other, token: stage.token))
        #expect(stored == [3])
        #expect(stage.coordinator.waitingNumbers(of: first) == [1])

        stage.request(second, 2, .release(name: lock, token: held))
        let granted = stage.granted(lock, after: .released)
        #expect(stage.reply(to: 1, of: first) == granted)
        // The client confirms 3 before it knows of 1, and has to be sent it again.
        stage.apply(.confirm(session: first, upTo: 3))
        #expect(stored == [1])
        stage.acquire(first, 1, lock)
        #expect(stage.effects == [.reply(session: first, number: 1, granted)])
        // Whoever knows of 4 knows of 1.
        stage.acquire(first, 4, other)
        #expect(stored == [1, 4])
        stage.apply(.confirm(session: first, upTo: 4))
        #expect(stored == [])
    }

    @Test mutating func `K10: a waiting request is cancelled, and leaves no orphan`() {
        stage.acquire(first, 1, lock)
        let held = stage.token
        stage.acquire(second, 1, lock)
        stage.request(second, 2, .cancel(number: 1, reason: .timedOut))
        #expect(
            stage.effects == [
                .reply(session: second, number: 1, .cancelled),
                .reply(session: second, number: 2, .cancelOutcome(wasCancelled: true)),
            ])
        #expect(stage.lock(lock)?.waiters.isEmpty == true)
        stage.request(first, 2, .release(name: lock, token: held))
        #expect(stage.coordinator.objectCount == 0)
    }

    @Test mutating func `K10: a cancel that comes too late is told so, and the reply stands`() {
        stage.acquire(first, 1, lock)
        let granted = stage.granted(lock)
        stage.request(first, 2, .cancel(number: 1, reason: .gaveUp))
        #expect(
            stage.effects == [
                .reply(session: first, number: 1, granted),
                .reply(session: first, number: 2, .cancelOutcome(wasCancelled: false)),
            ])
        #expect(stage.lock(lock)?.holders.count == 1)
        stage.request(first, 3, confirmed: 2, .cancel(number: 1, reason: .gaveUp))
        #expect(
            stage.effects
                == [.reply(session: first, number: 3, .cancelOutcome(wasCancelled: false))])
    }

    @Test mutating func `K10: what is cancelled before it came is never applied`() {
        stage.request(first, 2, .cancel(number: 1, reason: .gaveUp))
        #expect(stage.reply(to: 2, of: first) == .cancelOutcome(wasCancelled: true))
        stage.acquire(first, 1, lock)
        #expect(stage.effects == [.reply(session: first, number: 1, .cancelled)])
        #expect(stage.coordinator.objectCount == 0)
        stage.request(first, 2, .cancel(number: 1, reason: .gaveUp))
        #expect(
            stage.effects
                == [.reply(session: first, number: 2, .cancelOutcome(wasCancelled: true))])
    }

    @Test mutating func `a request cannot cancel itself or a later one`() {
        stage.request(first, 2, .cancel(number: 2, reason: .gaveUp))
        #expect(stage.refusal(of: 2, of: first) == .invalid)
        stage.request(first, 3, .cancel(number: 9, reason: .gaveUp))
        #expect(stage.refusal(of: 3, of: first) == .invalid)
    }

    @Test mutating func `over the quota a request is refused, but letting go is not`() {
        var quotas = Quotas()
        quotas.requestsPerSession = 2
        stage = Stage(quotas: quotas)
        let session = stage.open(1)
        stage.acquire(session, 1, lock)
        let held = stage.token
        stage.acquire(session, 2, lock)
        stage.acquire(session, 3, other)
        #expect(stage.refusal(of: 3, of: session) == .quotaExceeded)
        stage.acquire(session, 3, other)
        #expect(stage.refusal(of: 3, of: session) == .quotaExceeded)
        stage.request(session, 4, .release(name: lock, token: held))
        #expect(stage.reply(to: 4, of: session) == .done)
        stage.request(
            session, 5, confirmed: 4, .acquire(name: other, mode: .exclusive, isTry: false))
        #expect(stage.reply(to: 5, of: session) == stage.granted(other))
    }

    /// With four requests that are not confirmed, 1 to 4, and a quota of two.
    private mutating func fill() -> SessionID {
        var quotas = Quotas()
        quotas.requestsPerSession = 2
        stage = Stage(quotas: quotas)
        let session = stage.open(1)
        stage.acquire(session, 1, lock)
        let held = stage.token
        stage.acquire(session, 2, other)
        stage.request(session, 3, .release(name: other, token: stage.token))
        stage.request(session, 4, .cancel(number: 1, reason: .gaveUp))
        #expect(stage.lock(lock)?.holders.map(\.token) == [held.number])
        return session
    }

    @Test mutating func `beyond twice the quota whatever comes is refused, and stays refused`()
        throws
    {
        let session = fill()
        let count = stage.coordinator.storedReplies(of: session).count
        let letGo = Operation.release(name: lock, token: FencingToken(2))
        let numbers = 5...2_000 as ClosedRange<UInt64>
        for number in numbers {
            stage.request(session, number, letGo)
            #expect(stage.refusal(of: number, of: session) == .quotaExceeded)
        }
        #expect(stage.coordinator.storedReplies(of: session).count == count)
        // One that is applied later, and its confirmation, leave those before it refused.
        stage.apply(.confirm(session: session, upTo: 4))
        stage.acquire(session, 2_001, other)
        #expect(stage.reply(to: 2_001, of: session) == stage.granted(other))
        try stage.restore()
        for number in [5, 1_000, 2_000] as [UInt64] {
            #expect(!stage.coordinator.keeps(number, of: session))
            stage.request(session, number, letGo)
            #expect(stage.refusal(of: number, of: session) == .quotaExceeded)
        }
        #expect(stage.lock(lock)?.holders.count == 1)
        stage.apply(.confirm(session: session, upTo: 2_001))
        stage.request(session, 1_000, letGo)
        #expect(stage.effects == [.settled(session: session, number: 1_000)])
    }

    @Test mutating func `K10: a cancel of what was refused beyond everything is told so`() {
        let session = fill()
        stage.acquire(session, 5, other)
        #expect(stage.refusal(of: 5, of: session) == .quotaExceeded)
        stage.request(session, 6, confirmed: 4, .cancel(number: 5, reason: .gaveUp))
        #expect(stage.refusal(of: 5, of: session) == .quotaExceeded)
        #expect(stage.reply(to: 6, of: session) == .cancelOutcome(wasCancelled: false))
    }

    @Test mutating func `late replies that were confirmed too early do not use up the quota`()
        throws
    {
        var quotas = Quotas()
        quotas.requestsPerSession = 2
        stage = Stage(quotas: quotas)
        let (holder, session) = (stage.open(1), stage.open(2))
        stage.acquire(holder, 1, lock)
        let held = stage.token
        stage.acquire(holder, 2, other)
        let alsoHeld = stage.token
        stage.acquire(session, 1, lock)
        stage.acquire(session, 2, other)
        stage.apply(.confirm(session: session, upTo: 2))
        stage.request(holder, 3, confirmed: 2, .release(name: lock, token: held))
        stage.request(holder, 4, confirmed: 3, .release(name: other, token: alsoHeld))
        #expect(stage.coordinator.storedReplies(of: session).map(\.number) == [1, 2])
        try stage.restore()
        // The client knows both, and cannot say so: its own count of what is open is 0.
        for number in 3...4 as ClosedRange<UInt64> {
            let name = ObjectName(known: "more \(number)")
            stage.request(
                session, number, confirmed: 2, .acquire(name: name, mode: .exclusive, isTry: false))
            #expect(stage.reply(to: number, of: session) == stage.granted(name))
        }
        stage.acquire(session, 5, ObjectName(known: "too many"))
        #expect(stage.refusal(of: 5, of: session) == .quotaExceeded)
        #expect(stage.coordinator.storedReplies(of: session).map(\.number) == [1, 2, 3, 4])
    }

    @Test mutating func `a standby of hours does not use up its session's quota`() {
        let slot = ObjectName(known: "slot")
        stage.request(second, 1, .campaign(slot: slot, value: []))
        stage.request(first, 1, .campaign(slot: slot, value: []))
        var number: UInt64 = 2
        for _ in 0..<2_000 {
            stage.request(
                first, number, confirmed: number - 1,
                .acquire(name: lock, mode: .exclusive, isTry: true))
            #expect(stage.reply(to: number, of: first) == stage.granted(lock))
            stage.request(
                first, number + 1, confirmed: number,
                .release(name: lock, token: stage.token))
            number += 2
        }
        #expect(stage.coordinator.waitingNumbers(of: first) == [1])
        #expect(stored.count == 1)
    }

    @Test mutating func `requests of an ended session get what they got, or that it is over`() {
        stage.acquire(first, 1, lock)
        let granted = stage.granted(lock)
        stage.end(first, .died)
        stage.acquire(first, 1, lock)
        #expect(stage.effects == [.reply(session: first, number: 1, granted)])
        stage.acquire(first, 2, lock)
        #expect(stage.refusal(of: 2, of: first) == .sessionEnded)
        #expect(stage.coordinator.objectCount == 0)
    }
}
