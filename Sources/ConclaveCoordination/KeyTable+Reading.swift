package import ConclaveBase
import ConclaveWire
import DequeModule

/// Why something cannot be told as it was at a moment.
package enum HistoryFault: Error, Equatable, Sendable {
    /// The history that is kept begins at that version, which was applied at that time.
    case gone(floor: Version, Timestamp)
    /// The moment is still to come: the copy that is asked has come to that version and time.
    case notReached(Version, Timestamp)
}

/// How far a reader of changes has come: everything up to `version` is told, and of `version` itself,
/// if there is a name, only what comes up to that name.
package struct KeyCursor: Hashable, Sendable {
    package var version: Version
    package var name: ObjectName?

    package init(after version: Version, name: ObjectName? = nil) {
        self.version = version
        self.name = name
    }

    /// Everything up to here is told.
    package var wholeVersion: Version {
        name == nil ? version : Version(version.number &- 1)
    }
}

/// What one reading looks at and gives at most, so that none holds anything up.
package struct KeyBudget: Sendable {
    package var count: Int
    package var byteCount: Int
    /// Keys or changes that are looked at.
    package var steps: Int

    package init(count: Int, byteCount: Int, steps: Int = 4_096) {
        self.count = count
        self.byteCount = byteCount
        self.steps = steps
    }

    var isSpent: Bool { count <= 0 || byteCount <= 0 || steps <= 0 }

    mutating func spend(_ byteCount: Int) {
        count -= 1
        self.byteCount -= byteCount
    }
}

extension KeyTable {
    /// Keys with `prefix` as they were at `version`, by name, from after `after` on. `next`: the last
    /// name looked at if there may be more.
    func page(
        prefix: String, after: ObjectName?, at version: Version, _ budget: KeyBudget
    ) -> (entries: [KeyEntry], next: ObjectName?) {
        var budget = budget
        var entries: [KeyEntry] = []
        var place = names.first(from: prefix)
        if let after, after.text.utf8.lexicographicallyPrecedes(prefix.utf8) == false {
            place = names.first(after: after)
        }
        var last: ObjectName?
        while let found = place, names[found].name.text.utf8.starts(with: prefix.utf8) {
            guard !budget.isSpent else { return (entries, last) }
            budget.steps -= 1
            let entry = names[found]
            last = entry.name
            if let key = rows[entry.index].entry(at: version) {
                entries.append(key)
                budget.spend(key.byteCount)
            }
            place = names.place(after: found)
        }
        return (entries, nil)
    }

    /// Changes after `cursor` that `isMeant` wants, in order, and how far they go: to `version`, that
    /// of the state, if nothing was left out.
    func changes(
        after cursor: KeyCursor, at version: Version, _ budget: KeyBudget,
        where isMeant: (ObjectName) -> Bool
    ) -> (changes: [KeyChange], cursor: KeyCursor) {
        var budget = budget
        var changes: [KeyChange] = []
        var reached = cursor
        var place = firstLogged(after: cursor)
        while place < log.count {
            if budget.isSpent {
                // Of a version of which everything was told nothing is left.
                let isWhole = reached.name != nil && log[place].version > reached.version
                return (changes, isWhole ? KeyCursor(after: reached.version) : reached)
            }
            budget.steps -= 1
            let entry = log[place]
            let key = rows[entry.index]
            reached = KeyCursor(after: entry.version, name: key.name)
            if isMeant(key.name), let revision = key.revision(at: entry.version) {
                let change = revision.change(of: key.name)
                changes.append(change)
                budget.spend(change.byteCount)
            }
            place += 1
        }
        return (changes, KeyCursor(after: max(version, cursor.version)))
    }

    private func firstLogged(after cursor: KeyCursor) -> Int {
        firstLogged { entry in
            if entry.version != cursor.version { return entry.version > cursor.version }
            guard let name = cursor.name else { return false }
            return name < rows[entry.index].name
        }
    }

    /// The version of the newest change that is not after `time`.
    func version(at time: Timestamp) -> Version {
        let place = firstLogged { rows[$0.index].revision(at: $0.version)?.time ?? .zero > time }
        return place > 0 ? log[place - 1].version : floor.version
    }

    private func firstLogged(where isAfter: (LogEntry) -> Bool) -> Int {
        var low = 0
        var high = log.count
        while low < high {
            let middle = (low + high) / 2
            if isAfter(log[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

extension KeyEntry {
    /// About what it takes in a frame.
    fileprivate var byteCount: Int { 64 + name.text.utf8.count + value.count }
}

extension KeyChange {
    fileprivate var byteCount: Int {
        let overhead = 64 + name.text.utf8.count
        if case .put(_, let value) = kind { return overhead + value.count }
        return overhead
    }
}
