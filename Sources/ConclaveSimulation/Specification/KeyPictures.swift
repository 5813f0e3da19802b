import ConclaveBase
import ConclaveWire

/// What every key was at every version, as the specification had it, and every change: nothing of
/// it is ever forgotten.
struct KeyPictures {
    private var pictures: [ObjectName: [(version: Version, value: SpecifiedKeys.Value?)]] = [:]
    /// By version, then by name.
    private(set) var changes: [SpecifiedKeys.Change] = []

    mutating func note(_ changed: [SpecifiedKeys.Change]) {
        for change in changed {
            pictures[change.name, default: []].append((change.version, change.after))
        }
        changes += changed
    }

    /// From `version` on all keys are as in `keys`, without a change that led there.
    mutating func reset(to keys: SpecifiedKeys, at version: Version) {
        for name in pictures.keys { pictures[name]!.append((version, keys.values[name])) }
    }

    func entry(_ name: ObjectName, at version: Version) -> KeyEntry? {
        guard let value = pictures[name]?.last(where: { $0.version <= version })?.value else {
            return nil
        }
        return KeyEntry(name: name, stamp: value.stamp, time: value.time, value: value.value)
    }

    /// By name.
    func entries(of selector: KeySelector, at version: Version) -> [KeyEntry] {
        pictures.keys.filter(selector.matches).sorted().compactMap { entry($0, at: version) }
    }

    /// After `version` and `name` of it, up to `last`.
    func changes(
        of selector: KeySelector, after version: Version, _ name: ObjectName?, upTo last: Version
    ) -> [KeyChange] {
        changes[firstChange(at: version)...].prefix { $0.version <= last }.filter { change in
            guard selector.matches(change.name) else { return false }
            guard change.version == version else { return true }
            return name.map { $0 < change.name } ?? false
        }.map(\.told)
    }

    /// The place of the first change at `version` or later.
    private func firstChange(at version: Version) -> Int {
        var (lower, upper) = (0, changes.count)
        while lower < upper {
            let middle = (lower + upper) / 2
            if changes[middle].version < version { lower = middle + 1 } else { upper = middle }
        }
        return lower
    }
}
