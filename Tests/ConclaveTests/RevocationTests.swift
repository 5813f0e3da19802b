import Conclave
import ConclaveBase
import ConclaveWire
import TestSupport
import Testing

@Suite struct `Revoking by a program` {
    private static let name = try! ObjectName("db")

    @Test func `what an administrator asks for is told in order, until the session is closed`()
        async throws
    {
        let daemon = ScriptedDaemon(ScriptedDaemon.grant)
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        // With its answer the connection stands, on which the daemon tells.
        try await conclave.tryLock("db")?.release()
        let notices = conclave.notices
        for heir in [SessionID(12), nil] {
            let notice = LetGoNotice(
                kind: .lock, name: Self.name, token: FencingToken(7), within: .seconds(30),
                heir: heir)
            var writer = ByteWriter()
            notice.encode(into: &writer)
            daemon.send(.letGo, .event, number: 0, writer.bytes)
        }
        var told: [Notice] = []
        for await notice in notices {
            told.append(notice)
            if told.count == 2 { await conclave.close() }
        }
        #expect(told.map(\.heir) == [SessionID(12), nil])
        #expect(told[0].kind == .lock && told[0].name == "db" && told[0].token == FencingToken(7))
        #expect(told[0].within == .seconds(30))
        var after = conclave.notices.makeAsyncIterator()
        #expect(await after.next() == nil)
    }

    @Test func `a holder is named by its session and its token`() async throws {
        let daemon = ScriptedDaemon(ScriptedDaemon.grant)
        defer { daemon.stop() }
        let conclave = try await Conclave.connect(socket: daemon.path)
        let holder = Claim(
            SessionReport(
                session: SessionID(5), host: NodeID(2), pid: 1, uid: 0, unit: "", label: "",
                token: 7, mode: .exclusive, since: .zero, remaining: nil))
        try await conclave.ask(holder, toLetGoOf: "db", .lock, within: .seconds(30))
        try await conclave.forceRelease(of: "db", .leaderSlot, by: holder)
        try await conclave.endSession(SessionID(6))
        let expected = [
            Revocation(
                SessionID(5), .holding(.lock, Self.name, FencingToken(7)),
                .notice(within: .seconds(30), heir: nil)),
            Revocation(
                SessionID(5), .holding(.leaderSlot, Self.name, FencingToken(7)), .force),
            Revocation(SessionID(6), .session, .force),
        ]
        #expect(
            daemon.requests(.revoke).map(\.operation) == expected.map { .revoke($0) })
        let error = await #expect(throws: ConclaveError.self) {
            try await conclave.forceRelease(of: "db", .barrier, by: holder)
        }
        #expect(error?.code == .invalid)
    }
}
