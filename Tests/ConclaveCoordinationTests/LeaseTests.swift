import ConclaveBase
import ConclaveCoordination
import ConclaveWire
import TestSupport
import Testing

@Suite struct `Leases` {
    private var stage = Stage()
    private let name = ObjectName(known: "backup/db")
    private let session: SessionID
    private var number: UInt64 = 0

    init() {
        session = stage.open(1)
    }

    /// The answer to one request more.
    private mutating func ask(
        _ action: LeaseOperation.Action, of other: ObjectName? = nil
    ) -> Reply? {
        number += 1
        stage.request(session, number, .lease(LeaseOperation(other ?? name, action)))
        return stage.reply(to: number, of: session)
    }

    private func grant(
        _ holder: String, _ token: FencingToken, for ttl: Interval = .seconds(9)
    ) -> LeaseGrant {
        LeaseGrant(name: name, holder: holder, token: token, ttl: ttl)
    }

    private mutating func take(_ holder: String = "nightly") -> FencingToken {
        #expect(
            ask(.grant(ttl: .seconds(9), holder: holder)) == .leased(grant(holder, stage.token)))
        return stage.token
    }

    /// Told by the last command.
    private var set: LeaseTerm? {
        for case .leaseSet(let term) in stage.effects { return term }
        return nil
    }

    private var hasEnded: Bool { stage.effects.contains(.leaseEnded(name)) }

    @Test mutating func `one has it, and others are told who`() {
        let token = take()
        #expect(set == LeaseTerm(name: name, renewed: stage.version, ttl: .seconds(9)))
        let taken = Reply.leaseTaken(grant("nightly", token))
        #expect(ask(.grant(ttl: .seconds(1), holder: "weekly")) == taken)
        #expect(ask(.grant(ttl: .seconds(1), holder: "nightly")) == taken, "also the holder")
        #expect(set == nil)
        let report = stage.coordinator.leaseReport(name)
        #expect(report?.grant == grant("nightly", token))
        #expect(report?.uid == 1_000)
        #expect(stage.coordinator.why(name).lease == report)
    }

    @Test mutating func `it outlives its session`() {
        let token = take()
        stage.end(session, .died)
        #expect(!hasEnded)
        #expect(stage.coordinator.leaseReport(name)?.grant.token == token)
    }

    @Test mutating func `a renewal keeps its token, and the end of before is none`() {
        let token = take()
        let first = stage.version
        stage.time = Timestamp(microseconds: 2_000_000)
        #expect(ask(.renew(token: token)) == .leased(grant("nightly", token)))
        let second = stage.version
        #expect(set == LeaseTerm(name: name, renewed: second, ttl: .seconds(9)))
        stage.apply(.expireLease(name: name, renewed: first))
        #expect(stage.effects.isEmpty)
        #expect(stage.coordinator.leaseReport(name)?.renewed == Timestamp(microseconds: 2_000_000))
        #expect(stage.coordinator.leaseReport(name)?.since == Timestamp(microseconds: 1_000_000))
        stage.apply(.expireLease(name: name, renewed: second))
        #expect(hasEnded && stage.coordinator.leaseReport(name) == nil)
        #expect(stage.coordinator.objectCount == 0)
        stage.apply(.expireLease(name: name, renewed: second))
        #expect(stage.effects.isEmpty)
    }

    @Test mutating func `only its token proves it`() {
        let token = take()
        let other = FencingToken(token.number - 1)
        for action: LeaseOperation.Action in [
            .renew(token: other), .release(token: other),
            .transfer(token: other, holder: "x", ttl: nil),
        ] {
            guard case .refused(let refusal) = ask(action) else {
                Issue.record("\(action) is not refused")
                continue
            }
            #expect(refusal.code == .notHeld && refusal.message.contains("nightly has it"))
        }
        #expect(ask(.release(token: token)) == .done && hasEnded)
        guard case .refused(let refusal) = ask(.renew(token: token)) else {
            Issue.record("what was released is renewed")
            return
        }
        #expect(refusal.code == .notHeld && refusal.message.contains("nobody has it"))
    }

    @Test mutating func `nobody touches another user's, whoever knows its token`() {
        let token = take()
        let stranger = stage.open(7)
        let others = [("stranger", UInt32(4_000), RefusalCode?.some(.denied)), ("root", 0, nil)]
        for (name, uid, refusal) in others {
            var open = Stage.open(uid + 20, uid: uid)
            open.label = name
            stage.apply(.open(open))
            let session = SessionID(stage.version.number)
            stage.request(session, 1, .lease(LeaseOperation(self.name, .renew(token: token))))
            #expect(stage.refusal(of: 1, of: session) == refusal, "\(name)")
        }
        // Another process of the same user may.
        stage.request(stranger, 1, .lease(LeaseOperation(name, .release(token: token))))
        #expect(stage.reply(to: 1, of: stranger) == .done)
    }

    @Test mutating func `a transfer gives it a token and a time of its own`() {
        let token = take()
        #expect(
            ask(.transfer(token: token, holder: "weekly", ttl: .seconds(20)))
                == .leased(grant("weekly", stage.token, for: .seconds(20))))
        let second = stage.token
        #expect(set == LeaseTerm(name: name, renewed: stage.version, ttl: .seconds(20)))
        #expect(stage.refusal(of: number, of: session) == nil)
        _ = ask(.renew(token: token))
        #expect(stage.refusal(of: number, of: session) == .notHeld)
        #expect(
            ask(.transfer(token: second, holder: "monthly", ttl: nil))
                == .leased(grant("monthly", stage.token, for: .seconds(20))))
    }

    @Test mutating func `they are listed by name, a page at a time`() {
        for index in 0..<ClientLimits.listedObjects + 2 {
            _ = ask(
                .grant(ttl: .seconds(9), holder: "h"), of: ObjectName(known: "b/\(1_000 + index)"))
        }
        _ = ask(.grant(ttl: .seconds(9), holder: "h"), of: ObjectName(known: "a"))
        let first = stage.coordinator.leasePage(prefix: "b/")
        #expect(first.leases.count == ClientLimits.listedObjects)
        #expect(first.leases.first?.grant.name == ObjectName(known: "b/1000"))
        let second = stage.coordinator.leasePage(prefix: "b/", after: first.next)
        #expect(second.leases.count == 2 && second.next == nil)
        let all = stage.coordinator.leasePage(prefix: "", after: ObjectName(known: "a"))
        #expect(all.leases.first?.grant.name == ObjectName(known: "b/1000"))
    }

    @Test mutating func `a user has no more of them than the quota allows`() {
        var quotas = Quotas()
        quotas.leasesPerUID = 1
        quotas.maximumTTL = .seconds(30)
        stage = Stage(quotas: quotas)
        _ = stage.open(1)
        let token = take()
        let other = ObjectName(known: "other")
        _ = ask(.grant(ttl: .seconds(9), holder: "h"), of: other)
        #expect(stage.refusal(of: number, of: session) == .quotaExceeded)
        _ = ask(.release(token: token))
        _ = ask(.grant(ttl: .seconds(31), holder: "h"), of: other)
        #expect(stage.refusal(of: number, of: session) == .invalid)
        _ = ask(.grant(ttl: .seconds(30), holder: "h"), of: other)
        #expect(stage.refusal(of: number, of: session) == nil)
    }

    @Test mutating func `with a history they end, and none is granted for a while`() {
        _ = take()
        stage.install(Stage.members, historyWasGivenUp: true)
        #expect(hasEnded)
        let session = stage.open(2)
        stage.request(
            session, 1, .lease(LeaseOperation(name, .grant(ttl: .seconds(9), holder: "h"))))
        #expect(stage.refusal(of: 1, of: session) == .unavailable)
        stage.apply(.openGrants(epoch: stage.epoch))
        stage.request(
            session, 2, .lease(LeaseOperation(name, .grant(ttl: .seconds(9), holder: "h"))))
        #expect(stage.reply(to: 2, of: session) == .leased(grant("h", stage.token)))
    }

    @Test mutating func `a snapshot keeps them`() throws {
        let token = take()
        _ = ask(.renew(token: token))
        let before = stage.coordinator
        try stage.restore()
        #expect(stage.coordinator.encodeSnapshot() == before.encodeSnapshot())
        #expect(stage.coordinator.leaseTerms == before.leaseTerms)
        #expect(stage.coordinator.leasePage(prefix: "") == before.leasePage(prefix: ""))
        #expect(ask(.release(token: token)) == .done)
        #expect(stage.coordinator.leaseTerms.isEmpty)
    }
}
