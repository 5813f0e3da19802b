import ConclaveBase
import ConclaveWire

/// The keys and their history at one version.
struct FrozenKeys: Sendable {
    let rows: Arena<Key>
    let floor: Moment
}

extension KeyTable {
    var frozen: FrozenKeys { FrozenKeys(rows: rows.frozen, floor: floor) }

    mutating func takeFloor(_ reader: inout ByteReader, now: Moment) throws(WireError) {
        let floor = Moment(
            version: try reader.version("floor"), time: try reader.timestamp("floor time"))
        guard floor.version <= now.version, floor.time <= now.time else {
            throw .invalid(field: "floor", reason: "is later than the state")
        }
        restore(floor: floor)
    }

    /// Takes a key, or further revisions of it.
    mutating func take(_ reader: inout ByteReader, now: Moment) throws(WireError) {
        let name = try reader.name("key")
        let known = index(of: name)
        try reader.offset(known.map { rows[$0].revisions.count } ?? 0)
        let count = try reader.count("revisions")
        guard count > 0 else { throw .invalid(field: "revisions", reason: "\(name) has none") }
        for _ in 0..<count {
            let revision = try KeyRevision(from: &reader)
            try check(revision, of: name, now: now)
            if let index = index(of: name) {
                restore(revision, at: index)
            } else {
                restore(Key(name: name, revision))
            }
        }
    }

    /// Refuses what the table itself never makes.
    private func check(
        _ revision: KeyRevision, of name: ObjectName, now: Moment
    ) throws(WireError) {
        guard revision.version <= now.version, revision.time <= now.time else {
            throw .invalid(field: "revision", reason: "\(name) is later than the state")
        }
        guard revision.present?.created ?? .zero <= revision.version else {
            throw .invalid(field: "created", reason: "\(name) was changed before")
        }
        guard let index = index(of: name) else {
            guard revision.present != nil else {
                throw .invalid(field: "revision", reason: "\(name) begins with its absence")
            }
            return
        }
        let before = rows[index].newest
        guard before.version < revision.version, before.time <= revision.time,
            revision.version > floor.version
        else { throw .invalid(field: "revision", reason: "\(name) is out of order") }
        guard before.present != nil || revision.present != nil else {
            throw .invalid(field: "revision", reason: "\(name) is absent twice")
        }
    }
}

extension KeyRevision {
    private enum Kind: UInt8 {
        case present = 1
        case deleted = 2
        case sessionEnded = 3
    }

    func encode(into writer: inout ByteWriter) {
        writer.integer(version.number)
        writer.integer(time.microseconds)
        switch content {
        case .present(let present):
            writer.integer(Kind.present.rawValue)
            writer.integer(present.created.number)
            writer.integer(present.putCount)
            writer.optional(present.session?.number)
            writer.integer(present.uid)
            writer.bytes(present.value)
        case .deleted: writer.integer(Kind.deleted.rawValue)
        case .sessionEnded: writer.integer(Kind.sessionEnded.rawValue)
        }
    }

    init(from reader: inout ByteReader) throws(WireError) {
        version = try reader.version("version")
        time = try reader.timestamp("time")
        let kind: Kind = try reader.choice("revision")
        switch kind {
        case .present:
            let created = try reader.version("created")
            let putCount = try reader.counter("puts")
            let session: UInt64? = try reader.optional("session")
            let uid: UInt32 = try reader.integer("uid")
            content = .present(
                Present(
                    created: created, putCount: putCount, session: session.map(SessionID.init),
                    uid: uid,
                    value: try reader.bytes("value", maximum: ClientLimits.keyValue)))
        case .deleted: content = .deleted
        case .sessionEnded: content = .sessionEnded
        }
    }
}
