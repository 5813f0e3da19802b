import ConclaveBase
import ConclaveCoordination
import ConclaveWire
import TestSupport
import Testing

@Suite struct `How the last holder ended` {
    private var stage = Stage(quotas: quotas)
    private let names = ["a", "b", "c"].map(ObjectName.init(known:))
    private let sessions: [SessionID]

    private static var quotas: Quotas {
        var quotas = Quotas()
        quotas.rememberedEnds = 2
        quotas.waitsPerTask = 1
        return quotas
    }

    init() {
        sessions = stage.open(all: 1...6, hostCount: 3)
    }

    /// The session takes a lock that nobody waits for, and dies.
    private mutating func lose(_ name: ObjectName, _ session: Int, _ reason: SessionEnd = .died) {
        stage.acquire(sessions[session], 1, name)
        stage.end(sessions[session], reason)
    }

    private func isTold(_ end: PreviousEnd, of name: ObjectName, _ session: Int) -> Bool {
        stage.reply(to: 1, of: sessions[session]) == stage.granted(name, after: end)
    }

    @Test(arguments: [(SessionEnd.died, PreviousEnd.died), (.expired, .expired), (.goodbye, .none)])
    mutating func `is told to whoever has the lock next, if it was a loss`(
        reason: SessionEnd, end: PreviousEnd
    ) {
        lose(names[0], 0, reason)
        #expect(stage.coordinator.objectCount == 0)
        stage.acquire(sessions[1], 1, names[0])
        #expect(isTold(end, of: names[0], 1))
    }

    @Test mutating func `is told once`() {
        lose(names[0], 0)
        stage.acquire(sessions[1], 1, names[0])
        stage.request(
            sessions[1], 2, .release(name: names[0], token: stage.token))
        stage.acquire(sessions[2], 1, names[0])
        #expect(isTold(.none, of: names[0], 2))
    }

    @Test mutating func `is forgotten of the oldest when there are too many`() {
        for (index, name) in names.enumerated() { lose(name, index) }
        stage.acquire(sessions[3], 1, names[0])
        #expect(isTold(.none, of: names[0], 3))
        stage.acquire(sessions[4], 1, names[1])
        #expect(isTold(.died, of: names[1], 4))
        stage.acquire(sessions[5], 1, names[2])
        #expect(isTold(.died, of: names[2], 5))
    }

    @Test mutating func `is in a snapshot, and told after it`() throws {
        lose(names[0], 0)
        lose(names[1], 1, .expired)
        stage.acquire(sessions[2], 1, names[0])
        var restored = stage
        try restored.restore()
        #expect(restored.coordinator.digest == stage.coordinator.digest)
        #expect(restored.coordinator.encodeSnapshot() == stage.coordinator.encodeSnapshot())
        restored.acquire(sessions[3], 1, names[1])
        stage.acquire(sessions[3], 1, names[1])
        #expect(isTold(.expired, of: names[1], 3))
        #expect(restored.effects == stage.effects)
        #expect(restored.coordinator.digest == stage.coordinator.digest)
    }

    @Test mutating func `is kept while nobody can have the lock`() {
        lose(names[0], 0)
        stage.install(Stage.members, stateWasLost: true)
        stage.acquire(sessions[1], 1, names[0])
        stage.request(sessions[1], 2, .cancel(number: 1, reason: .gaveUp))
        stage.acquire(sessions[2], 1, names[0], isTry: true)
        #expect(stage.refusal(of: 1, of: sessions[2]) == .unavailable)
        stage.apply(.openGrants(epoch: stage.epoch))
        stage.acquire(sessions[3], 1, names[0])
        #expect(isTold(.died, of: names[0], 3))
    }

    @Test mutating func `a wait that is refused leaves no lock and no slot behind`() throws {
        stage.install(Stage.members, stateWasLost: true)
        stage.acquire(sessions[0], 1, names[0])
        stage.acquire(sessions[0], 2, names[1])
        #expect(stage.refusal(of: 2, of: sessions[0]) == .quotaExceeded)
        stage.request(sessions[0], 3, .campaign(slot: names[2], value: []))
        #expect(stage.refusal(of: 3, of: sessions[0]) == .quotaExceeded)
        #expect(stage.coordinator.objectCount == 1)
        try stage.restore()
    }
}
