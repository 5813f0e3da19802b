import ConclaveBase
import ConclaveCoordination
import ConclaveWire

/// Questions about keys.
extension Service {
    /// In bytes sent.
    private static let costOfRefusal = 64

    /// Returns how many bytes the answer has.
    mutating func answer(
        _ query: KeyQuery, _ read: Reads.ID, machine: Coordinator, now: Instant,
        effects: inout [ServiceEffect]
    ) -> Int {
        let version: Version
        do throws(HistoryFault) {
            version = try machine.version(of: query.moment)
        } catch {
            refuse(
                error.refusal(of: "keys"), type: ClientFrameType.readKeys.rawValue,
                number: read.number,
                on: read.connection, effects: &effects)
            return Self.costOfRefusal
        }
        var report = Self.report(query, at: version, machine: machine)
        report.age = query.isLocal ? lastConfirmed.map { now.since($0) } : .zero
        if query.namesOnly {
            for index in report.entries.indices { report.entries[index].value = [] }
        }
        var writer = ByteWriter()
        report.encode(into: &writer)
        answer(
            .readKeys, number: read.number, to: read.connection, writer.bytes,
            effects: &effects)
        // What is not told was read as well.
        return max(writer.bytes.count, query.namesOnly ? ClientLimits.keyPage / 4 : 0)
    }

    private static func report(
        _ query: KeyQuery, at version: Version, machine: Coordinator
    ) -> KeyReport {
        switch query.selection {
        case .key(let key):
            let entry = machine.key(key, at: version)
            return KeyReport(version: version, age: nil, entries: entry.map { [$0] } ?? [])
        case .prefix(let prefix, let after, let limit):
            let count = min(Int(limit), ClientLimits.listedKeys)
            let budget = KeyBudget(count: max(1, count), byteCount: ClientLimits.keyPage)
            let page = machine.keys(prefix: prefix, after: after, at: version, budget)
            return KeyReport(
                version: version, age: nil, entries: page.entries, next: page.next)
        }
    }
}
