import Conclave
import ConclaveBase
import ConclaveSimulation
import ConclaveWire

extension Worker {
    static let keyNames = ["key/a", "key/b", "key/b/c", "other"]

    /// Changes a key or two, or reads what is there.
    mutating func configure(_ life: Life) async {
        let key = Self.keyNames[Int(random.below(UInt64(Self.keyNames.count)))]
        switch random.below(6) {
        case 0, 1: await read(key, life)
        case 2: await change([.delete(key)], [], life)
        case 3:
            let other = Self.keyNames.first { $0 != key } ?? key
            await change([put(key, life), .delete(other)], [], life)
        case 4:
            let seen = try? await life.conclave.configuration.get(key)
            let expected: ConfigurationCompare.Expectation =
                (seen ?? nil).map { .version($0.version) } ?? .absent
            await change([put(key, life)], [ConfigurationCompare(key, is: expected)], life)
        default: await change([put(key, life)], [], life)
        }
    }

    private mutating func put(_ key: String, _ life: Life) -> ConfigurationOperation {
        .put(key, life.process.bytes + random.next().bytes, ephemeral: chance(of: 4))
    }

    private func change(
        _ changes: [ConfigurationOperation], _ compares: [ConfigurationCompare], _ life: Life
    ) async {
        guard let transaction = try? KeyTransaction(changes, compares),
            let name = transaction.operations.first?.key
        else { return }
        let call = life.begin(.transact(transaction), on: name)
        do {
            let result = try await life.conclave.configuration.transaction(
                changes, if: compares, wait: .seconds(6))
            life.end(
                call,
                with: .written(
                    KeysWritten(
                        version: result.version, changedCount: UInt32(result.changedCount))))
        } catch let error as ConclaveError {
            if let conflict = error.conflict, let mismatch = try? KeyMismatch(conflict) {
                life.end(call, with: .mismatched(mismatch))
            } else {
                life.fail(call, with: error)
            }
        } catch {
            life.fail(call, with: error)
        }
    }

    private mutating func read(_ key: String, _ life: Life) async {
        let isLocal = chance(of: 3)
        let asked = HistoryClock.nanoseconds
        guard let name = try? ObjectName(key),
            let reading = try? await life.conclave.configuration.read(
                key, local: isLocal, wait: .seconds(6)),
            let entries = try? (reading.entry.map { [$0] } ?? []).map(KeyEntry.init)
        else { return }
        life.read(
            HistoryRead(
                asked: asked, query: KeyQuery(.key(name), isLocal: isLocal),
                report: KeyReport(version: reading.version, age: nil, entries: entries)))
    }
}

extension KeyTransaction {
    /// What the library sends for it.
    fileprivate init(
        _ changes: [ConfigurationOperation], _ compares: [ConfigurationCompare]
    ) throws {
        self.init(
            compares: try compares.map { try $0.wire() },
            operations: try changes.map { try $0.wire() })
    }
}

extension KeyEntry {
    init(_ entry: ConfigurationEntry) throws {
        self.init(
            name: try ObjectName(entry.key), stamp: KeyStamp(entry.stamp), time: entry.time,
            value: entry.value)
    }
}

extension KeyStamp {
    init(_ stamp: ConfigurationStamp) {
        self.init(
            created: stamp.created, modified: stamp.modified, putCount: stamp.putCount,
            session: stamp.session)
    }
}

extension KeyMismatch {
    init(_ conflict: ConfigurationConflict) throws {
        self.init(
            version: conflict.version, index: UInt32(conflict.index),
            key: try ObjectName(conflict.key), found: conflict.found.map(KeyStamp.init))
    }
}

extension KeyChange {
    init(_ change: ConfigurationChange) throws {
        let kind: Kind =
            if let entry = change.entry {
                .put(KeyStamp(entry.stamp), value: entry.value)
            } else {
                change.removal == .sessionEnded ? .sessionEnded : .deleted
            }
        self.init(
            name: try ObjectName(change.key), version: change.version, time: change.time,
            kind: kind)
    }
}
