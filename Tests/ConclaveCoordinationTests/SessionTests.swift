import ConclaveBase
import ConclaveCoordination
import ConclaveWire
import Testing

@Suite struct `Sessions` {
    private var stage = Stage()
    private let lock = ObjectName(known: "lock")

    private func resume(
        _ session: SessionID, pid: UInt32, host: UInt32, secretOf owner: UInt32,
        nonce: UInt64 = 99, confirmed: UInt64 = 0
    ) -> Command {
        .resume(
            ResumeCommand(
                session: session, secret: Secret(high: 2, low: UInt64(owner)),
                confirmed: confirmed, process: Stage.process(pid, host: host),
                member: Stage.member(host), nonce: nonce))
    }

    private func attachment(_ host: UInt32, _ number: UInt64) -> ConclaveCoordination.Attachment {
        .init(member: Stage.member(host), number: number)
    }

    @Test mutating func `a session is named by the version that opened it`() {
        let session = stage.open(7)
        #expect(
            stage.effects == [
                .opened(
                    id: Secret(high: 1, low: 7), nonce: 70, session: session,
                    attachment: attachment(1, 1))
            ])
        let state = stage.coordinator.sessionState(session)
        #expect(state?.process == Stage.process(7))
        #expect(state?.label == "label-7")
        #expect(state?.ttl == .seconds(5))
        #expect(state?.isWanted == false)
        #expect(stage.coordinator.sessionCount == 1)
    }

    @Test mutating func `an open repeated by its process gives the same session, attached anew`() {
        let session = stage.open(7)
        var again = Stage.open(7)
        again.secret = Secret(high: 9, low: 9)
        stage.apply(.open(again))
        #expect(
            stage.effects == [
                .opened(
                    id: again.id, nonce: 70, session: session, attachment: attachment(1, 2))
            ])
        #expect(stage.coordinator.sessionCount == 1)
        #expect(stage.coordinator.sessionState(session)?.secret == Secret(high: 2, low: 7))
    }

    @Test mutating func `an open repeated by another process is denied`() {
        let session = stage.open(7)
        stage.apply(.open(Stage.open(8, id: 7)))
        #expect(stage.openRefusals == [80: .denied])
        #expect(stage.coordinator.sessionState(session)?.attachment == attachment(1, 1))
    }

    @Test mutating func `the id of an ended session opens no second one for ten minutes`() {
        let session = stage.open(7)
        stage.end(session, .died)
        stage.time.microseconds += 599_999_999
        stage.apply(.open(Stage.open(7)))
        #expect(stage.openRefusals == [70: .sessionEnded])
        stage.time.microseconds += 1
        stage.apply(.open(Stage.open(7)))
        #expect(stage.openRefusals.isEmpty)
        #expect(stage.coordinator.sessionCount == 1)
    }

    @Test mutating func `ended sessions beyond the quota are forgotten first come first`() {
        var quotas = Quotas()
        quotas.ended = 2
        stage = Stage(quotas: quotas)
        for pid in UInt32(1)...3 {
            let session = stage.open(pid)
            stage.end(session, .died)
        }
        stage.apply(.open(Stage.open(1)))
        #expect(stage.openRefusals.isEmpty)
        stage.apply(.open(Stage.open(2)))
        #expect(stage.openRefusals == [20: .sessionEnded])
    }

    @Test mutating func `only a member of the view may be attached to`() {
        stage.apply(.open(Stage.open(7, host: 9)))
        #expect(stage.openRefusals == [70: .unavailable])
        let session = stage.open(8)
        stage.apply(resume(session, pid: 8, host: 9, secretOf: 8))
        #expect(stage.openRefusals == [99: .unavailable])
    }

    @Test(arguments: [Interval.zero, .seconds(-5), .seconds(3_601)])
    mutating func `a ttl out of bounds is refused`(ttl: Interval) {
        var open = Stage.open(7)
        open.ttl = ttl
        stage.apply(.open(open))
        #expect(stage.openRefusals == [70: .invalid])
    }

    @Test mutating func `quotas bound the sessions of a uid and of all`() {
        var quotas = Quotas()
        quotas.sessions = 3
        quotas.sessionsPerUID = 2
        stage = Stage(quotas: quotas)
        let first = stage.open(1)
        _ = stage.open(2)
        stage.apply(.open(Stage.open(3)))
        #expect(stage.openRefusals == [30: .quotaExceeded])
        stage.apply(.open(Stage.open(4, uid: 5)))
        #expect(stage.openRefusals.isEmpty)
        stage.apply(.open(Stage.open(5, uid: 6)))
        #expect(stage.openRefusals == [50: .quotaExceeded])
        stage.end(first, .goodbye)
        _ = stage.open(3)
        #expect(stage.openRefusals.isEmpty)
    }

    @Test mutating func `K1: an end has no effect once the attach number has changed`() {
        let session = stage.open(7)
        stage.apply(resume(session, pid: 7, host: 1, secretOf: 7))
        #expect(
            stage.effects
                == [.attached(session: session, nonce: 99, attachment: attachment(1, 2))])
        stage.end(session, .died)
        #expect(stage.effects.isEmpty)
        stage.end(session, .died, attachment: 2)
        #expect(
            stage.effects == [
                .sessionEnded(session: session, attachment: attachment(1, 2), reason: .died)
            ])
        #expect(stage.coordinator.sessionState(session) == nil)
    }

    @Test mutating func `K2: an expiry needs its epoch, its attachment and an absent host`() {
        let session = stage.open(7, host: 3)
        let old = stage.epoch
        func expire(_ epoch: Epoch, _ attachment: UInt64 = 1) -> Command {
            .expire(session: session, attachment: attachment, epoch: epoch)
        }
        stage.apply(expire(old))
        #expect(stage.effects.isEmpty)
        stage.install(Array(Stage.members[..<2]))
        #expect(stage.coordinator.sessionsOutsideView().map(\.id) == [session])
        stage.apply(expire(old))
        stage.apply(expire(stage.epoch, 2))
        #expect(stage.coordinator.sessionCount == 1)
        stage.apply(expire(stage.epoch))
        #expect(
            stage.effects == [
                .sessionEnded(session: session, attachment: attachment(3, 1), reason: .hostLost)
            ])
    }

    @Test mutating func `an incarnation is remembered as long as a session is attached to it`() {
        let session = stage.open(7, host: 3)
        #expect(stage.coordinator.remembers(Stage.member(3)))
        #expect(!stage.coordinator.remembers(Stage.member(3, incarnation: 2)))
        stage.install(Array(Stage.members[..<2]))
        #expect(stage.coordinator.remembers(Stage.member(3)))
        stage.apply(.expire(session: session, attachment: 1, epoch: stage.epoch))
        #expect(!stage.coordinator.remembers(Stage.member(3)))
    }

    @Test mutating func `a wrong secret is denied, an unknown session is over`() {
        let session = stage.open(7)
        stage.apply(resume(session, pid: 7, host: 1, secretOf: 8))
        #expect(stage.openRefusals == [99: .denied])
        stage.apply(resume(SessionID(1), pid: 7, host: 1, secretOf: 7))
        #expect(stage.openRefusals == [99: .sessionEnded])
        stage.end(session, .goodbye)
        stage.apply(resume(session, pid: 7, host: 1, secretOf: 7))
        #expect(stage.openRefusals == [99: .sessionEnded])
    }

    @Test mutating func `K7: another process waits until the old daemon has withdrawn`() {
        let session = stage.open(7)
        stage.acquire(session, 1, lock)
        stage.apply(resume(session, pid: 8, host: 2, secretOf: 7))
        #expect(
            stage.effects
                == [.detachRequested(session: session, attachment: attachment(1, 1))])
        #expect(stage.coordinator.sessionState(session)?.isWanted == true)
        stage.apply(.yieldAttachment(session: session, attachment: 1))
        #expect(
            stage.effects
                == [.attached(session: session, nonce: 99, attachment: attachment(2, 2))])
        let state = stage.coordinator.sessionState(session)
        #expect(state?.process == Stage.process(8, host: 2))
        #expect(state?.isWanted == false)
        #expect(stage.lock(lock)?.holders.map(\.session) == [session])
    }

    @Test mutating func `K7: the death of the old process lets the other one in at once`() {
        let session = stage.open(7)
        stage.apply(resume(session, pid: 8, host: 2, secretOf: 7))
        stage.end(session, .died)
        #expect(
            stage.effects
                == [.attached(session: session, nonce: 99, attachment: attachment(2, 2))])
    }

    @Test mutating func `K7: a goodbye ends the session whoever wants it`() {
        let session = stage.open(7)
        stage.apply(resume(session, pid: 8, host: 2, secretOf: 7))
        stage.end(session, .goodbye)
        #expect(stage.openRefusals == [99: .sessionEnded])
        #expect(stage.coordinator.sessionCount == 0)
    }

    @Test mutating func `K7: of an absent host, another process has the session when it expires`() {
        let session = stage.open(7, host: 3)
        stage.install(Array(Stage.members[..<2]))
        stage.apply(resume(session, pid: 8, host: 2, secretOf: 7))
        #expect(stage.effects.isEmpty)
        stage.apply(.expire(session: session, attachment: 1, epoch: stage.epoch))
        #expect(
            stage.effects
                == [.attached(session: session, nonce: 99, attachment: attachment(2, 2))])
        stage.apply(.expire(session: session, attachment: 1, epoch: stage.epoch))
        #expect(stage.effects.isEmpty)
    }

    @Test mutating func `K7: the wish is told again with each view, and goes with its daemon`() {
        let session = stage.open(7)
        stage.apply(resume(session, pid: 8, host: 2, secretOf: 7))
        stage.install(Stage.members)
        #expect(
            stage.effects
                == [.detachRequested(session: session, attachment: attachment(1, 1))])
        stage.install([Stage.member(1), Stage.member(3)])
        #expect(stage.effects.isEmpty)
        #expect(stage.coordinator.sessionState(session)?.isWanted == false)
    }

    @Test mutating func `K5: a validity withdrawn for nobody is over`() {
        let session = stage.open(7)
        stage.apply(resume(session, pid: 8, host: 2, secretOf: 7))
        stage.install([Stage.member(1), Stage.member(3)])
        stage.apply(.yieldAttachment(session: session, attachment: 1))
        #expect(
            stage.effects == [
                .sessionEnded(session: session, attachment: attachment(1, 1), reason: .expired)
            ])
    }

    @Test mutating func `the process itself comes before others that want its session`() {
        let session = stage.open(7)
        stage.apply(resume(session, pid: 8, host: 2, secretOf: 7, nonce: 1))
        stage.apply(resume(session, pid: 9, host: 3, secretOf: 7, nonce: 2))
        #expect(stage.openRefusals == [1: .denied])
        stage.apply(resume(session, pid: 7, host: 1, secretOf: 7, nonce: 3))
        #expect(stage.openRefusals == [2: .denied])
        #expect(
            stage.effects.last
                == .attached(session: session, nonce: 3, attachment: attachment(1, 2)))
        stage.apply(.yieldAttachment(session: session, attachment: 1))
        #expect(stage.effects.isEmpty)
    }

    @Test mutating func `a resume confirms replies`() {
        let session = stage.open(7)
        stage.acquire(session, 1, lock)
        stage.acquire(session, 2, lock)
        #expect(stage.coordinator.storedReplies(of: session).map(\.number) == [1, 2])
        stage.apply(resume(session, pid: 7, host: 1, secretOf: 7, confirmed: 1))
        #expect(stage.coordinator.storedReplies(of: session).map(\.number) == [2])
    }

    @Test mutating func `time never goes back`() {
        _ = stage.open(7)
        stage.time = .zero
        let session = stage.open(8)
        stage.acquire(session, 1, lock)
        #expect(stage.lock(lock)?.holders.first?.since == Timestamp(microseconds: 1_000_000))
    }
}
