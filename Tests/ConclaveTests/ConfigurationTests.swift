import Conclave
import ConclaveBase
import ConclaveWire
import TestSupport
import Testing

@Suite struct `The configuration of a program` {
    private static let key = try! ObjectName("db/a")
    private static let stamp = KeyStamp(
        created: Version(3), modified: Version(9), putCount: 2, session: SessionID(4))
    private static let entry = KeyEntry(
        name: key, stamp: stamp, time: Timestamp(microseconds: 7), value: Array("v".utf8))

    private static func bytes(_ encode: (inout ByteWriter) -> Void) -> [UInt8] {
        var writer = ByteWriter()
        encode(&writer)
        return writer.bytes
    }

    private func connected(
        _ script: @escaping ScriptedDaemon.Script = ScriptedDaemon.grant
    ) async throws -> (ScriptedDaemon, Configuration) {
        let daemon = ScriptedDaemon(script)
        return (daemon, try await Conclave.connect(socket: daemon.path).configuration)
    }

    @Test func `each change is one transaction`() async throws {
        let (daemon, configuration) = try await connected()
        defer { daemon.stop() }
        try await configuration.put("db/a", "1", ephemeral: true)
        try await configuration.compareAndPut("db/a", "2", expected: .version(Version(7)))
        #expect(try await configuration.delete("db/a"))
        let result = try await configuration.transaction(
            [.put("db/a", "3"), .delete("b")],
            if: [ConfigurationCompare("b", is: .present)])
        #expect(result.changedCount == 2)
        let b = try ObjectName("b")
        let transactions = [
            KeyTransaction(
                operations: [.put(Self.key, value: Array("1".utf8), isEphemeral: true)]),
            KeyTransaction(
                compares: [KeyCompare(Self.key, .version(Version(7)))],
                operations: [.put(Self.key, value: Array("2".utf8), isEphemeral: false)]),
            KeyTransaction(operations: [.delete(Self.key)]),
            KeyTransaction(
                compares: [KeyCompare(b, .present)],
                operations: [
                    .put(Self.key, value: Array("3".utf8), isEphemeral: false), .delete(b),
                ]),
        ]
        #expect(
            daemon.requests(.transact).map(\.operation) == transactions.map(Operation.transact))
    }

    @Test func `a compare that fails says what was there`() async throws {
        let mismatch = KeyMismatch(
            version: Version(12), index: 0, key: Self.key, found: Self.stamp)
        let (daemon, configuration) = try await connected { _ in
            [.reply(.mismatched(mismatch))]
        }
        defer { daemon.stop() }
        let error = await #expect(throws: ConclaveError.self) {
            try await configuration.compareAndPut("db/a", "2", expected: .absent)
        }
        #expect(error?.code == .compareFailed)
        #expect(error?.conflict?.found?.modified == Version(9))
        #expect(error?.conflict?.key == "db/a")
    }

    @Test func `what no daemon would take is refused at once`() async throws {
        let (daemon, configuration) = try await connected()
        defer { daemon.stop() }
        for key in ["", "a\u{7}", String(repeating: "k", count: 256)] {
            let error = await #expect(throws: ConclaveError.self) {
                try await configuration.put(key, "v")
            }
            #expect(error?.code == .invalid)
        }
        let error = await #expect(throws: ConclaveError.self) {
            try await configuration.put("a", [UInt8](repeating: 1, count: 64 * 1_024 + 1))
        }
        #expect(error?.code == .invalid)
        #expect(daemon.requests(.transact).isEmpty)
    }

    @Test func `a listing goes on page by page, at the first one's version`() async throws {
        let last = KeyEntry(
            name: try ObjectName("db/b"), stamp: Self.stamp, time: .zero, value: [])
        let (daemon, configuration) = try await connected { request in
            var reader = ByteReader(request.body)
            guard case .prefix(_, let after, _)? = (try? KeyQuery(from: &reader))?.selection else {
                return []
            }
            let report = KeyReport(
                version: Version(20), age: .zero, entries: [after == nil ? Self.entry : last],
                next: after == nil ? Self.key : nil)
            return [.report(Self.bytes(report.encode))]
        }
        defer { daemon.stop() }
        let listing = try await configuration.list(prefix: "db/")
        #expect(listing.entries.map(\.key) == ["db/a", "db/b"])
        #expect(listing.entries[0].text == "v")
        #expect(listing.version == Version(20))
        var reader = ByteReader(try #require(daemon.requests(.readKeys).last).body)
        #expect(try KeyQuery(from: &reader).moment == .version(Version(20)))
    }

    @Test func `a watch tells the state, then changes, and from where it can go on`() async throws {
        let state = KeyNews.state(
            KeyStatePart(
                version: Version(9), isFirst: true, isLast: true, isResync: false,
                entries: [Self.entry]))
        let changes = KeyNews.changes(
            [
                KeyChange(name: Self.key, version: Version(10), time: .zero, kind: .deleted),
                KeyChange(
                    name: try ObjectName("db/b"), version: Version(10), time: .zero,
                    kind: .sessionEnded),
            ], upTo: Version(12))
        let (daemon, configuration) = try await connected { request in
            request.type == .watchKeys
                ? [.report(Self.bytes(state.encode)), .event(Self.bytes(changes.encode))] : []
        }
        defer { daemon.stop() }
        var updates: [ConfigurationUpdate] = []
        for try await update in configuration.watch(prefix: "db/") {
            updates.append(update)
            if updates.count == 3 { break }
        }
        #expect(updates.map(\.kind) == [.state(isResync: false), .change, .change])
        #expect(updates.map(\.version) == [Version(9), Version(9), Version(12)])
        #expect(updates[0].entries.map(\.key) == ["db/a"])
        #expect(updates[1].change?.removal == .deleted)
        #expect(updates[2].change?.removal == .sessionEnded)
        await daemon.receives(.unsubscribe)
    }

    /// Far more than is kept for whoever does not read: many, or large ones.
    @Test(arguments: zip([0, 8_192], [9_000, 2_000] as [UInt64]))
    func `a watcher that does not read stops its daemon, and misses nothing`(
        valueByteCount: Int, last: UInt64
    ) async throws {
        let value = [UInt8](repeating: 1, count: valueByteCount)
        let (daemon, configuration) = try await connected { request in
            guard request.type == .watchKeys else { return [] }
            var reader = ByteReader(request.body)
            let from = (try? KeyWatch(from: &reader))?.from?.number ?? 0
            let state = KeyNews.state(
                KeyStatePart(
                    version: Version(1), isFirst: true, isLast: true, isResync: false, entries: []))
            let changes = (max(from, 1)..<last).map { before in
                KeyNews.changes(
                    [
                        KeyChange(
                            name: Self.key, version: Version(before + 1), time: .zero,
                            kind: .put(Self.entry.stamp, value: value))
                    ], upTo: Version(before + 1))
            }
            let news = (from == 0 ? [state] : []) + changes
            return news.enumerated().map { index, news in
                index == 0 ? .report(Self.bytes(news.encode)) : .event(Self.bytes(news.encode))
            }
        }
        defer { daemon.stop() }
        var next: UInt64 = 1
        for try await update in configuration.watch(prefix: "db/") {
            if next == 1 { await daemon.receives(.unsubscribe) }
            #expect(update.version == Version(next))
            next += 1
            if next > last { break }
        }
        #expect(daemon.requests(.watchKeys).count >= 2)
    }
}
