public import ConclaveBase

/// How the configuration differs from a backup of it.
public struct ConfigurationDifference: Hashable, Sendable {
    public struct Changed: Hashable, Sendable {
        /// As the backup has it.
        public let entry: ConfigurationBackup.Entry
        /// When the group's was put last.
        public let version: Version
    }

    public struct Other: Hashable, Sendable {
        public let key: String
        public let version: Version
    }

    struct Step {
        var change: ConfigurationOperation
        var compare: ConfigurationCompare
        var byteCount: Int
    }

    /// In the backup, and not in the group.
    public private(set) var missing: [ConfigurationBackup.Entry] = []
    /// In both, with different values, or ephemeral in the group.
    public private(set) var changed: [Changed] = []
    /// In the group, and not in the backup; without ephemeral ones.
    public private(set) var others: [Other] = []
    /// How many are the same in both.
    public private(set) var sameCount = 0
    /// Of the group's keys.
    public let version: Version

    init(_ backup: ConfigurationBackup, present: ConfigurationListing) {
        version = present.version
        // By bytes, as the group does it: keys that only look alike are different ones.
        var left: [[UInt8]: ConfigurationEntry] = [:]
        for entry in present.entries { left[Array(entry.key.utf8)] = entry }
        for entry in backup.entries {
            if let found = left.removeValue(forKey: Array(entry.key.utf8)) {
                if found.value == entry.value, found.stamp.session == nil {
                    sameCount += 1
                } else {
                    changed.append(Changed(entry: entry, version: found.version))
                }
            } else {
                missing.append(entry)
            }
        }
        others = present.entries
            .filter { left[Array($0.key.utf8)] != nil && $0.stamp.session == nil }
            .map { Other(key: $0.key, version: $0.version) }
    }

    /// Transactions, none larger than the smallest slot that a group may have, unless it is for one key.
    func parts(overwriting: Bool, deletingOthers: Bool) -> [[Step]] {
        var parts: [[Step]] = []
        var byteCount = Self.partByteCount
        for step in steps(overwriting, deletingOthers) {
            byteCount += step.byteCount
            if byteCount > Self.partByteCount {
                parts.append([])
                byteCount = step.byteCount
            }
            parts[parts.count - 1].append(step)
        }
        return parts
    }

    private static let partByteCount = 800
    /// Of one key, beside its value and twice its name.
    private static let stepByteCount = 32

    private func steps(_ overwriting: Bool, _ deletingOthers: Bool) -> [Step] {
        var steps = missing.map { Self.put($0, if: .absent) }
        if overwriting { steps += changed.map { Self.put($0.entry, if: .version($0.version)) } }
        if deletingOthers { steps += others.map(Self.delete) }
        return steps
    }

    private static func delete(_ other: Other) -> Step {
        Step(
            change: .delete(other.key),
            compare: ConfigurationCompare(other.key, is: .version(other.version)),
            byteCount: 2 * other.key.utf8.count + stepByteCount)
    }

    private static func put(
        _ entry: ConfigurationBackup.Entry, if expectation: ConfigurationCompare.Expectation
    ) -> Step {
        Step(
            change: .put(entry.key, entry.value),
            compare: ConfigurationCompare(entry.key, is: expectation),
            byteCount: entry.value.count + 2 * entry.key.utf8.count + stepByteCount)
    }
}
