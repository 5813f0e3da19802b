import Conclave
import ConclaveBase
import ConclaveWire
import Testing

@Suite struct `Revoking by a program` {
    private static let name = try! ObjectName("db")

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
