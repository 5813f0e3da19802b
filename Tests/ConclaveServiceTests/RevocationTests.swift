import ConclaveBase
import ConclaveCoordination
import ConclaveService
import ConclaveWire
import Testing

@Suite struct `Sessions that an administrator ends` {
    private let group = TestGroup(daemonCount: 2)
    private let client: ConnectionID
    private let session: SessionOpened
    private let administrator: ConnectionID
    private let name: ObjectName

    init() throws {
        (client, session) = try group[0].connectWithSession(pid: 1)
        name = try ObjectName("lock")
        group[0].request(try lock("lock"), number: 1, client)
        administrator = group[1].connect(pid: 9, uid: 0)
        group[1].hello(administrator)
        group[1].open(administrator)
        group.confirm()
        _ = try group[1].received(administrator)
        _ = try group[0].received(client)
    }

    private var token: FencingToken {
        group.machine.why(name).objects.first?.holders.first.map { FencingToken($0.token) }
            ?? FencingToken(0)
    }

    private func revoke(_ manner: Revocation.Manner, number: UInt64 = 1) {
        let revocation = Revocation(session.session, .holding(.lock, name, token), manner)
        group[1].request(.revoke(revocation), number: number, administrator)
    }

    @Test func `K6: the page is withdrawn before the end is ordered`() throws {
        group.isHeld = true
        revoke(.force)
        group.order(count: 1)
        #expect(group[0].page[session.slot]?.deadline == .distantPast)
        #expect(try group[0].received(client).ends == [.forced])
        #expect(group.machine.sessionState(session.session) != nil)
        group.isHeld = false
        group.order()
        group[0].flush()
        group.order()
        #expect(group.machine.sessionState(session.session) == nil)
        #expect(group.machine.why(name).objects.isEmpty)
    }

    @Test func `a daemon that learns of it with the state withdraws, too`() throws {
        group.isHeld = true
        group[0].isDeaf = true
        revoke(.force)
        group.order()
        group[0].isDeaf = false
        group.isHeld = false
        #expect(group[0].deadline(of: session.session) ?? .distantPast > group.now)
        group.replaceState(of: group[0])
        group.order()
        #expect(group[0].page[session.slot]?.deadline == .distantPast)
        #expect(group.machine.sessionState(session.session) == nil)
    }

    @Test func `a holder is told what is asked of it, and goes on`() throws {
        revoke(.notice(within: .seconds(7), heir: nil))
        let frames = try group[0].received(client)
        let frame = try #require(frames.first { $0.header.type == ClientFrameType.letGo.rawValue })
        var reader = ByteReader(frame.body)
        #expect(
            try LetGoNotice(from: &reader)
                == LetGoNotice(kind: .lock, name: name, token: token, within: .seconds(7)))
        #expect(frame.header.flags == .event)
        #expect(group[0].deadline(of: session.session) ?? .distantPast > group.now)
    }

    @Test func `nobody else may do that`() throws {
        let id = try group[1].connectWithSession(pid: 10).id
        let revocation = Revocation(session.session, .session, .force)
        group[1].request(.revoke(revocation), number: 1, id)
        #expect(try group[1].received(id).refusals.map(\.code) == [.denied])
        #expect(group.machine.sessionState(session.session)?.isForced == false)
    }
}
