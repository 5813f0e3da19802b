import ConclaveBase
import ConclaveWire

extension Sample {
    private static let name = try! ObjectName("backup/db")
    private static let grant = LeaseGrant(
        name: name, holder: "nightly", token: FencingToken(9), ttl: .seconds(60))
    private static let report = LeaseReport(
        grant: grant, uid: 1_000, since: Timestamp(microseconds: 7),
        renewed: Timestamp(microseconds: 8), remaining: .seconds(12))

    private static func lease(_ action: LeaseOperation.Action) -> Sample {
        Sample(
            "lease \(action)", LeaseOperation(name, action),
            decode: { try LeaseOperation(from: &$0) }, encode: { $0.encode(into: &$1) })
    }

    private static func reply(_ reply: Reply) -> Sample {
        Sample(
            "reply \(reply)", reply, decode: { try Reply(from: &$0) },
            encode: { $0.encode(into: &$1) })
    }

    private static func query(_ subject: ObjectQuery.Subject) -> Sample {
        Sample(
            "query \(subject)", ObjectQuery(subject, isLocal: true),
            decode: { reader in
                guard let query = try ObjectQuery(.readLeases, from: &reader) else {
                    throw WireError.invalid(field: "type", reason: "asks for nothing")
                }
                return query
            }, encode: { $0.encode(into: &$1) })
    }

    private static func revocation(
        _ target: Revocation.Target, _ manner: Revocation.Manner
    ) -> Sample {
        let revocation = Revocation(SessionID(5), target, manner)
        return Sample(
            "\(revocation)", revocation, decode: { try Revocation(from: &$0) },
            encode: { $0.encode(into: &$1) })
    }

    static let revocations: [Sample] = [
        .revocation(.session, .force),
        .revocation(.holding(.lock, name, FencingToken(9)), .force),
        .revocation(
            .holding(.leaderSlot, name, FencingToken(9)),
            .notice(within: .seconds(7), heir: SessionID(8))),
        .revocation(
            .holding(.lock, name, FencingToken(9)), .notice(within: .seconds(7), heir: nil)),
        Sample(
            "notice",
            LetGoNotice(
                kind: .lock, name: name, token: FencingToken(9), within: .seconds(7),
                heir: SessionID(8)),
            decode: { try LetGoNotice(from: &$0) }, encode: { $0.encode(into: &$1) }),
    ]

    private static let summary = SessionSummary(
        session: SessionID(5),
        owner: SessionSummary.Owner(
            host: NodeID(2), pid: 4_711, uid: 1_000, unit: "a.service", label: "job"),
        standing: .forced, ttl: .seconds(5), heldCount: 3,
        waitingCount: 1, keyCount: 2, remaining: .seconds(4))

    static let sessions: [Sample] = [
        Sample(
            "session page",
            SessionPage(version: Version(9), sessions: [summary], next: SessionID(5)),
            decode: { try SessionPage(from: &$0) }, encode: { $0.encode(into: &$1) }),
        Sample(
            "query of sessions", ObjectQuery(.sessions(after: SessionID(5))),
            decode: { reader in
                guard let query = try ObjectQuery(.sessions, from: &reader) else {
                    throw WireError.invalid(field: "type", reason: "asks for nothing")
                }
                return query
            }, encode: { $0.encode(into: &$1) }),
    ]

    static let leases: [Sample] = [
        .lease(.grant(ttl: .seconds(60), holder: "nightly")),
        .lease(.renew(token: FencingToken(9))),
        .lease(.release(token: FencingToken(9))),
        .lease(.transfer(token: FencingToken(9), holder: "weekly", ttl: nil)),
        .lease(.transfer(token: FencingToken(9), holder: "weekly", ttl: .seconds(5))),
        .reply(.leased(grant)), .reply(.leaseTaken(grant)),
        .query(.lease(name)), .query(.leases(prefix: "backup/", after: name)),
        .query(.leases(prefix: "", after: nil)),
        Sample(
            "lease page", LeasePage(version: Version(9), leases: [report, report], next: name),
            decode: { try LeasePage(from: &$0) }, encode: { $0.encode(into: &$1) }),
    ]
}
