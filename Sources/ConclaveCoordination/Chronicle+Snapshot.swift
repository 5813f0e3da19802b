import ConclaveBase
import ConclaveWire

/// What is kept of what happened, at one version.
struct FrozenChronicle: Sendable {
    let objects: Arena<Chronicle.Object>
    let rows: Arena<Chronicle.Row>
    let floor: Moment
    let nextOrdinal: UInt64
}

extension Chronicle {
    var frozen: FrozenChronicle {
        FrozenChronicle(
            objects: objects.frozen, rows: rows.frozen, floor: floor, nextOrdinal: nextOrdinal)
    }

    mutating func takeFloor(_ reader: inout ByteReader, now: Moment) throws(WireError) {
        let floor = try Moment(from: &reader, now: now)
        restore(floor: floor, nextOrdinal: try reader.counter("next ordinal"))
    }

    /// Takes an object with what happened to it, or more of that.
    mutating func take(_ reader: inout ByteReader, now: Moment) throws(WireError) {
        let key = Key(kind: try reader.choice("kind"), name: try reader.name("name"))
        let known = index(of: key)
        try reader.offset(known.map { objects[$0].count } ?? 0)
        let floor = try known == nil ? Moment(from: &reader, now: now) : floor(of: key)
        let count = try reader.count("entries")
        guard count > 0 else {
            throw .invalid(field: "entries", reason: "nothing happened to \(key.name)")
        }
        for _ in 0..<count {
            let entry = try HistoryEntry(from: &reader)
            guard entry.kind == key.kind, entry.ordinal < nextOrdinal,
                last(of: key)?.ordinal ?? 0 <= entry.ordinal,
                floor.version <= entry.version, floor.time <= entry.time,
                entry.version <= now.version, entry.time <= now.time
            else {
                throw .invalid(
                    field: "history", reason: "entry \(entry.ordinal) is not one of \(key.name)")
            }
            restore(entry, of: key)
        }
        restore(floor: floor, of: key)
    }
}

extension FrozenChronicle {
    /// An object with what happened to it, from the entry at `row` on, of which there were `told`
    /// before. `nil`: from the first one on.
    func encode(
        _ index: Int, from row: Int?, told: Int, limit: Int, into writer: inout ByteWriter
    ) -> (count: Int, next: Int?) {
        let object = objects[index]
        writer.integer(object.key.kind.rawValue)
        writer.name(object.key.name)
        writer.integer(UInt32(told))
        if told == 0 { object.floor.encode(into: &writer) }
        return writer.entries(from: row ?? object.first.index, limit: limit) { row, writer in
            rows[row].entry.encode(into: &writer)
            return rows[row].next.index
        }
    }
}

extension Moment {
    /// Not later than the state in which it stands.
    init(from reader: inout ByteReader, now: Moment) throws(WireError) {
        self.init(version: try reader.version("floor"), time: try reader.timestamp("floor time"))
        guard version <= now.version, time <= now.time else {
            throw .invalid(field: "floor", reason: "is later than the state")
        }
    }

    func encode(into writer: inout ByteWriter) {
        writer.integer(version.number)
        writer.integer(time.microseconds)
    }
}
