import ConclaveBase
import ConclaveWire

extension Sample {
    private static let key = try! ObjectName("db/primary")
    private static let stamp = KeyStamp(
        created: Version(5), modified: Version(9), putCount: 3, session: SessionID(4))
    private static let entry = KeyEntry(
        name: key, stamp: stamp, time: Timestamp(microseconds: 7), value: [1, 2])
    private static let transaction = KeyTransaction(
        compares: [
            KeyCompare(key, .absent), KeyCompare(key, .present),
            KeyCompare(key, .version(Version(8))),
        ], operations: [.put(key, value: [4], isEphemeral: true), .delete(key)])
    private static let changes: [KeyChange] = [
        KeyChange(
            name: key, version: Version(9), time: .zero, kind: .put(stamp, value: [3])),
        KeyChange(name: key, version: Version(10), time: .zero, kind: .deleted),
        KeyChange(name: key, version: Version(11), time: .zero, kind: .sessionEnded),
    ]

    private static func reply(_ reply: Reply) -> Sample {
        Sample(
            "reply \(reply)", reply, decode: { try Reply(from: &$0) },
            encode: { $0.encode(into: &$1) })
    }

    private static func query(_ query: KeyQuery) -> Sample {
        Sample(
            "\(query)", query, decode: { try KeyQuery(from: &$0) },
            encode: { $0.encode(into: &$1) })
    }

    private static func news(_ news: KeyNews) -> Sample {
        Sample(
            "\(news)", news, decode: { try KeyNews(from: &$0) }, encode: { $0.encode(into: &$1) })
    }

    static let keys: [Sample] = [
        Sample(
            "transaction", transaction, decode: { try KeyTransaction(from: &$0) },
            encode: { $0.encode(into: &$1) }),
        .reply(.written(KeysWritten(version: Version(9), changedCount: 2))),
        .reply(
            .mismatched(
                KeyMismatch(version: Version(9), index: 1, key: key, found: stamp))),
        .reply(
            .mismatched(KeyMismatch(version: Version(9), index: 1, key: key, found: nil))),
        .query(KeyQuery(.key(key), at: .version(Version(3)), isLocal: true)),
        .query(
            KeyQuery(
                .prefix("db/", after: key, limit: 10), at: .time(Timestamp(microseconds: 8)),
                namesOnly: true)),
        Sample(
            "key report",
            KeyReport(version: Version(9), age: .seconds(1), entries: [entry, entry], next: key),
            decode: { try KeyReport(from: &$0) }, encode: { $0.encode(into: &$1) }),
        Sample(
            "key watch", KeyWatch(.prefix("db/"), from: Version(8)),
            decode: { try KeyWatch(from: &$0) }, encode: { $0.encode(into: &$1) }),
        Sample(
            "watch of one key", KeyWatch(.key(key)), decode: { try KeyWatch(from: &$0) },
            encode: { $0.encode(into: &$1) }),
        .news(
            .state(
                KeyStatePart(
                    version: Version(9), isFirst: true, isLast: false, isResync: true,
                    entries: [entry]))),
        .news(.changes(changes, upTo: Version(11))),
    ]
}
