import Conclave
import ConclaveBase
import ConclaveWire
import TestSupport
import Testing

@Suite struct `A backup of the configuration` {
    private static func entry(
        _ key: String, _ value: String, version: UInt64 = 9, session: SessionID? = nil
    ) throws -> KeyEntry {
        KeyEntry(
            name: try ObjectName(key),
            stamp: KeyStamp(
                created: Version(3), modified: Version(version), putCount: 1, session: session),
            time: Timestamp(microseconds: 7), value: Array(value.utf8))
    }

    /// A daemon whose keys are `entries`, of `version`, and one that talks to it.
    private func connected(
        _ entries: [KeyEntry], version: UInt64 = 50
    ) async throws -> (ScriptedDaemon, Configuration) {
        let daemon = ScriptedDaemon { request in
            guard request.type == .readKeys else {
                guard case .transact(let transaction)? = request.operation else { return [] }
                return [
                    .reply(
                        .written(
                            KeysWritten(
                                version: Version(60),
                                changedCount: UInt32(transaction.operations.count))))
                ]
            }
            var writer = ByteWriter()
            KeyReport(version: Version(version), age: .zero, entries: entries, next: nil)
                .encode(into: &writer)
            return [.report(writer.bytes)]
        }
        return (daemon, try await Conclave.connect(socket: daemon.path).configuration)
    }

    private func backup(_ entries: [KeyEntry]) async throws -> ConfigurationBackup {
        let (daemon, configuration) = try await connected(entries)
        defer { daemon.stop() }
        return try await configuration.backup(prefix: "db/")
    }

    @Test func `has the keys that stay, and is read as it was written`() async throws {
        let made = try await backup([
            try Self.entry("db/a", "1"), try Self.entry("db/e", "up", session: SessionID(4)),
            try Self.entry("db/é", ""),
        ])
        #expect(made.entries.map(\.key) == ["db/a", "db/é"])
        #expect(made.version == Version(50))
        let bytes = made.encoded()
        #expect(try ConfigurationBackup(decoding: bytes) == made)
    }

    @Test func `that is cut short, damaged or none at all is refused`() async throws {
        let bytes = try await backup([try Self.entry("db/a", "1"), try Self.entry("db/b", "2")])
            .encoded()
        for count in 0..<bytes.count {
            #expect(throws: ConclaveError.self) {
                try ConfigurationBackup(decoding: Array(bytes[..<count]))
            }
        }
        for place in bytes.indices {
            var damaged = bytes
            damaged[place] ^= 0x10
            #expect(throws: ConclaveError.self) { try ConfigurationBackup(decoding: damaged) }
        }
        #expect(throws: ConclaveError.self) { try ConfigurationBackup(decoding: bytes + [0]) }
    }

    @Test func `puts back what is missing, and more only if it is asked to`() async throws {
        let made = try await backup([
            try Self.entry("db/a", "1"), try Self.entry("db/b", "2"), try Self.entry("db/c", "3"),
        ])
        let (daemon, configuration) = try await connected([
            try Self.entry("db/a", "1"), try Self.entry("db/b", "other", version: 12),
            try Self.entry("db/d", "4", version: 13),
            try Self.entry("db/e", "up", session: SessionID(4)),
        ])
        defer { daemon.stop() }
        let difference = try await configuration.compare(made)
        #expect(difference.missing.map(\.key) == ["db/c"])
        #expect(difference.changed.map(\.entry.key) == ["db/b"])
        #expect(difference.others.map(\.key) == ["db/d"])
        #expect(difference.sameCount == 1)
        let (b, c, d) = (try ObjectName("db/b"), try ObjectName("db/c"), try ObjectName("db/d"))
        #expect(try await configuration.restore(difference) == 1)
        let least = KeyTransaction(
            compares: [KeyCompare(c, .absent)],
            operations: [.put(c, value: Array("3".utf8), isEphemeral: false)])
        let count = try await configuration.restore(
            difference, overwriting: true, deletingOthers: true)
        #expect(count == 3)
        let transaction = KeyTransaction(
            compares: [
                KeyCompare(c, .absent), KeyCompare(b, .version(Version(12))),
                KeyCompare(d, .version(Version(13))),
            ],
            operations: [
                .put(c, value: Array("3".utf8), isEphemeral: false),
                .put(b, value: Array("2".utf8), isEphemeral: false), .delete(d),
            ])
        #expect(
            daemon.requests(.transact).map(\.operation) == [
                .transact(least), .transact(transaction),
            ])
    }

    @Test func `tells keys apart that look alike`() async throws {
        let alike = [try Self.entry("db/e\u{301}", "1"), try Self.entry("db/\u{E9}", "2")]
        let made = try await backup(alike)
        let (daemon, configuration) = try await connected(alike)
        defer { daemon.stop() }
        #expect(try await configuration.compare(made).sameCount == 2)
        let (other, less) = try await connected([alike[1]])
        defer { other.stop() }
        let difference = try await less.compare(made)
        #expect(difference.missing.map { Array($0.key.utf8) } == [Array("db/e\u{301}".utf8)])
        #expect(difference.sameCount == 1)
    }

    @Test func `comes back in steps that fit a small slot`() async throws {
        let large = String(repeating: "v", count: 500)
        let made = try await backup(
            try (10..<30).map { try Self.entry("db/\($0)", large) })
        let (daemon, configuration) = try await connected([])
        defer { daemon.stop() }
        #expect(try await configuration.restore(try await configuration.compare(made)) == 20)
        #expect(daemon.requests(.transact).count == 20)
        let small = try await backup(try (100..<200).map { try Self.entry("db/\($0)", "v") })
        #expect(try await configuration.restore(try await configuration.compare(small)) == 100)
        #expect(daemon.requests(.transact).count < 40)
        #expect(daemon.requests(.transact).allSatisfy { $0.body.count <= 900 })
    }

    @Test func `of a later version than the group's is refused (C6)`() async throws {
        let made = try await backup([try Self.entry("db/a", "1")])
        let (daemon, configuration) = try await connected([], version: 49)
        defer { daemon.stop() }
        let error = await #expect(throws: ConclaveError.self) {
            try await configuration.compare(made)
        }
        #expect(error?.code == .invalid)
        #expect(error?.message.contains("clocks") == true)
    }
}
