import ConclaveBase
import ConclaveCoordination
import ConclaveWire
import Testing

/// V26: after a loss of state nothing is granted until old holders are certainly over.
@Suite struct `After a loss of state` {
    private var stage = Stage(stateWasLost: true)
    private let lock = ObjectName(known: "lock")
    private let slot = ObjectName(known: "slot")
    private let sessions: [SessionID]

    init() {
        sessions = stage.open(all: 1...3)
    }

    @Test mutating func `requests queue, and a try is refused`() {
        stage.acquire(sessions[0], 1, lock)
        #expect(stage.position(of: 1, of: sessions[0]) == 0)
        stage.acquire(sessions[1], 1, lock, isTry: true)
        #expect(stage.refusal(of: 1, of: sessions[1]) == .unavailable)
        stage.acquire(sessions[1], 2, ObjectName(known: "free"), isTry: true)
        #expect(stage.refusal(of: 2, of: sessions[1]) == .unavailable)
        stage.request(sessions[0], 2, .campaign(slot: slot, value: []))
        #expect(stage.position(of: 2, of: sessions[0]) == 0)
        #expect(stage.coordinator.objectCount == 2)
    }

    @Test mutating func `openGrants of the present epoch grants to those whose turn it is`() {
        stage.acquire(sessions[0], 1, lock, .shared)
        stage.acquire(sessions[1], 1, lock, .shared)
        stage.acquire(sessions[2], 1, lock)
        stage.request(sessions[0], 2, .campaign(slot: slot, value: []))
        stage.apply(.openGrants(epoch: stage.epoch.next))
        #expect(stage.effects.isEmpty)
        #expect(stage.coordinator.grantsAreSuspended)
        stage.apply(.openGrants(epoch: stage.epoch))
        let term = Term(slot: slot, token: stage.token, previousEnd: .none, previousValue: [])
        #expect(
            stage.effects == [
                .reply(session: sessions[0], number: 1, stage.granted(lock, .shared)),
                .reply(session: sessions[1], number: 1, stage.granted(lock, .shared)),
                .reply(session: sessions[0], number: 2, .elected(term)),
                .leaderChanged(slot: slot),
            ])
        #expect(!stage.coordinator.grantsAreSuspended)
    }

    @Test mutating func `neither a cancel nor an end nor a later view grants anything`() {
        stage.acquire(sessions[0], 1, lock)
        stage.acquire(sessions[1], 1, lock)
        stage.acquire(sessions[2], 1, lock)
        stage.request(sessions[0], 2, .cancel(number: 1, reason: .gaveUp))
        stage.end(sessions[1], .died)
        stage.install(Stage.members)
        #expect(stage.lock(lock)?.holders.isEmpty == true)
        #expect(stage.lock(lock)?.waiters.map(\.session) == [sessions[2]])
        stage.apply(.openGrants(epoch: Epoch(1)))
        #expect(stage.effects.isEmpty)
        stage.apply(.openGrants(epoch: Epoch(2)))
        #expect(stage.reply(to: 1, of: sessions[2]) == stage.granted(lock))
    }

    @Test mutating func `barriers, which grant nothing, go on`() {
        for (session, isLast) in [(sessions[0], false), (sessions[1], true)] {
            stage.request(session, 1, .arrive(BarrierArrival(name: lock, parties: 2)))
            guard case .tripped = stage.reply(to: 1, of: session) else {
                #expect(!isLast)
                continue
            }
            #expect(isLast)
        }
    }
}
