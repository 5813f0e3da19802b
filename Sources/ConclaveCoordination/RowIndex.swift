import ConclaveBase

/// A row that is found by what it has: its name, or what it is and its name.
protocol KeyedRow: Sendable {
    associatedtype RowKey: Hashable

    func has(_ key: RowKey) -> Bool
}

protocol NamedRow: KeyedRow where RowKey == ObjectName {
    var name: ObjectName { get }
}

extension NamedRow {
    func has(_ key: ObjectName) -> Bool { name == key }
}

/// Finds the rows of an arena by their keys, which stay in the rows: of each row it keeps its place and
/// half of its key's hash.
///
/// Open addressing with linear probing; what is removed leaves nothing behind. It grows without asking any
/// key for its hash again, since the whole group waits: a million rows take some milliseconds.
struct RowIndex: Sendable {
    /// Nothing, or the hash above the place and one.
    private var slots: [UInt64] = []

    /// The place of the row of `rows` that has `key`; nil: none was inserted.
    func find<Row: KeyedRow>(_ key: Row.RowKey, in rows: Arena<Row>) -> Int? {
        guard !slots.isEmpty else { return nil }
        let hash = Self.hash(key)
        var slot = home(of: hash)
        while let entry = entry(at: slot) {
            if entry.hash == hash, rows[entry.place].has(key) { return entry.place }
            slot = next(slot)
        }
        return nil
    }

    /// - Precondition: All other rows of `rows` were inserted, none of which has `key`.
    mutating func insert<Row: KeyedRow>(_ key: Row.RowKey, at place: Int, of rows: Arena<Row>) {
        precondition(place < UInt32.max)
        while rows.count * 4 > slots.count * 3 { grow() }
        put(UInt64(Self.hash(key)) << 32 | UInt64(place + 1))
    }

    /// - Precondition: The row at `place` was inserted, with `key`.
    mutating func remove(_ key: some Hashable, at place: Int) {
        var hole = home(of: Self.hash(key))
        while let entry = entry(at: hole), entry.place != place { hole = next(hole) }
        precondition(slots[hole] != 0, "the row at place \(place) was not inserted")
        // What is behind it moves up, unless it would come before where it is looked for first.
        var slot = next(hole)
        while let entry = entry(at: slot) {
            if distance(from: home(of: entry.hash), to: slot) >= distance(from: hole, to: slot) {
                slots[hole] = slots[slot]
                hole = slot
            }
            slot = next(slot)
        }
        slots[hole] = 0
    }

    private mutating func put(_ entry: UInt64) {
        var slot = home(of: UInt32(entry >> 32))
        while slots[slot] != 0 { slot = next(slot) }
        slots[slot] = entry
    }

    private mutating func grow() {
        let before = slots
        slots = Array(repeating: 0, count: max(8, before.count * 2))
        for entry in before where entry != 0 { put(entry) }
    }

    private func entry(at slot: Int) -> (hash: UInt32, place: Int)? {
        let entry = slots[slot]
        guard entry != 0 else { return nil }
        return (UInt32(entry >> 32), Int(UInt32(truncatingIfNeeded: entry)) - 1)
    }

    private func home(of hash: UInt32) -> Int { Int(hash) & (slots.count - 1) }

    private func next(_ slot: Int) -> Int { (slot + 1) & (slots.count - 1) }

    private func distance(from slot: Int, to other: Int) -> Int {
        (other - slot) & (slots.count - 1)
    }

    /// Seeded for each process, as that of dictionaries: nobody outside can choose keys that collide.
    private static func hash(_ key: some Hashable) -> UInt32 {
        UInt32(truncatingIfNeeded: key.hashValue)
    }
}
