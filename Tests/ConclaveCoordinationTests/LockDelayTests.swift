import ConclaveBase
import ConclaveCoordination
import ConclaveWire
import TestSupport
import Testing

@Suite struct `Lock delays` {
    private var stage = Stage()
    private let lock = ObjectName(known: "lock")
    private let sessions: [SessionID]

    init() {
        sessions = stage.open(all: 1...5, hostCount: 3)
    }

    private mutating func acquire(
        _ session: Int, _ mode: LockMode = .exclusive, isTry: Bool = false,
        delay: Interval = .zero
    ) {
        stage.request(
            sessions[session], 1,
            .acquire(name: lock, mode: mode, isTry: isTry, lockDelay: delay))
    }

    private func reply(_ session: Int) -> Reply? { stage.reply(to: 1, of: sessions[session]) }

    /// Closed by the last command, for so long.
    private var closedFor: Interval? {
        for case .lockClosed(let closed) in stage.effects where closed.name == lock {
            return closed.since == stage.version ? closed.delay : nil
        }
        return nil
    }

    private mutating func open(_ closed: ClosedLock?) {
        guard let closed else { return }
        stage.apply(.openLock(name: closed.name, since: closed.since))
    }

    @Test(arguments: [SessionEnd.died, .expired])
    mutating func `after a loss nobody has the lock until it is opened`(reason: SessionEnd) throws {
        acquire(0, delay: .seconds(9))
        acquire(1)
        stage.end(sessions[0], reason)
        #expect(closedFor == .seconds(9))
        #expect(reply(1) == nil)
        #expect(stage.lock(lock)?.closedFor == .seconds(9))
        acquire(2, isTry: true)
        #expect(reply(2) == .busy(holder: nil))
        acquire(3)
        #expect(stage.position(of: 1, of: sessions[3]) == 1)
        let closed = try #require(stage.coordinator.closedLocks.first)
        open(ClosedLock(name: lock, since: closed.since.next, delay: .zero))
        #expect(reply(1) == nil, "another loss is meant")
        open(closed)
        #expect(reply(1) == stage.granted(lock, after: PreviousEnd(named: reason)))
        #expect(stage.coordinator.closedLocks.isEmpty)
        open(closed)
        #expect(stage.effects.isEmpty)
    }

    @Test mutating func `after an orderly end there is no delay`() {
        acquire(0, delay: .seconds(9))
        acquire(1)
        stage.end(sessions[0], .goodbye)
        #expect(closedFor == nil)
        #expect(reply(1) == stage.granted(lock, after: .goodbye))
    }

    @Test mutating func `whoever only waited closes nothing`() {
        acquire(0)
        acquire(1, delay: .seconds(9))
        stage.end(sessions[1], .died)
        #expect(closedFor == nil && stage.coordinator.closedLocks.isEmpty)
    }

    @Test mutating func `a closed lock that nobody awaits stays, and is gone once it is open`() {
        acquire(0, delay: .seconds(9))
        stage.end(sessions[0], .died)
        #expect(stage.coordinator.objectCount == 1)
        open(stage.coordinator.closedLocks.first)
        #expect(stage.coordinator.objectCount == 0)
        acquire(1)
        #expect(reply(1) == stage.granted(lock, after: .died))
    }

    @Test mutating func `of two losses the longer delay counts, from the second on`() {
        acquire(0, .shared, delay: .seconds(9))
        acquire(1, .shared, delay: .seconds(2))
        stage.end(sessions[0], .died)
        let first = stage.coordinator.closedLocks.first
        acquire(2, .shared)
        #expect(reply(2) == nil)
        stage.end(sessions[1], .died)
        #expect(closedFor == .seconds(9))
        open(first)
        #expect(reply(2) == nil)
        open(stage.coordinator.closedLocks.first)
        #expect(reply(2) == stage.granted(lock, .shared, after: .died))
    }

    @Test mutating func `an upgrade waits for it too`() throws {
        acquire(0, .shared, delay: .seconds(9))
        acquire(1, .shared)
        let token = FencingToken(try #require(stage.lock(lock)?.holders.last?.token))
        stage.end(sessions[0], .died)
        stage.request(sessions[1], 2, .upgrade(name: lock, token: token))
        #expect(stage.position(of: 2, of: sessions[1]) == 0)
        open(stage.coordinator.closedLocks.first)
        #expect(stage.reply(to: 2, of: sessions[1]) == stage.granted(lock, after: .died))
    }

    @Test mutating func `is in a snapshot`() throws {
        acquire(0, delay: .seconds(9))
        stage.end(sessions[0], .died)
        var restored = stage
        try restored.restore()
        #expect(restored.coordinator.closedLocks == stage.coordinator.closedLocks)
        #expect(restored.coordinator.digest == stage.coordinator.digest)
        acquire(1)
        restored.request(
            sessions[1], 1, .acquire(name: lock, mode: .exclusive, isTry: false))
        #expect(restored.effects == stage.effects)
        try restored.restore()
        #expect(restored.coordinator.encodeSnapshot() == stage.coordinator.encodeSnapshot())
    }

    @Test func `that are too long are refused`() {
        let operation = Operation.acquire(
            name: lock, mode: .exclusive, isTry: false, lockDelay: .seconds(601))
        var writer = ByteWriter()
        operation.encode(into: &writer)
        var reader = ByteReader(writer.bytes)
        #expect(throws: WireError.self) { try Operation.decode(.acquire, from: &reader) }
    }
}

extension PreviousEnd {
    fileprivate init(named reason: SessionEnd) {
        self = reason == .died ? .died : .expired
    }
}
