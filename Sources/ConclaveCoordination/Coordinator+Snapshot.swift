import ConclaveBase
package import ConclaveWire

/// The state as bytes. Everything is in an order of its own, by id, by name or as queued, so that
/// equal states have equal bytes, whatever indexes their rows got on the way.
extension Coordinator {
    private static let format: UInt16 = 1

    package func encodeSnapshot() -> [UInt8] {
        var writer = ByteWriter(reserving: 256 * (objectCount + sessionCount + 1))
        writer.integer(Self.format)
        writer.integer(version.number)
        writer.integer(time.microseconds)
        writer.view(view)
        writer.flag(grantsAreSuspended)
        let sessions = sessions.sorted
        writer.list(sessions) { self.sessions[$0].encode(into: &$1) }
        locks.encode(into: &writer, sessions: self.sessions)
        slots.encode(into: &writer, sessions: self.sessions)
        barriers.encode(into: &writer)
        for session in sessions {
            self.sessions[session].replies.encode(into: &writer, barriers: barriers)
        }
        ended.encode(into: &writer)
        return writer.bytes
    }

    package init(snapshot: [UInt8]) throws(WireError) {
        try self.init(snapshot: snapshot, quotas: Quotas())
    }

    /// - Parameter quotas: The same on all members.
    package init(snapshot: [UInt8], quotas: Quotas) throws(WireError) {
        self.init(quotas: quotas)
        var reader = ByteReader(snapshot)
        let format: UInt16 = try reader.integer("snapshot format")
        guard format == Self.format else {
            throw .unknown(field: "snapshot format", value: UInt64(format))
        }
        version = try reader.version("version")
        time = try reader.timestamp("time")
        view = try reader.view("view")
        grantsAreSuspended = try reader.flag("grants are suspended")
        try decodeTables(from: &reader)
        ended = try EndedSessions(from: &reader)
        try reader.finish()
    }

    /// The state of a snapshot under this machine's quotas, which are no part of it.
    package func restored(from snapshot: [UInt8]) throws(WireError) -> Coordinator {
        var machine = try Coordinator(snapshot: snapshot, quotas: quotas)
        machine.plant = plant
        machine.witness = witness
        if plant == .snapshotGrants { machine.grantsAreSuspended = false }
        return machine
    }

    private mutating func decodeTables(from reader: inout ByteReader) throws(WireError) {
        sessions = try SessionTable(from: &reader)
        var waiting = WaitingRequests(sessionCount: sessions.count)
        locks = try ClaimTable.decode(from: &reader, sessions: sessions)
        waiting.add(locks) { .lock(claim: $0) }
        slots = try ClaimTable.decode(from: &reader, sessions: sessions)
        waiting.add(slots) { .slot(claim: $0) }
        barriers = try BarrierTable(from: &reader, sessions: sessions)
        waiting.add(barriers)
        for session in sessions.sorted {
            sessions[session].replies = try Replies(
                from: &reader, waiting: waiting.entries[session], barriers: &barriers)
        }
        barriers.releaseByDeciders()
    }

    /// Equal on all members at equal versions (FNV-1a over the snapshot).
    package var digest: UInt64 {
        var digest: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in encodeSnapshot() {
            digest = (digest ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
        }
        return digest
    }
}

/// Requests that wait somewhere, by session: a snapshot holds them once, in the queue they are in.
struct WaitingRequests {
    private(set) var entries: [[Replies.Entry]]

    init(sessionCount: Int) {
        entries = Array(repeating: [], count: sessionCount)
    }

    mutating func add(_ table: ClaimTable, place: (Int) -> WaitingPlace) {
        for object in table.sorted {
            for claim in table.waiters(of: object) {
                add(table.claims[claim].request, in: place(claim))
            }
        }
    }

    mutating func add(_ table: BarrierTable) {
        for barrier in table.sorted {
            for arrival in table[barrier].arrivals {
                add(arrival.request, in: .barrier(barrier))
            }
        }
    }

    private mutating func add(_ request: RequestReference, in place: WaitingPlace) {
        entries[request.session].append(
            Replies.Entry(number: request.number, state: .waiting(place)))
    }
}

extension ByteReader {
    /// A number that the state machine goes on counting from.
    mutating func counter(_ field: String) throws(WireError) -> UInt64 {
        let value: UInt64 = try integer(field)
        let maximum = UInt64.max - (1 << 40)
        guard value <= maximum else {
            throw .outOfRange(field: field, value: value, maximum: maximum)
        }
        return value
    }

    /// How many things follow; only the bytes that are there bound it.
    mutating func count(_ field: String) throws(WireError) -> Int {
        try count(field, maximum: Int(UInt32.max))
    }

    /// The index of a session that the snapshot holds.
    mutating func sessionIndex(
        _ field: String, in sessions: SessionTable
    ) throws(WireError) -> Int {
        let id = try session(field)
        guard let index = sessions.index(of: id) else {
            throw .unknown(field: field, value: id.number)
        }
        return index
    }
}
