import ConclaveBase
import ConclaveCoordination
import ConclaveService
import ConclaveWire
import Testing

@Suite struct `Leases that nobody renews` {
    private let group = TestGroup(daemonCount: 3)
    private let client: ConnectionID
    private let name: ObjectName

    init() throws {
        client = try group[0].connectWithSession().id
        name = try ObjectName("backup/db")
        ask(.grant(ttl: .seconds(10), holder: "nightly"), number: 1)
    }

    private func ask(_ action: LeaseOperation.Action, number: UInt64) {
        group[0].request(.lease(LeaseOperation(name, action)), number: number, client)
    }

    private func members(_ indexes: Int...) -> [Member] { indexes.map { group[$0].member } }

    private var token: FencingToken { group.machine.leaseReport(name)?.grant.token ?? .init(0) }

    private var isThere: Bool { group.machine.leaseReport(name) != nil }

    private var expiryCount: Int {
        group.history.count { command in
            if case .expireLease = command { true } else { false }
        }
    }

    @Test func `end when more than their time has passed, once`() {
        group.advance(.milliseconds(10_099))
        #expect(isThere && expiryCount == 0)
        group.advance(.milliseconds(1))
        #expect(!isThere && expiryCount == 1)
        group.advance(.seconds(30))
        #expect(expiryCount == 1)
    }

    @Test func `have their whole time again when they are renewed`() {
        group.live(.seconds(9))
        ask(.renew(token: token), number: 2)
        group.live(.seconds(10))
        #expect(isThere)
        group.advance(.milliseconds(100))
        #expect(!isThere && expiryCount == 1)
    }

    @Test func `end earlier when they are transferred for a shorter time`() {
        ask(.transfer(token: token, holder: "weekly", ttl: .seconds(5)), number: 2)
        group.advance(.milliseconds(5_049))
        #expect(isThere)
        group.advance(.milliseconds(1))
        #expect(!isThere)
    }

    @Test func `are ended by the next rank when the first does not`() {
        group[0].isServing = false
        group.advance(.milliseconds(11_099))
        #expect(isThere)
        group.advance(.milliseconds(1))
        #expect(!isThere)
    }

    @Test func `have no more time in a new view`() {
        group.advance(.seconds(9))
        group.install(members(1, 2))
        group.advance(.milliseconds(1_099))
        #expect(isThere)
        group.advance(.milliseconds(1))
        #expect(!isThere)
    }

    @Test func `end in the next view when their end was lost with one`() {
        group.isHeld = true
        group.live(.milliseconds(10_100))
        #expect(group.proposed.count == 1)
        group.install(members(0, 1, 2))
        #expect(isThere)
        group.isHeld = false
        group.order()
        #expect(isThere, "a renewal that waits for the view comes first")
        group.live(.seconds(1))
        #expect(!isThere && expiryCount == 1)
    }

    @Test func `have their whole time at whoever learns of them`() {
        group.install(members(0, 1))
        ask(.release(token: token), number: 2)
        ask(.grant(ttl: .seconds(10), holder: "nightly"), number: 3)
        group.advance(.seconds(9))
        group.install(members(2, 0, 1))
        for daemon in 0..<2 { group[daemon].isServing = false }
        group.advance(.milliseconds(10_099))
        #expect(isThere)
        group.advance(.milliseconds(1))
        #expect(!isThere)
    }

    @Test(arguments: [
        (Interval.seconds(2), "3 x the setting timing.suspicion"),
        (.seconds(61), "maxSessionTtl"),
    ])
    func `are as short or long as a session may be`(ttl: Interval, words: String) throws {
        _ = try group[0].received(client)
        for action: LeaseOperation.Action in [
            .grant(ttl: ttl, holder: "h"), .transfer(token: token, holder: "h", ttl: ttl),
        ] {
            ask(action, number: 2)
            let refusals = try group[0].received(client).refusals
            #expect(refusals.map(\.code) == [.invalid])
            #expect(refusals.first?.message.contains(words) == true, "\(refusals)")
        }
    }

    @Test func `are shown with what is left of them`() throws {
        group.advance(.seconds(4))
        _ = try group[0].received(client)
        for subject: ObjectQuery.Subject in [.lease(name), .leases(prefix: "back", after: nil)] {
            let query = ObjectQuery(subject)
            group[0].send(query.type, number: 7, client) { query.encode(into: &$0) }
            group[0].flush()
            group.order()
            group[0].step(.tick)
            let frame = try #require(try group[0].received(client).first)
            var reader = ByteReader(frame.body)
            let page = try LeasePage(from: &reader)
            #expect(page.leases.map(\.grant.holder) == ["nightly"])
            #expect(page.leases.first?.remaining == .milliseconds(6_100))
        }
    }
}
