import ConclaveBase
import ConclaveCoordination
import ConclaveWire
import TestSupport
import Testing

@Suite struct `Downgrades and upgrades` {
    private var stage = Stage()
    private let lock = ObjectName(known: "lock")
    private let other = ObjectName(known: "other")
    private let sessions: [SessionID]

    init() {
        sessions = stage.open(all: 1...4, hostCount: 3)
    }

    private func token(of session: Int) -> FencingToken {
        let holder = stage.lock(lock)?.holders.first { $0.session == sessions[session] }
        return FencingToken(holder?.token ?? 0)
    }

    private var modes: [LockMode] { stage.lock(lock)?.holders.map(\.mode) ?? [] }

    private mutating func upgrade(_ session: Int, _ number: UInt64) {
        let token = token(of: session)
        stage.request(sessions[session], number, .upgrade(name: lock, token: token))
    }

    private func isWaiting(_ session: Int, _ number: UInt64) -> Bool {
        stage.position(of: number, of: sessions[session]) != nil
    }

    @Test mutating func `a downgrade lets those in who wait to share it, under the same token`() {
        stage.acquire(sessions[0], 1, lock)
        let token = token(of: 0)
        stage.acquire(sessions[1], 1, lock, .shared)
        stage.acquire(sessions[2], 1, lock)
        stage.request(sessions[0], 2, .downgrade(name: lock, token: token))
        #expect(stage.reply(to: 2, of: sessions[0]) == .done)
        #expect(stage.reply(to: 1, of: sessions[1]) == stage.granted(lock, .shared))
        #expect(modes == [.shared, .shared])
        #expect(self.token(of: 0) == token)
        stage.request(sessions[0], 3, .downgrade(name: lock, token: token))
        #expect(stage.refusal(of: 3, of: sessions[0]) == .refused)
        stage.request(sessions[2], 2, .downgrade(name: lock, token: token))
        #expect(stage.refusal(of: 2, of: sessions[2]) == .notHeld)
    }

    @Test mutating func `whoever shares it with nobody has it alone at once, under a new token`() {
        stage.acquire(sessions[0], 1, lock, .shared)
        let old = token(of: 0)
        upgrade(0, 2)
        #expect(stage.reply(to: 2, of: sessions[0]) == stage.granted(lock))
        #expect(modes == [.exclusive])
        stage.request(sessions[0], 3, .release(name: lock, token: old))
        #expect(stage.refusal(of: 3, of: sessions[0]) == .notHeld, "it has another token now")
        upgrade(0, 4)
        #expect(stage.refusal(of: 4, of: sessions[0]) == .refused)
    }

    @Test mutating func `an upgrade waits for the other holders, before all who wait`() {
        for session in sessions[..<2] { stage.acquire(session, 1, lock, .shared) }
        stage.acquire(sessions[2], 1, lock)
        upgrade(0, 2)
        #expect(stage.position(of: 2, of: sessions[0]) == 1)
        #expect(stage.lock(lock)?.holders.map(\.isUpgrading) == [true, false])
        upgrade(0, 3)
        #expect(stage.refusal(of: 3, of: sessions[0]) == .alreadyHeld)
        stage.acquire(sessions[3], 1, lock, .shared, isTry: true)
        #expect(stage.reply(to: 1, of: sessions[3]) == .busy(holder: sessions[0]))
        stage.end(sessions[1], .died)
        #expect(stage.reply(to: 2, of: sessions[0]) == stage.granted(lock, after: .died))
        #expect(modes == [.exclusive])
        #expect(stage.lock(lock)?.waiters.map(\.session) == [sessions[2]])
    }

