import Conclave
import ConclaveBase
import ConclaveWire
import Synchronization
import TestSupport
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

    /// Of a lock that is used all the time: before each further page three entries come to be, and the
    /// three oldest are forgotten.
    private final class BusyLock: Sendable {
        let pageCount = Atomic<UInt64>(0)

        func answer(_ query: HistoryQuery) -> HistoryReport {
            let page = pageCount.add(1, ordering: .relaxed).oldValue
            let (oldest, end) = (3 * page, 10 + 3 * page)
            let first = min(query.before ?? end, end)
            let count = min(3, max(first, oldest) - oldest)
            let entries = (0..<count).map { entry(first - 1 - $0) }
            return HistoryReport(
                version: Version(end + 10), floor: Version(oldest + 9),
                floorTime: Timestamp(microseconds: oldest), states: [], entries: entries,
                next: first - count > oldest ? entries.last?.ordinal : nil)
        }
    }

    private func query(_ request: ScriptedDaemon.Request) -> HistoryQuery? {
        var reader = ByteReader(request.body)
        guard case .history(let query)? = (try? ObjectQuery(.history, from: &reader))?.subject
        else { return nil }
        return query
    }

    private func connected(
        _ answer: @escaping @Sendable (HistoryQuery) -> HistoryReport = answer
    ) async throws -> (ScriptedDaemon, Conclave) {
        let daemon = ScriptedDaemon { [self] request in
            guard let query = query(request) else { return [] }
            var writer = ByteWriter()
            answer(query).encode(into: &writer)
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

    @Test func `is not called whole where something was forgotten between two pages`()
        async throws
    {
        let lock = BusyLock()
        let (daemon, conclave) = try await connected(lock.answer)
        defer { daemon.stop() }
        let history = try await conclave.history(of: "builds", kind: .lock)
        #expect(lock.pageCount.load(ordering: .relaxed) > 1)
        // Of version 20 the copy was that answered first.
        #expect(history.version == Version(20))
        let whole = (history.floor.number + 1)..<20
        #expect(!whole.isEmpty)
        let told = history.events.map(\.version.number)
        #expect(told.filter(whole.contains) == Array(whole), "\(history.floor): \(told)")
        #expect(history.floorTime == Timestamp(microseconds: history.floor.number - 9))
    }

    /// The state was lost meanwhile: ordinals begin anew.
    @Test func `is not continued by what happened after the first page`() async throws {
        let (daemon, conclave) = try await connected { query in
            guard query.before != nil else { return Self.answer(query) }
            return HistoryReport(
                version: Version(60), floor: Version(50), floorTime: Timestamp(microseconds: 9),
                states: [],
                entries: [
                    HistoryEntry(
                        ordinal: 0, version: Version(55), time: Timestamp(microseconds: 9),
                        epoch: Epoch(3), kind: .barrier,
                        event: .tripped(
                            HistoryGeneration(number: 1, parties: 1, arrivedCount: 1)))
                ])
        }
        defer { daemon.stop() }
        let history = try await conclave.history(of: "builds")
        #expect(history.events.map(\.version.number) == [17, 18, 19])
        #expect(history.floor == Version(50) && !history.hasOlder)
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
