import Conclave
import ConclaveBase
import ConclaveWire
import Testing

@Suite struct `What a program is told of what happened` {
    private static func entry(_ ordinal: UInt64) -> HistoryEntry {
        let holder = HistoryHolder(
            process: HistoryHolder.Process(session: SessionID(5), host: NodeID(1), pid: 9),
            uid: 0, label: "job")
        let holding = HistoryHolding(
            holder: holder, token: FencingToken(ordinal + 10), since: Timestamp(microseconds: 4),
            mode: .permits(2, of: 3))
        return HistoryEntry(
            ordinal: ordinal, version: Version(ordinal + 10), time: Timestamp(microseconds: 5),
            epoch: Epoch(2), kind: .lock,
            event: ordinal % 2 == 0 ? .granted(holding) : .ended(holding, .hostLost))
    }

    /// Ten entries, as many at a time as are asked for, but three at most.
    private static func answer(_ query: HistoryQuery) -> HistoryReport {
        let first = min(query.before ?? 10, 10)
        let count = min(3, UInt64(query.limit), first)
        let entries = (0..<count).map { entry(first - 1 - $0) }
        return HistoryReport(
            version: Version(30), floor: Version(3), floorTime: Timestamp(microseconds: 2),
            states: [HistoryState(kind: .lock, holdings: [], holderCount: 0)], entries: entries,
            next: first > count ? entries.last?.ordinal : nil)
    }

    private func query(_ request: ScriptedDaemon.Request) -> HistoryQuery? {
        var reader = ByteReader(request.body)
        guard case .history(let query)? = (try? ObjectQuery(.history, from: &reader))?.subject
        else { return nil }
        return query
    }

    private func connected() async throws -> (ScriptedDaemon, Conclave) {
        let daemon = ScriptedDaemon { [self] request in
            guard let query = query(request) else { return [] }
            var writer = ByteWriter()
            Self.answer(query).encode(into: &writer)
            return [.report(writer.bytes)]
        }
        return (daemon, try await Conclave.connect(socket: daemon.path))
    }

    @Test func `comes whole and in order, page by page`() async throws {
        let (daemon, conclave) = try await connected()
        defer { daemon.stop() }
        let history = try await conclave.history(of: "builds", kind: .lock)
        #expect(history.events.map(\.version.number) == Array(10...19))
        #expect(!history.hasOlder && history.floor == Version(3))
        let ended = try #require(history.events.last)
        #expect(ended.what == .ended && ended.reason == .hostLost && ended.kind == .lock)
        #expect(ended.epoch == Epoch(2) && ended.holding?.holder.label == "job")
        #expect(ended.holding?.mode == .permits(2, of: 3) && ended.holding?.holder.pid == 9)
        #expect(
            daemon.requests(.history).compactMap(query).map(\.kind)
                == Array(repeating: .lock, count: 4))
    }

    @Test func `is no more than was asked for`() async throws {
        let (daemon, conclave) = try await connected()
        defer { daemon.stop() }
        let history = try await conclave.history(
            of: "builds", at: .version(Version(20)), limit: 4)
        #expect(history.events.map(\.version.number) == [16, 17, 18, 19] && history.hasOlder)
        let queries = daemon.requests(.history).compactMap(query)
        #expect(queries.map(\.moment) == [.version(Version(20)), .version(Version(20))])
        #expect(queries.map(\.limit) == [4, 1])
    }
}
