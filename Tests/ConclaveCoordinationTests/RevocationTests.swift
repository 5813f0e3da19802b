import ConclaveBase
import ConclaveCoordination
import ConclaveWire
import TestSupport
import Testing

@Suite struct `Revocations` {
    private var stage = Stage()
    private let lock = ObjectName(known: "lock")
    private let operatorSession: SessionID
    private let holder: SessionID
    private let waiter: SessionID
    private let token: FencingToken
    private var number: UInt64 = 0

    init() {
        operatorSession = stage.open(1)
        holder = stage.open(2, host: 2)
        waiter = stage.open(3)
        stage.acquire(holder, 1, lock)
        token = stage.token
        stage.acquire(waiter, 1, lock)
    }

    private mutating func revoke(_ revocation: Revocation) {
        number += 1
        stage.request(operatorSession, number, .revoke(revocation))
    }

    private mutating func force() {
        revoke(Revocation(holder, .holding(.lock, lock, token), .force))
    }

    private var isDone: Bool { stage.reply(to: number, of: operatorSession) == .done }

    private var detached: CoordinationEffect {
        .detachRequested(
            session: holder, attachment: Attachment(member: Stage.member(2), number: 1),
            isForced: true)
    }

    @Test mutating func `K6: nobody is granted what is forced before its daemon has withdrawn it`()
    {
        force()
        #expect(isDone && stage.effects.contains(detached))
        #expect(stage.reply(to: 1, of: waiter) == nil)
        #expect(stage.lock(lock)?.holders.map(\.session) == [holder])
        stage.apply(.yieldAttachment(session: holder, attachment: 1))
        #expect(
            stage.effects.first
                == .sessionEnded(
                    session: holder, attachment: Attachment(member: Stage.member(2), number: 1),
                    reason: .forced))
        #expect(stage.reply(to: 1, of: waiter) == stage.granted(lock, after: .forced))
    }

    @Test mutating func `a whole session can be forced, and again`() {
        for _ in 1...2 {
            revoke(Revocation(holder, .session, .force))
            #expect(isDone && stage.effects.contains(detached))
        }
        revoke(Revocation(SessionID(1), .session, .force))
        #expect(stage.refusal(of: number, of: operatorSession) == .refused)
    }

    @Test mutating func `only what is held under that token is taken`() {
        for revocation in [
            Revocation(holder, .holding(.lock, lock, FencingToken(1)), .force),
            Revocation(waiter, .holding(.lock, lock, token), .force),
            Revocation(holder, .holding(.leaderSlot, lock, token), .force),
        ] {
            revoke(revocation)
            #expect(stage.refusal(of: number, of: operatorSession) == .notHeld)
            #expect(stage.effects.count == 1)
        }
    }

    @Test mutating func `neither its process nor another one has it afterwards`() {
        let other = ResumeCommand(
            session: holder, secret: Secret(high: 2, low: 2), confirmed: 0,
            process: Stage.process(9, host: 3), member: Stage.member(3), nonce: 1)
        stage.apply(.resume(other))
        force()
        #expect(stage.openRefusals == [1: .sessionEnded])
        var own = other
        own.process = Stage.process(2, host: 2)
        own.nonce = 2
        stage.apply(.resume(own))
        #expect(stage.openRefusals == [2: .sessionEnded])
        stage.apply(.open(Stage.open(2, host: 2)))
        #expect(stage.openRefusals == [20: .sessionEnded])
    }

    @Test
    mutating func `its daemon is asked again in each view, and a host that is gone waited for`() {
        force()
        stage.install(Stage.members)
        #expect(stage.effects == [detached])
        stage.install([Stage.member(1), Stage.member(3)])
        #expect(stage.effects.isEmpty)
        stage.apply(.expire(session: holder, attachment: 1, epoch: stage.epoch))
        #expect(stage.reply(to: 1, of: waiter) == stage.granted(lock, after: .expired))
    }

    @Test mutating func `a snapshot keeps what is to end`() throws {
        force()
        try stage.restore()
        #expect(stage.coordinator.sessionState(holder)?.isForced == true)
        stage.install(Stage.members)
        #expect(stage.effects == [detached])
    }

    @Test mutating func `an heir must stand by for the slot`() {
        let slot = ObjectName(known: "slot")
        stage.request(holder, 2, .campaign(slot: slot, value: []))
        let term = stage.token
        stage.request(waiter, 2, .campaign(slot: slot, value: []))
        func notice(_ heir: SessionID, _ kind: ObjectKind = .leaderSlot) -> Revocation {
            let target = Revocation.Target.holding(
                kind, kind == .lock ? lock : slot, kind == .lock ? token : term)
            return Revocation(holder, target, .notice(within: .seconds(5), heir: heir))
        }
        for wrong in [notice(SessionID(1)), notice(holder), notice(waiter, .lock)] {
            revoke(wrong)
            #expect(stage.refusal(of: number, of: operatorSession) == .refused)
            #expect(stage.effects.count == 1)
        }
        revoke(notice(waiter))
        let told = LetGoNotice(
            kind: .leaderSlot, name: slot, token: term, within: .seconds(5), heir: waiter)
        #expect(isDone && stage.effects.contains(.letGoAsked(session: holder, told)))
    }

    @Test mutating func `a notice is told, and changes nothing`() {
        let before = stage.coordinator.sessionState(holder)
        revoke(
            Revocation(
                holder, .holding(.lock, lock, token), .notice(within: .seconds(5), heir: nil)))
        let notice = LetGoNotice(kind: .lock, name: lock, token: token, within: .seconds(5))
        #expect(isDone && stage.effects.contains(.letGoAsked(session: holder, notice)))
        #expect(stage.coordinator.sessionState(holder) == before)
    }
}
