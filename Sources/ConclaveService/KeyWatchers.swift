import ConclaveBase
import ConclaveCoordination
import ConclaveWire

/// Who watches keys, and how far each is.
///
/// A watcher has a place in the history and nothing else: what it is to be told is read from there
/// when its connection takes it. So one that does not read costs nobody anything, and begins anew
/// when the history has gone past its place. A change costs what looking for its watchers takes, and
/// that is shared out over turns: only those are found who had been told everything.
struct KeyWatchers {
    enum Place: Equatable {
        /// The state at `version` is being told; up to the name it was.
        case state(Version, after: ObjectName?, isResync: Bool)
        case changes(KeyCursor)
    }

    struct Watcher {
        let selector: KeySelector
        var place: Place
        let uid: UInt32
        let serial: UInt64
        /// The first piece of news is the reply to the request.
        var isAnswered = false
        /// There may be something to tell.
        var isBehind = true
    }

    typealias ID = Subscriptions.Subscriber

    /// Changes that are not looked at yet are kept up to here; with more everybody looks anew.
    private static let maximumChanges = 1 << 16

    private var watchers: [ID: Watcher] = [:]
    private var numbers: [ConnectionID: Set<UInt64>] = [:]
    private var counts: [UInt32: Int] = [:]
    private var lastSerial: UInt64 = 0
    private var idle = IdleWatchers()
    /// Whose watchers are still to be found: from `looked` on, in order.
    private var changes: [(key: ObjectName, version: Version)] = []
    private var looked = 0
    /// Those that may have something to be told.
    var line = TurnLine()

    func count(of connection: ConnectionID) -> Int { numbers[connection]?.count ?? 0 }

    func count(ofUID uid: UInt32) -> Int { counts[uid] ?? 0 }

    subscript(id: ID) -> Watcher? { watchers[id] }

    /// Nobody is to be told anything.
    var isStill: Bool { line.isEmpty && looked == changes.count }

    /// `nil`: whoever had this place in the line is gone.
    func watcher(at place: TurnLine.Place) -> Watcher? {
        watchers[place.id].flatMap { $0.serial == place.serial ? $0 : nil }
    }

    mutating func add(_ id: ID, _ selector: KeySelector, at place: Place, uid: UInt32) {
        remove(id)
        lastSerial += 1
        watchers[id] = Watcher(selector: selector, place: place, uid: uid, serial: lastSerial)
        numbers[id.connection, default: []].insert(id.number)
        counts[uid, default: 0] += 1
        line.append(TurnLine.Place(id: id, serial: lastSerial))
    }

    mutating func remove(_ id: ID) {
        guard let watcher = watchers.removeValue(forKey: id) else { return }
        numbers[id.connection]?.remove(id.number)
        if numbers[id.connection]?.isEmpty == true { numbers[id.connection] = nil }
        let count = counts[watcher.uid] ?? 0
        counts[watcher.uid] = count > 1 ? count - 1 : nil
        if watcher.isBehind { line.leave(id) } else { idle.remove(id, watcher.selector) }
    }

    mutating func removeAll(of connection: ConnectionID) {
        line.closed(connection)
        for number in (numbers[connection] ?? []).sorted() {
            remove(ID(connection: connection, number: number))
        }
    }

    /// The watcher has been told what could be told, and is at `place` now.
    mutating func moved(_ id: ID, to place: Place, isBehind: Bool) {
        guard let watcher = watchers[id] else { return }
        watchers[id]?.place = place
        watchers[id]?.isAnswered = true
        watchers[id]?.isBehind = isBehind
        guard watcher.isBehind != isBehind else { return }
        if isBehind {
            idle.remove(id, watcher.selector)
        } else {
            idle.insert(id, watcher.selector)
        }
    }

    // MARK: - Changes

    /// `keys` were changed at `version`: their watchers are found by `findWatchers`.
    mutating func noteChange(of keys: [ObjectName], at version: Version) {
        guard !idle.isEmpty else { return }
        changes += keys.lazy.map { (key: $0, version: version) }
        guard changes.count - looked > Self.maximumChanges else { return }
        let oldest = changes[looked].version
        forgetChanges()
        for id in watchers.keys.sorted() { wake(id, at: oldest) }
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
        guard let watcher = watchers[id], !watcher.isBehind,
            case .changes(let cursor) = watcher.place, cursor.version < version
        else { return }
        watchers[id]?.place = .changes(KeyCursor(after: Version(version.number &- 1)))
        setBehind(id, watcher)
    }

    /// What had led to the state was not told: all look anew.
    mutating func noteEverything() {
        forgetChanges()
        for id in watchers.keys.sorted() {
            if let watcher = watchers[id], !watcher.isBehind { setBehind(id, watcher) }
        }
    }

    private mutating func setBehind(_ id: ID, _ watcher: Watcher) {
        watchers[id]?.isBehind = true
        idle.remove(id, watcher.selector)
        line.append(TurnLine.Place(id: id, serial: watcher.serial))
    }
}

extension Subscriptions.Subscriber: Comparable {
    static func < (lhs: Self, rhs: Self) -> Bool {
        (lhs.connection, lhs.number) < (rhs.connection, rhs.number)
    }
}
