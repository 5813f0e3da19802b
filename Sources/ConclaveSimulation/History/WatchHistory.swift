import ConclaveBase
import ConclaveWire

/// What one watcher was told: a whole state first, then every change once and in order; a whole
/// state again only where it is said that changes may be missing.
struct WatchHistory {
    private let key: History.WatchKey
    private let keys: KeyHistory
    private var known: [ObjectName: KeyEntry] = [:]
    /// Everything up to here was told.
    private var upTo: Version?
    private var last: (version: Version, name: ObjectName)?
    /// Of a version that is not told as a whole yet.
    private var ahead: [KeyChange] = []

    init(_ key: History.WatchKey, _ keys: KeyHistory) {
        self.key = key
        self.keys = keys
    }

    private var who: String { "watch \(key.call) of process \(key.process)" }

    mutating func take(_ told: HistoryWatch, at time: UInt64) throws(Violation) {
        if upTo == nil, let from = told.watch.from { upTo = from }
        switch told.news {
        case .state(let part): try take(part, of: told.watch.selector, at: time)
        case .changes(let changes, let reached):
            for change in changes { try take(change, of: told.watch.selector, at: time) }
            guard reached >= upTo ?? .zero else {
                throw broken("was told of everything up to \(upTo ?? .zero), then up to \(reached)")
            }
            apply(upTo: reached)
            try checkNothingIsMissing(told.watch.selector, upTo: reached, at: time)
            upTo = reached
        }
    }

    private func broken(_ message: String) -> Violation {
        Violation(.totalOrder, "\(who) \(message)")
    }

    private mutating func take(
        _ part: KeyStatePart, of selector: KeySelector, at time: UInt64
    ) throws(Violation) {
        guard upTo == nil || part.isResync else {
            throw broken("was told the state at \(part.version) without being told why")
        }
        guard part.version >= upTo ?? .zero else {
            throw broken("was told the state at \(part.version) after \(upTo ?? .zero)")
        }
        known = [:]
        for entry in part.entries {
            guard selector.matches(entry.name), known[entry.name] == nil else {
                throw broken("was told of \(entry.name), which it does not watch, or twice")
            }
            known[entry.name] = entry
        }
        ahead = []
        last = nil
        upTo = part.version
        try checkState(selector, of: keys.changedKeys(after: .zero, upTo: part.version), at: time)
    }

    private mutating func take(
        _ change: KeyChange, of selector: KeySelector, at time: UInt64
    ) throws(Violation) {
        guard selector.matches(change.name) else {
            throw broken("was told of \(change.name), which it does not watch")
        }
        guard let upTo, change.version > upTo,
            last.map({ $0 < (change.version, change.name) }) ?? true
        else { throw broken("was told of \(change.name) at \(change.version) out of order") }
        last = (change.version, change.name)
        switch change.kind {
        case .put(let stamp, let value):
            guard stamp.modified == change.version else {
                throw broken("was told at \(change.version) of \(stamp)")
            }
            try keys.checkPresent(
                change.name, stamp, value: value, at: change.version, told: time, by: who)
        case .deleted, .sessionEnded:
            try keys.checkAbsent(change.name, at: change.version, told: time, by: who)
        }
        ahead.append(change)
    }

    private mutating func apply(upTo reached: Version) {
        for change in ahead.prefix(while: { $0.version <= reached }) {
            if case .put(let stamp, let value) = change.kind {
                known[change.name] = KeyEntry(
                    name: change.name, stamp: stamp, time: change.time, value: value)
            } else {
                known[change.name] = nil
            }
        }
        ahead.removeAll { $0.version <= reached }
    }

    /// What the watcher knows by its changes is what there was.
    private func checkNothingIsMissing(
        _ selector: KeySelector, upTo reached: Version, at time: UInt64
    ) throws(Violation) {
        guard let upTo else { throw broken("was told of changes before any state") }
        let changed = keys.changedKeys(after: upTo, upTo: reached)
        for name in changed where selector.matches(name) {
            try check(name, at: reached, told: time)
        }
    }

    private func checkState(
        _ selector: KeySelector, of names: [ObjectName], at time: UInt64
    ) throws(Violation) {
        for name in Set(names).union(known.keys).sorted() where selector.matches(name) {
            try check(name, at: upTo ?? .zero, told: time)
        }
    }

    private func check(_ name: ObjectName, at version: Version, told: UInt64) throws(Violation) {
        if let entry = known[name] {
            try keys.checkPresent(
                name, entry.stamp, value: entry.value, at: version, told: told, by: who)
        } else {
            try keys.checkAbsent(name, at: version, told: told, by: who)
        }
    }
}
