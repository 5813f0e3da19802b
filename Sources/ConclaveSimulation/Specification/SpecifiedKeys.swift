import ConclaveBase
import ConclaveWire

/// The keys of the configuration and the changes that are kept, as plainly as they can be said.
struct SpecifiedKeys {
    struct Value: Equatable {
        var stamp: KeyStamp
        var time: Timestamp
        var uid: UInt32
        var value: [UInt8]
    }

    struct Change: Equatable {
        var version: Version
        var time: Timestamp
        var name: ObjectName
        var before: Value?
        var after: Value?
        var isSessionEnd = false

        /// What only the history holds of it.
        var byteCount: Int { 64 + name.text.utf8.count + (before?.value.count ?? 0) }

        var told: KeyChange {
            let kind: KeyChange.Kind =
                if let after {
                    .put(after.stamp, value: after.value)
                } else {
                    isSessionEnd ? .sessionEnded : .deleted
                }
            return KeyChange(name: name, version: version, time: time, kind: kind)
        }
    }

    private(set) var values: [ObjectName: Value] = [:]
    /// By version, then by name.
    private(set) var changes: [Change] = []
    /// What came before is forgotten.
    private(set) var floor = Version.zero

    var valueByteCount: Int { values.values.reduce(0) { $0 + $1.value.count } }

    func valueByteCount(ofUID uid: UInt32) -> Int {
        values.values.reduce(0) { $0 + ($1.uid == uid ? $1.value.count : 0) }
    }

    func count(ofUID uid: UInt32) -> Int { values.values.count { $0.uid == uid } }

    func ephemerals(of session: SessionID) -> [ObjectName] {
        values.filter { $0.value.stamp.session == session }.map(\.key).sorted()
    }

    func holds(_ compare: KeyCompare) -> Bool {
        let found = values[compare.key]?.stamp
        return switch compare.expectation {
        case .absent: found == nil
        case .present: found != nil
        case .version(let version): found?.modified == version
        }
    }

    mutating func set(
        _ name: ObjectName, to value: Value?, at version: Version, _ time: Timestamp,
        isSessionEnd: Bool = false
    ) {
        changes.append(
            Change(
                version: version, time: time, name: name, before: values[name], after: value,
                isSessionEnd: isSessionEnd))
        values[name] = value
    }

    mutating func trim(maximumCount: Int, maximumByteCount: Int) {
        while let first = changes.first,
            changes.count > maximumCount
                || changes.reduce(0, { $0 + $1.byteCount }) > maximumByteCount
        {
            changes.removeAll { $0.version == first.version }
            floor = first.version
        }
    }

    mutating func forgetHistory(at version: Version) {
        changes = []
        floor = version
    }
}
