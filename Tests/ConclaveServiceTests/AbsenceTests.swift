import ConclaveBase
import ConclaveCoordination
import ConclaveService
import ConclaveWire
import Testing

@Suite struct `Sessions of hosts that are gone` {
    private let group = TestGroup(daemonCount: 3)
    private let session: SessionID

    init() throws {
        session = try group[2].connectWithSession().session.session
    }

    private var expiries: [Command] {
        group.history.filter { command in
            if case .expire = command { true } else { false }
        }
    }

    private func members(_ indexes: Int...) -> [Member] {
        indexes.map { group[$0].member }
    }

    @Test func `they end when more than the ttl has passed since their silence began (K4)`() {
        group.install(members(0, 1), silent: .seconds(1))
        group.advance(.milliseconds(4_049))
        #expect(expiries.isEmpty)
        group.advance(.milliseconds(1))
        #expect(
            expiries == [
                .expire(session: session, attachment: 1, epoch: group.view.epoch)
            ])
        #expect(group.machine.sessionCount == 0)
        group.advance(.seconds(10))
        #expect(expiries.count == 1)
    }

    @Test func `the next rank proposes when the first does not`() {
        group.install(members(0, 1))
        group[0].isServing = false
        group.advance(.milliseconds(5_050))
        #expect(expiries.isEmpty)
        group.advance(.milliseconds(999))
        #expect(expiries.isEmpty)
        group.advance(.milliseconds(1))
        #expect(group.machine.sessionCount == 0)
    }

    @Test func `the time begins anew with each view, less the silence vouched for (K2)`() {
        group.install(members(0, 1))
        group.advance(.seconds(4))
        group.install(members(0), silent: .milliseconds(3_500))
        group.advance(.milliseconds(1_549))
        #expect(expiries.isEmpty)
        group.advance(.milliseconds(1))
        #expect(group.machine.sessionCount == 0)
    }

    @Test func `an expiry is not carried into the next epoch (V20)`() {
        group.install(members(0, 1))
        group.isHeld = true
        group.advance(.milliseconds(5_050))
        #expect(group.proposed.count == 1)
        group.install(members(0, 1, 2))
        group.isHeld = false
        group.order()
        group.advance(.seconds(1))
        #expect(expiries.isEmpty)
    }

    @Test func `a member that came back and went again has its whole time (K4)`() throws {
        group.install(members(0, 1))
        group.advance(.seconds(4))
        group.install(members(0, 1, 2))
        group.confirm()
        group.install(members(0, 1))
        group.advance(.seconds(5))
        #expect(expiries.isEmpty)
        group.advance(.seconds(1))
        #expect(expiries.count == 1)
    }

    @Test func `the planted bug that carries expiries over lets a session end too early`() throws {
        let group = TestGroup(daemonCount: 3, plant: .resendExpiry)
        _ = try group[2].connectWithSession()
        let members = group.daemons.map(\.member)
        group.install([members[0], members[1]])
        group.advance(.seconds(4))
        group.install(members)
        group.confirm()
        group.install([members[0], members[1]])
        group.advance(.milliseconds(1_100))
        #expect(group.machine.sessionCount == 0)
    }

    @Test func `the planted bug that does not wait lets a session end at once`() throws {
        let group = TestGroup(daemonCount: 2, plant: .grantBeforeValidityEnds)
        _ = try group[1].connectWithSession()
        group.install([group[0].member])
        group.advance(.milliseconds(1))
        #expect(group.machine.sessionCount == 0)
    }

    @Test func `a session that was resumed elsewhere is left alone (K2)`() throws {
        let (id, opened) = try group[2].connectWithSession(pid: 8)
        _ = id
        group.install(members(0, 1))
        let again = group[0].connectAs(group[2].process(8))
        group[0].hello(again)
        group[0].resume(again, opened)
        group.live(.seconds(20))
        #expect(group.machine.sessionState(opened.session) != nil)
        #expect(group.machine.sessionState(session) == nil)
    }

    @Test func `after a loss of state nothing is granted for the longest ttl (V26)`() throws {
        group.install(members(0, 1), stateWasLost: true)
        let (id, _) = try group[0].connectWithSession(pid: 5, ttl: .seconds(60))
        group[0].request(try lock("a"), number: 1, id)
        group.live(.seconds(30))
        group.install(members(0, 1, 2))
        group.live(.milliseconds(60_500))
        #expect(group.machine.grantsAreSuspended)
        #expect(try group[0].received(id).replies.isEmpty)
        group.live(.milliseconds(200))
        #expect(!group.machine.grantsAreSuspended)
        #expect(try group[0].received(id).replies.map(\.number) == [1])
    }

    // MARK: - Locks that are closed

    private var openings: Int {
        group.history.count { command in
            if case .openLock = command { true } else { false }
        }
    }

    /// The session dies with a lock that is to stay closed for three seconds.
    private func loseLock() throws -> ObjectName {
        let name = try ObjectName("lock")
        let operation = Operation.acquire(
            name: name, mode: .exclusive, isTry: false, lockDelay: .seconds(3))
        let acquire = Command.request(
            session: session, number: 1, confirmed: 0, operation: operation)
        let end = Command.end(session: session, attachment: 1, reason: .died)
        group.propose([acquire.bytes, end.bytes])
        group.order()
        return name
    }

    @Test func `a lock is opened when more than its delay has passed since the loss`() throws {
        let name = try loseLock()
        #expect(group.machine.closedLocks.map(\.name) == [name])
        group.advance(.milliseconds(3_029))
        #expect(openings == 0)
        group.advance(.milliseconds(1))
        #expect(openings == 1 && group.machine.closedLocks.isEmpty)
        group.advance(.seconds(10))
        #expect(openings == 1)
    }

    @Test func `what has passed of a delay counts in the next view`() throws {
        _ = try loseLock()
        group.advance(.seconds(2))
        group.install(members(0, 1))
        group.advance(.milliseconds(1_029))
        #expect(openings == 0)
        group.advance(.milliseconds(1))
        #expect(group.machine.closedLocks.isEmpty)
    }
}