    @Test mutating func `the second upgrade is refused as a deadlock that names both`() {
        for session in sessions[..<2] { stage.acquire(session, 1, lock, .shared) }
        upgrade(0, 2)
        upgrade(1, 2)
        guard case .refused(let refusal)? = stage.reply(to: 2, of: sessions[1]) else {
            Issue.record("\(stage.effects)")
            return
        }
        #expect(refusal.code == .deadlock)
        #expect(
            refusal.message
                == "it would wait for itself: session \(sessions[1]) (pid 2 on host 2) waits to have "
                + "lock lock alone, held by session \(sessions[0]) (pid 1 on host 1), which waits to "
                + "have lock lock alone, held by session \(sessions[1]) (pid 2 on host 2)")
        let token = token(of: 1)
        stage.request(sessions[1], 3, .release(name: lock, token: token))
        #expect(stage.reply(to: 2, of: sessions[0]) == stage.granted(lock, after: .released))
    }

    @Test mutating func `an upgrade that closes a cycle over another lock is refused`() {
        for session in sessions[..<2] { stage.acquire(session, 1, lock, .shared) }
        stage.acquire(sessions[0], 2, other)
        stage.acquire(sessions[1], 2, other)
        upgrade(0, 3)
        #expect(stage.refusal(of: 3, of: sessions[0]) == .deadlock)
        #expect(modes == [.shared, .shared])
    }

    @Test mutating func `an upgrade that is cancelled leaves the lock shared`() {
        for session in sessions[..<2] { stage.acquire(session, 1, lock, .shared) }
        upgrade(0, 2)
        stage.acquire(sessions[2], 1, lock, .shared)
        #expect(isWaiting(2, 1))
        stage.request(sessions[0], 3, .cancel(number: 2, reason: .gaveUp))
        #expect(stage.reply(to: 2, of: sessions[0]) == .cancelled)
        #expect(stage.reply(to: 1, of: sessions[2]) == stage.granted(lock, .shared))
        #expect(modes == [.shared, .shared, .shared])
    }

    @Test mutating func `whoever lets go while it waits to have it alone has nothing`() {
        for session in sessions[..<2] { stage.acquire(session, 1, lock, .shared) }
        upgrade(0, 2)
        let token = token(of: 0)
        stage.request(sessions[0], 3, .release(name: lock, token: token))
        #expect(stage.reply(to: 3, of: sessions[0]) == .done)
        #expect(stage.refusal(of: 2, of: sessions[0]) == .notHeld)
        #expect(stage.lock(lock)?.holders.map(\.session) == [sessions[1]])
    }

    @Test mutating func `a repeated upgrade gets the same answer`() {
        stage.acquire(sessions[0], 1, lock, .shared)
        let old = token(of: 0)
        upgrade(0, 2)
        let granted = stage.granted(lock)
        stage.acquire(sessions[1], 1, lock)
        stage.request(sessions[0], 2, .upgrade(name: lock, token: old))
        #expect(stage.reply(to: 2, of: sessions[0]) == granted)
        #expect(modes == [.exclusive])
    }

    @Test mutating func `a snapshot keeps an upgrade that waits, and grants go on from it`() throws
    {
        for session in sessions[..<2] { stage.acquire(session, 1, lock, .shared) }
        upgrade(0, 2)
        var restored = stage
        try restored.restore()
        #expect(restored.coordinator.digest == stage.coordinator.digest)
        stage.end(sessions[1], .goodbye)
        restored.end(sessions[1], .goodbye)
        #expect(stage.reply(to: 2, of: sessions[0]) == stage.granted(lock, after: .goodbye))
        #expect(stage.effects == restored.effects)
        #expect(restored.coordinator.digest == stage.coordinator.digest)
    }

    @Test
    mutating func `a snapshot in which no request waits for an upgrade that waits is refused`()
        throws
    {
        for session in sessions[..<2] { stage.acquire(session, 1, lock, .shared) }
        let number: UInt64 = 0x1122_3344_5566_7788
        upgrade(0, number)
        var bytes = stage.coordinator.encodeSnapshot()
        var writer = ByteWriter()
        writer.flag(true)
        writer.integer(number)
        let place = try #require(bytes.firstRange(of: writer.bytes))
        bytes.replaceSubrange(place.dropFirst(), with: repeatElement(0, count: 8))
        #expect(
            throws: WireError.invalid(field: "upgrade", reason: "requests are numbered from 1 on")
        ) {
            try Coordinator(snapshot: bytes)
        }
    }

    @Test mutating func `nothing is upgraded while grants are suspended`() {
        stage.acquire(sessions[0], 1, lock, .shared)
        stage.install(Stage.members, stateWasLost: true)
        upgrade(0, 2)
        #expect(isWaiting(0, 2))
        stage.apply(.openGrants(epoch: stage.epoch))
        #expect(stage.reply(to: 2, of: sessions[0]) == stage.granted(lock))
    }
}
