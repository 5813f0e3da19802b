package import ConclaveBase

/// The names of a disk's files: as every process sees them, and as a power loss may bring them
/// back. Changes reach the disk in order, so what survives without a sync is a beginning of them.
package struct SimulatedDirectory {
    private enum Change {
        case add(String, file: Int)
        case rename(String, to: String)
        case remove(String)
    }

    private var current: [String: Int] = [:]
    private var synced: [String: Int] = [:]
    private var unsynced: [Change] = []
    private var syncedCount: UInt64 = 0

    package init() {}

    package var names: [String] { current.keys.sorted() }

    /// The files that there are as processes see them.
    var currentNames: [String: Int] { current }

    /// The files that are there for certain.
    var syncedNames: [String: Int] { synced }

    /// The files that any power loss could bring back, or that have a name now.
    var reachable: Set<Int> {
        var files = Set(current.values).union(synced.values)
        for case .add(_, let file) in unsynced { files.insert(file) }
        return files
    }

    /// The number of the last change: a sync that starts now covers all up to it.
    package var lastChange: UInt64 { syncedCount + UInt64(unsynced.count) }

    package subscript(name: String) -> Int? { current[name] }

    package mutating func add(_ name: String, file: Int) {
        change(.add(name, file: file))
    }

    /// - Precondition: both names are looked up before by the caller.
    package mutating func rename(_ name: String, to newName: String) {
        change(.rename(name, to: newName))
    }

    package mutating func remove(_ name: String) {
        change(.remove(name))
    }

    private mutating func change(_ change: Change) {
        Self.apply(change, to: &current)
        unsynced.append(change)
    }

    private static func apply(_ change: Change, to names: inout [String: Int]) {
        switch change {
        case .add(let name, let file): names[name] = file
        case .rename(let name, let newName): names[newName] = names.removeValue(forKey: name)
        case .remove(let name): names.removeValue(forKey: name)
        }
    }

    /// The changes up to that number are on the disk.
    package mutating func markSynced(upTo last: UInt64) {
        guard last > syncedCount else { return }
        let count = Int(min(last, lastChange) - syncedCount)
        for change in unsynced.prefix(count) { Self.apply(change, to: &synced) }
        unsynced.removeFirst(count)
        syncedCount += UInt64(count)
    }

    package mutating func losePower(_ random: inout SeededRandom) {
        markSynced(upTo: syncedCount + random.below(UInt64(unsynced.count) + 1))
        unsynced.removeAll()
        current = synced
    }
}
