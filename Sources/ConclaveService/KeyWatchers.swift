import ConclaveBase
import ConclaveCoordination
import ConclaveWire

/// Who watches keys, and how far each is.
///
/// A watcher has a place in the history and nothing else: what it is to be told is read from there
/// when its connection takes it. So one that does not read costs nobody anything, and begins anew
/// when the history has gone past its place.
struct KeyWatchers {
    enum Place: Equatable {
        /// The state at `version` is being told; up to the name it was.
        case state(Version, after: ObjectName?, isResync: Bool)
        case changes(KeyCursor)
    }

    struct Watcher {
        let selector: KeySelector
        var place: Place
        /// The first piece of news is the reply to the request.
        var isAnswered = false
        /// There may be something to tell.
        var isBehind = true
    }

    typealias ID = Subscriptions.Subscriber

    private var watchers: [ID: Watcher] = [:]
    private var numbers: [ConnectionID: Set<UInt64>] = [:]
    private var byKey: [ObjectName: Set<ID>] = [:]
    /// By the bytes of the prefix: what only looks alike is not the same.
    private var byPrefix: [[UInt8]: Set<ID>] = [:]
    /// How many prefixes there are of each length in bytes.
    private var prefixLengths: [Int: Int] = [:]
    /// Those that may have something to be told, in the order in which their turn comes.
    private(set) var behind: [ID] = []
    /// Those whose connections take nothing now.
    private var parked: [ConnectionID: [ID]] = [:]

    var isEmpty: Bool { watchers.isEmpty }

    func count(of connection: ConnectionID) -> Int { numbers[connection]?.count ?? 0 }

    subscript(id: ID) -> Watcher? { watchers[id] }

    mutating func add(_ id: ID, _ watcher: Watcher) {
        remove(id)
        watchers[id] = watcher
        numbers[id.connection, default: []].insert(id.number)
        switch watcher.selector {
        case .key(let key): byKey[key, default: []].insert(id)
        case .prefix(let prefix):
            let bytes = Array(prefix.utf8)
            if byPrefix[bytes] == nil { prefixLengths[bytes.count, default: 0] += 1 }
            byPrefix[bytes, default: []].insert(id)
        }
        behind.append(id)
    }

    mutating func remove(_ id: ID) {
        guard let watcher = watchers.removeValue(forKey: id) else { return }
        numbers[id.connection]?.remove(id.number)
        if numbers[id.connection]?.isEmpty == true { numbers[id.connection] = nil }
        if watcher.isBehind {
            behind.removeAll { $0 == id }
            parked[id.connection]?.removeAll { $0 == id }
        }
        switch watcher.selector {
        case .key(let key):
            byKey[key]?.remove(id)
            if byKey[key]?.isEmpty == true { byKey[key] = nil }
        case .prefix(let prefix):
            let bytes = Array(prefix.utf8)
            byPrefix[bytes]?.remove(id)
            guard byPrefix[bytes]?.isEmpty == true else { return }
            byPrefix[bytes] = nil
            let left = (prefixLengths[bytes.count] ?? 1) - 1
            prefixLengths[bytes.count] = left > 0 ? left : nil
        }
    }

    mutating func removeAll(of connection: ConnectionID) {
        for number in (numbers[connection] ?? []).sorted() {
            remove(ID(connection: connection, number: number))
        }
        parked[connection] = nil
    }

    /// `keys` were changed at `version`. Who had been told everything before knows all up to there.
    mutating func noteChange(of keys: [ObjectName], at version: Version) {
        guard !watchers.isEmpty else { return }
        var found: Set<ID> = []
        for key in keys {
            if let ids = byKey[key] { found.formUnion(ids) }
            let bytes = Array(key.text.utf8)
            for length in prefixLengths.keys where length <= bytes.count {
                if let ids = byPrefix[Array(bytes[..<length])] { found.formUnion(ids) }
            }
        }
        for id in found.sorted() { noteChange(for: id, at: version) }
    }

    private mutating func noteChange(for id: ID, at version: Version) {
        guard let watcher = watchers[id], !watcher.isBehind,
            case .changes(let cursor) = watcher.place, cursor.version < version
        else { return }
        watchers[id]?.place = .changes(KeyCursor(after: Version(version.number &- 1)))
        watchers[id]?.isBehind = true
        behind.append(id)
    }

    /// What had led to the state was not told: all look anew.
    mutating func noteEverything() {
        for id in watchers.keys.sorted() where watchers[id]?.isBehind == false {
            watchers[id]?.isBehind = true
            behind.append(id)
        }
    }

    /// The watcher has been told what could be told, and is at `place` now.
    mutating func moved(_ id: ID, to place: Place, isBehind: Bool) {
        watchers[id]?.place = place
        watchers[id]?.isAnswered = true
        watchers[id]?.isBehind = isBehind
    }

    /// Those that wait for their turn, which begin a new line.
    mutating func takeLine() -> [ID] {
        defer { behind = [] }
        return behind
    }

    mutating func line(_ ids: some Sequence<ID>) {
        behind += ids
    }

    /// Its connection takes nothing: it is passed over until `unpark`.
    mutating func park(_ id: ID) {
        parked[id.connection, default: []].append(id)
    }

    mutating func unpark(_ connection: ConnectionID) {
        behind += parked.removeValue(forKey: connection) ?? []
    }
}

extension Subscriptions.Subscriber: Comparable {
    static func < (lhs: Self, rhs: Self) -> Bool {
        (lhs.connection, lhs.number) < (rhs.connection, rhs.number)
    }
}
