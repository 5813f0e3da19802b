import ConclaveBase
import ConclaveCoordination
import ConclaveWire
import Testing

/// V27: what was given up of a history may have ended every session, and granted anew what it held.
@Suite struct `After a history was given up` {
    private var stage = Stage()
    private let lock = ObjectName(known: "lock")
    private let slot = ObjectName(known: "slot")
    private let barrier = ObjectName(known: "barrier")
    private let sessions: [SessionID]

    init() {
        sessions = stage.open(all: 1...3)
        stage.acquire(sessions[0], 1, lock)
        stage.acquire(sessions[1], 1, lock)
        stage.request(sessions[1], 2, .campaign(slot: slot, value: [7]))
        stage.request(sessions[2], 1, .campaign(slot: slot, value: []))
        stage.request(sessions[2], 2, .arrive(BarrierArrival(name: barrier, parties: 2)))
    }

    private mutating func giveUp() {
        stage.install([Stage.members[0]], historyWasGivenUp: true)
    }

    @Test mutating func `no session goes on, and nothing that any of them held`() {
        giveUp()
        let ended = stage.effects.compactMap { effect in
            if case .sessionEnded(let session, _, .expired) = effect { session } else { nil }
        }
        #expect(ended == sessions)
        #expect(stage.coordinator.sessionCount == 0)
        #expect(stage.coordinator.objectCount == 0)
        let grants = stage.effects.filter { effect in
            switch effect {
            case .reply(_, _, .granted), .reply(_, _, .elected): true
            default: false
            }
        }
        #expect(grants.isEmpty)
        // Who follows the slot hears that nobody leads.
        #expect(stage.effects.contains(.leaderChanged(slot: slot)))
    }

    @Test mutating func `nothing is granted before all that was granted is certainly over`() {
        giveUp()
        let session = stage.open(9)
        stage.acquire(session, 1, lock)
        #expect(stage.position(of: 1, of: session) == 0)
        stage.apply(.openGrants(epoch: stage.epoch))
        #expect(stage.reply(to: 1, of: session) == stage.granted(lock, after: .expired))
    }

    @Test mutating func `a session of before is over, whatever it asks`() throws {
        giveUp()
        try stage.restore()
        #expect(stage.coordinator.grantsAreSuspended)
        stage.acquire(sessions[0], 2, lock)
        #expect(stage.refusal(of: 2, of: sessions[0]) == .sessionEnded)
        stage.apply(.open(Stage.open(1)))
        guard case .openRefused(_, _, let refusal)? = stage.effects.first else {
            Issue.record("\(stage.effects)")
            return
        }
        #expect(refusal.code == .sessionEnded)
    }
}
