import ConclaveBase
import ConclaveWire
import DequeModule

/// The keys of the configuration as they are, and the changes that led there, as far back as the
/// history is kept.
///
/// **What the history promises.** Of every version from `floor` on it is known what each key was,
/// and every change after `floor` is in `log`, by version and then by name. What is older is
/// forgotten a version at a time. So whoever read the state at a version that is not before `floor`
/// and then every change after it has missed nothing.
struct KeyTable: Sendable {
    struct LogEntry: Sendable {
        var version: Version
        /// Of the key's row, which stays as long as the log names it.
        var index: Int
    }

    /// Bytes that a change costs beside its name and its value.
    static let changeByteCount = 64

    private(set) var rows = Arena<Key>()
    private(set) var log: Deque<LogEntry> = []
    private(set) var floor = Moment(version: .zero, time: .zero)
    /// Keys that are there.
    private(set) var count = 0
    /// Bytes of the values that they have.
    private(set) var valueByteCount = 0
    /// Bytes that only the history holds.
    private(set) var historyByteCount = 0
    private var byteCountsByUID: [UInt32: Int] = [:]
    private var countsByUID: [UInt32: Int] = [:]
    private var byName = RowIndex()
    private(set) var names = SortedNames()
    /// Keys that go with a session.
    private var ephemerals: [SessionID: Set<Int>] = [:]

    @inline(__always)
    func index(of name: ObjectName) -> Int? { byName.find(name, in: rows) }

    /// What the key is now; `nil`: absent.
    func present(_ name: ObjectName) -> KeyRevision.Present? {
        index(of: name).flatMap { rows[$0].newest.present }
    }

    func stamp(of name: ObjectName) -> KeyStamp? {
        index(of: name).flatMap { rows[$0].newest.stamp }
    }

    func valueByteCount(ofUID uid: UInt32) -> Int { byteCountsByUID[uid] ?? 0 }

    func count(ofUID uid: UInt32) -> Int { countsByUID[uid] ?? 0 }

    func ephemeralCount(of session: SessionID) -> Int { ephemerals[session]?.count ?? 0 }

    var ephemeralCount: Int { ephemerals.values.reduce(0) { $0 + $1.count } }

    /// Keys that go with `session`, by name.
    func ephemerals(of session: SessionID) -> [ObjectName] {
        (ephemerals[session] ?? []).map { rows[$0].name }.sorted()
    }

    // MARK: - Changing

    mutating func put(
        _ name: ObjectName, value: [UInt8], session: SessionID?, uid: UInt32, at moment: Moment
    ) {
        let before = present(name)
        let present = KeyRevision.Present(
            created: before?.created ?? moment.version, putCount: (before?.putCount ?? 0) &+ 1,
            session: session, uid: uid, value: value)
        record(name, .present(present), at: moment)
    }

    /// - Precondition: the key is there.
    mutating func delete(_ name: ObjectName, asSessionEnded: Bool = false, at moment: Moment) {
        record(name, asSessionEnded ? .sessionEnded : .deleted, at: moment)
    }

    private mutating func record(
        _ name: ObjectName, _ content: KeyRevision.Content, at moment: Moment
    ) {
        let revision = KeyRevision(version: moment.version, time: moment.time, content: content)
        let index: Int
        if let known = self.index(of: name) {
            uncount(known)
            if rows[known].newest.version == moment.version {
                rows[known].replaceNewest(by: revision)
                return recount(known)
            }
            index = known
            historyByteCount += rows[known].newest.valueByteCount
            rows[known].append(revision)
        } else {
            index = insert(Key(name: name, revision))
        }
        recount(index)
        log.append(LogEntry(version: moment.version, index: index))
        historyByteCount += cost(of: index)
    }

    private mutating func insert(_ key: Key) -> Int {
        let index = rows.insert(key)
        byName.insert(key.name, at: index, of: rows)
        names.insert(key.name, index: index)
        return index
    }

