import ConclaveBase
import ConclaveWire

/// What happened to named objects, as far back as it is kept.
///
/// **What it promises.** Of each object everything that happened after its `floor` is here, in
/// order. Objects of which nothing is kept share one floor. An object that is busy forgets its own
/// oldest entries first; only then all objects together forget what is oldest.
struct Chronicle: Sendable {
    struct Key: Hashable, Sendable {
        var kind: HistoryKind
        var name: ObjectName
    }

    /// An entry, among those of its object and among all.
    struct Row: Sendable {
        var entry: HistoryEntry
        fileprivate var object: RowLink
        /// Of the same object.
        fileprivate(set) var next = RowLink.none
        fileprivate var older = RowLink.none
        fileprivate var newer = RowLink.none

        fileprivate init(_ entry: consuming HistoryEntry, of object: Int?) {
            self.entry = entry
            self.object = RowLink(object)
        }
    }

    /// One of which something is kept.
    struct Object: KeyedRow {
        let key: Key
        /// Of the newest entry that was forgotten, or might have been.
        var floor: Moment
        fileprivate(set) var first: RowLink
        fileprivate var last: RowLink
        fileprivate var number: UInt32 = 1

        var count: Int { Int(number) }

        func has(_ key: Key) -> Bool { self.key == key }
    }

    /// Bytes that an entry costs beside its label, and an object beside its name.
    static let entryByteCount = 192
    static let objectByteCount = 128

    private(set) var objects = Arena<Object>()
    private(set) var rows = Arena<Row>()
    /// Of objects of which nothing is kept.
    private(set) var floor = Moment(version: .zero, time: .zero)
    private(set) var nextOrdinal: UInt64 = 0
    private(set) var byteCount = 0
    private var oldest = RowLink.none
    private var newest = RowLink.none
    private var byKey = RowIndex()

    /// Entries that are kept.
    var count: Int { rows.count }

    /// About how many rows of a snapshot they take.
    func rowCount(entriesPerRow: Int) -> Int {
        // A full row of them is as large as several others.
        objects.count + count / max(1, min(8, entriesPerRow))
    }

    @inline(__always)
    func index(of key: Key) -> Int? { byKey.find(key, in: objects) }

    func floor(of key: Key) -> Moment { index(of: key).map { objects[$0].floor } ?? floor }

    /// The oldest first.
    func entries(of key: Key) -> [HistoryEntry] {
        guard let object = index(of: key) else { return [] }
        var entries: [HistoryEntry] = []
        entries.reserveCapacity(objects[object].count)
        var next = objects[object].first
        while let index = next.index {
            entries.append(rows[index].entry)
            next = rows[index].next
        }
        return entries
    }

    /// Takes what happened at `moment`, in the view of `epoch`, and forgets what is too much then.
    mutating func note(
        _ event: ObjectEvent, of key: Key, in epoch: Epoch, at moment: Moment, _ quotas: Quotas
    ) {
        let entry = HistoryEntry(
            ordinal: nextOrdinal, version: moment.version, time: moment.time, epoch: epoch,
            kind: key.kind, event: event)
        nextOrdinal += 1
        let (object, row) = append(entry, of: key)
        link(row)
        if objects[object].count > quotas.historyCountPerObject { forgetFirst(of: object) }
        while rows.count > quotas.historyCount || byteCount > quotas.historyByteCount,
            let object = oldest.index.flatMap({ rows[$0].object.index })
        {
            forgetFirst(of: object)
        }
    }

    /// It is not known what happened before.
    mutating func forgetAll(at moment: Moment) {
        self = Chronicle()
        floor = moment
    }

    /// Behind those of its object; where it stands among all is told by `link`.
    private mutating func append(_ entry: HistoryEntry, of key: Key) -> (object: Int, row: Int) {
        byteCount += Self.cost(of: entry)
        if let object = index(of: key) {
            let row = rows.insert(Row(entry, of: object))
            if let last = objects[object].last.index { rows[last].next = RowLink(row) }
            objects[object].last = RowLink(row)
            objects[object].number += 1
            return (object, row)
        }
        // The object's place is not known before the row's, nor this before that.
        let row = rows.insert(Row(entry, of: nil))
        let object = objects.insert(
            Object(key: key, floor: floor, first: RowLink(row), last: RowLink(row)))
        rows[row].object = RowLink(object)
        byKey.insert(key, at: object, of: objects)
        byteCount += Self.cost(of: key)
        return (object, row)
    }

    private mutating func link(_ row: Int) {
        rows[row].older = newest
        setNewer(of: newest, to: RowLink(row))
        newest = RowLink(row)
    }

    /// Of none: the oldest one is what comes next.
    private mutating func setNewer(of link: RowLink, to newer: RowLink) {
        if let row = link.index { rows[row].newer = newer } else { oldest = newer }
    }

    /// Of none: the newest one is what comes before.
    private mutating func setOlder(of link: RowLink, to older: RowLink) {
        if let row = link.index { rows[row].older = older } else { newest = older }
    }

    /// The oldest entry of an object is gone, and with the last one the object.
    private mutating func forgetFirst(of object: Int) {
        guard let index = objects[object].first.index else { return }
        let row = rows.remove(index)
        byteCount -= Self.cost(of: row.entry)
        setNewer(of: row.older, to: row.newer)
        setOlder(of: row.newer, to: row.older)
        let moment = Moment(version: row.entry.version, time: row.entry.time)
        objects[object].floor = moment
        objects[object].number -= 1
        objects[object].first = row.next
        guard row.next == .none else { return }
        let key = objects.remove(object).key
        byKey.remove(key, at: object)
        byteCount -= Self.cost(of: key)
        // Whoever asks for it next must not take it for one to which nothing happened.
        if floor.version < moment.version { floor = moment }
    }

    private static func cost(of entry: HistoryEntry) -> Int {
        entryByteCount + (entry.event.holder?.label.utf8.count ?? 0)
    }

    private static func cost(of key: Key) -> Int { objectByteCount + key.name.text.utf8.count }
}

extension Chronicle {
    mutating func restore(floor: Moment, nextOrdinal: UInt64) {
        self.floor = floor
        self.nextOrdinal = nextOrdinal
    }

    /// Puts back an entry behind those of its object, from a snapshot; `restoreOrder` follows when
    /// all are there.
    mutating func restore(_ entry: HistoryEntry, of key: Key) {
        _ = append(entry, of: key)
    }

    mutating func restore(floor: Moment, of key: Key) {
        guard let object = index(of: key) else { return }
        objects[object].floor = floor
    }

    func last(of key: Key) -> HistoryEntry? {
        index(of: key).flatMap { objects[$0].last.index }.map { rows[$0].entry }
    }

    /// All entries are there: puts them in the order in which they came.
    mutating func restoreOrder() throws(WireError) {
        let order = rows.indexes.map { (ordinal: rows[$0].entry.ordinal, row: $0) }
            .sorted { $0.ordinal < $1.ordinal }
        var before: HistoryEntry?
        for (ordinal, row) in order {
            let entry = rows[row].entry
            if let before {
                guard before.ordinal < ordinal, before.version <= entry.version,
                    before.time <= entry.time
                else {
                    throw .invalid(field: "history", reason: "entry \(ordinal) is out of order")
                }
            }
            before = entry
            link(row)
        }
    }
}
