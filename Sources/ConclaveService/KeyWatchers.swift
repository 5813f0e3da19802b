import ConclaveBase
import ConclaveCoordination
import ConclaveWire

/// Who watches keys, and how far each is in the history. One that the history has gone past begins
/// anew. A change costs what looking for its watchers takes, and that is shared out over turns: only
/// those are found who had been told everything.
struct KeyWatchers {
    enum Place: Equatable {
        /// The state at `version` is being told; up to the name it was.
        case state(Version, after: ObjectName?, isResync: Bool)
        case changes(KeyCursor)
    }

    typealias Table = Followers<KeySelector, Place>
    typealias ID = Table.ID

    /// Changes that are not looked at yet are kept up to here; with more everybody looks anew.
    private static let maximumChanges = 1 << 16

    private(set) var table = Table()
    private var idle = IdleWatchers()
    /// Whose watchers are still to be found: from `looked` on, in order.
    private var changes: [(key: ObjectName, version: Version)] = []
    private var looked = 0

    var line: TurnLine {
        get { table.line }
        _modify { yield &table.line }
    }

    /// Nobody is to be told anything.
    var isStill: Bool { line.isEmpty && looked == changes.count }

    mutating func add(_ id: ID, _ selector: KeySelector, at place: Place, uid: UInt32) {
        remove(id)
        table.add(id, selector, at: place, uid: uid)
    }

    mutating func remove(_ id: ID) {
        guard let watcher = table.remove(id), !watcher.isBehind else { return }
        idle.remove(id, watcher.subject)
    }

    mutating func removeAll(of connection: ConnectionID) {
        line.closed(connection)
        for id in table.ids(of: connection) { remove(id) }
    }

    mutating func nextToTell(
        _ connections: [ConnectionID: Connection], of count: inout Int
    ) -> (id: ID, follower: Table.Follower)? {
        table.nextToTell(connections, of: &count)
    }

    mutating func moved(_ id: ID, to place: Place, isBehind: Bool) {
        guard let watcher = table[id] else { return }
        table.moved(id, to: place, isBehind: isBehind)
        if !isBehind { idle.insert(id, watcher.subject) }
    }

    // MARK: - Changes

    /// `keys` were changed at `version`: their watchers are found by `findWatchers`.
    mutating func noteChange(of keys: [ObjectName], at version: Version) {
        guard !idle.isEmpty else { return }
        changes += keys.lazy.map { (key: $0, version: version) }
        guard changes.count - looked > Self.maximumChanges else { return }
        let oldest = changes[looked].version
        forgetChanges()
        for id in table.ids { wake(id, at: oldest) }
    }

    /// Finds who watches what was changed, as far as `left` goes; finding costs as if it were bytes.
    mutating func findWatchers(_ left: inout Int) {
        while looked < changes.count, left > 0 {
            let (key, version) = changes[looked]
            looked += 1
            let (found, cost) = idle.watchers(of: key)
            left -= cost
            for id in found.sorted() { wake(id, at: version) }
        }
        if looked == changes.count { forgetChanges() }
    }

    private mutating func forgetChanges() {
        changes.removeAll(keepingCapacity: changes.count < 1_024)
        looked = 0
    }

    /// Who had been told everything before `version` knows all up to there.
    private mutating func wake(_ id: ID, at version: Version) {
        guard let watcher = table[id], !watcher.isBehind,
            case .changes(let cursor) = watcher.place, cursor.version < version
        else { return }
        setBehind(id, watcher, at: .changes(KeyCursor(after: Version(version.number &- 1))))
    }

    /// What had led to the state was not told: all look anew.
    mutating func noteEverything() {
        forgetChanges()
        for id in table.ids {
            guard let watcher = table[id], !watcher.isBehind else { continue }
            setBehind(id, watcher, at: watcher.place)
        }
    }

    private mutating func setBehind(_ id: ID, _ watcher: Table.Follower, at place: Place) {
        idle.remove(id, watcher.subject)
        table.setBehind(id, at: place)
    }
}
