import ConclaveBase
import ConclaveWire

extension Sample {
    private static let holder = HistoryHolder(
        process: HistoryHolder.Process(session: SessionID(5), host: NodeID(2), pid: 4_711),
        uid: 1_000, label: "job")
    private static let holding = HistoryHolding(
        holder: holder, token: FencingToken(9), since: Timestamp(microseconds: 8),
        mode: .permits(2, of: 3), place: 1)
    private static let leased = HistoryHolding(
        holder: HistoryHolder(process: nil, uid: 0, label: "nightly"), token: FencingToken(9),
        since: Timestamp(microseconds: 8))
    private static let generation = HistoryGeneration(number: 7, parties: 4, arrivedCount: 3)

    private static let events: [(HistoryKind, ObjectEvent)] = [
        (.lock, .granted(holding)), (.lease, .granted(leased)),
        (.lock, .upgraded(holding, token: FencingToken(3), since: Timestamp(microseconds: 4))),
        (.lock, .downgraded(holding)), (.leaderSlot, .ended(holding, .handedOver)),
        (.lease, .ended(leased, .transferred)), (.barrier, .tripped(generation)),
        (.barrier, .broken(generation, .timedOut, by: holder)),
        (.lock, .limited(from: 3, to: 8, by: holder)), (.lock, .closed(.seconds(15))),
        (.lock, .opened),
    ]

    private static let report = HistoryReport(
        version: Version(12), floor: Version(3), floorTime: Timestamp(microseconds: 2),
        states: [HistoryState(kind: .lock, holdings: [holding], holderCount: 300)],
        entries: events.enumerated().map { index, event in
            HistoryEntry(
                ordinal: UInt64(index), version: Version(10), time: Timestamp(microseconds: 9),
                epoch: Epoch(4), kind: event.0, event: event.1)
        }, next: 7)

    private static func query(_ query: HistoryQuery) -> Sample {
        Sample(
            "query of history \(query)", ObjectQuery(.history(query), isLocal: true),
            decode: { reader in
                guard let query = try ObjectQuery(.history, from: &reader) else {
                    throw WireError.invalid(field: "type", reason: "asks for nothing")
                }
                return query
            }, encode: { $0.encode(into: &$1) })
    }

    static let history: [Sample] = [
        Sample(
            "history report", report, decode: { try HistoryReport(from: &$0) },
            encode: { $0.encode(into: &$1) }),
        query(HistoryQuery(try! ObjectName("a"))),
        query(
            HistoryQuery(
                try! ObjectName("a"), kind: .lease, at: .version(Version(4)), before: 9,
                limit: 3)),
    ]
}