    /// Of an entry in the log.
    private func cost(of index: Int) -> Int {
        Self.changeByteCount + rows[index].name.text.utf8.count
    }

    private mutating func recount(_ index: Int) {
        guard let present = rows[index].newest.present else { return }
        count += 1
        valueByteCount += present.value.count
        byteCountsByUID[present.uid, default: 0] += present.value.count
        countsByUID[present.uid, default: 0] += 1
        if let session = present.session { ephemerals[session, default: []].insert(index) }
    }

    private mutating func uncount(_ index: Int) {
        guard let present = rows[index].newest.present else { return }
        count -= 1
        valueByteCount -= present.value.count
        let left = (byteCountsByUID[present.uid] ?? 0) - present.value.count
        byteCountsByUID[present.uid] = left > 0 ? left : nil
        let others = (countsByUID[present.uid] ?? 0) - 1
        countsByUID[present.uid] = others > 0 ? others : nil
        guard let session = present.session else { return }
        ephemerals[session]?.remove(index)
        if ephemerals[session]?.isEmpty == true { ephemerals[session] = nil }
    }

    // MARK: - Forgetting

    /// Forgets the oldest versions until the history is within its bounds.
    mutating func trim(maximumCount: Int, maximumByteCount: Int) {
        while let first = log.first,
            log.count > maximumCount || historyByteCount > maximumByteCount
        {
            forget(first.version)
        }
    }

    /// Forgets all history: it begins at `moment`, which is not before any change.
    mutating func forgetHistory(at moment: Moment) {
        while let first = log.first { forget(first.version) }
        floor = moment
    }

    /// Moves the floor to `version`, the oldest one in the log.
    private mutating func forget(_ version: Version) {
        while let entry = log.first, entry.version == version {
            log.removeFirst()
            historyByteCount -= cost(of: entry.index)
            historyByteCount -= rows[entry.index].forget(before: version)
            let revision = rows[entry.index].revisions[0]
            floor = Moment(version: version, time: revision.time)
            // That it is not there needs no record once there is nothing before.
            if revision.present == nil { forgetAbsence(entry.index) }
        }
    }

    private mutating func forgetAbsence(_ index: Int) {
        if rows[index].revisions.count > 1 {
            _ = rows[index].forget(before: rows[index].revisions[1].version)
        } else {
            let key = rows.remove(index)
            byName.remove(key.name, at: index)
            names.remove(key.name)
        }
    }
}

extension KeyTable {
    /// Puts back a key with its revisions as it was, from a snapshot; `restoreLog` follows when all
    /// are there.
    ///
    /// - Precondition: there is no key of that name.
    mutating func restore(_ key: Key) {
        let index = insert(key)
        recount(index)
    }

    /// Puts back a further revision.
    ///
    /// - Precondition: it is later than those there.
    mutating func restore(_ revision: KeyRevision, at index: Int) {
        uncount(index)
        historyByteCount += rows[index].newest.valueByteCount
        rows[index].append(revision)
        recount(index)
    }

    mutating func restore(floor: Moment) {
        self.floor = floor
    }

    /// All keys are there: makes the log of what was changed after the floor.
    mutating func restoreLog(sessions: SessionTable) throws(WireError) {
        if let unknown = ephemerals.keys.filter({ sessions.index(of: $0) == nil }).min() {
            throw .unknown(field: "session", value: unknown.number)
        }
        var entries: [(version: Version, name: ObjectName, index: Int)] = []
        for index in rows.indexes {
            for revision in rows[index].revisions where revision.version > floor.version {
                entries.append((revision.version, rows[index].name, index))
            }
        }
        entries.sort { ($0.version, $0.name) < ($1.version, $1.name) }
        log = Deque(entries.map { LogEntry(version: $0.version, index: $0.index) })
        for entry in entries { historyByteCount += cost(of: entry.index) }
    }
}
