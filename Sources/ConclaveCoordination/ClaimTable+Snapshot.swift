import ConclaveBase
import ConclaveWire

extension ClaimTable {
    func encode(into writer: inout ByteWriter, sessions: SessionTable) {
        writer.list(sorted) { index, writer in
            let object = objects[index]
            writer.name(object.name)
            writer.integer(object.previousEnd.rawValue)
            writer.bytes(object.previousValue)
            writer.integer(object.nextTicket)
            for claims in [holders(of: index), waiters(of: index)] {
                writer.list(claims) { claim, writer in
                    self.claims[claim].encode(into: &writer, sessions: sessions)
                }
            }
        }
    }

    static func decode(
        from reader: inout ByteReader, sessions: SessionTable
    ) throws(WireError) -> ClaimTable {
        var table = ClaimTable()
        for _ in 0..<(try reader.count("objects")) {
            try table.decodeObject(from: &reader, sessions: sessions)
        }
        return table
    }

    private mutating func decodeObject(
        from reader: inout ByteReader, sessions: SessionTable
    ) throws(WireError) {
        let name = try reader.name("name")
        guard index(of: name) == nil else {
            throw .invalid(field: "name", reason: "\(name) comes twice")
        }
        let previousEnd: PreviousEnd = try reader.choice("previous end")
        let previousValue = try reader.bytes(
            "previous value", maximum: ClientLimits.leaderValue)
        let object = restore(
            name, previousEnd: previousEnd, previousValue: previousValue,
            nextTicket: try reader.counter("next ticket"))
        for areHeld in [true, false] {
            for _ in 0..<(try reader.count("claims")) {
                let claim = try Claim(from: &reader, object: object, sessions: sessions)
                try check(claim, isHeld: areHeld)
                _ = restore(claim)
            }
        }
        removeIfUnused(object)
    }

    /// Refuses what the table itself never makes.
    private func check(_ claim: Claim, isHeld: Bool) throws(WireError) {
        let object = objects[claim.object]
        guard claim.isHeld == isHeld else {
            throw .invalid(field: "token", reason: "of a waiter, or none of a holder")
        }
        guard self.claim(of: claim.request.session, on: claim.object) == nil else {
            throw .invalid(field: "session", reason: "has two claims on \(object.name)")
        }
        if isHeld, let holder = object.holders.first {
            guard claim.mode == .shared, claims[holder].mode == .shared else {
                throw .invalid(field: "mode", reason: "\(object.name) has two holders")
            }
        }
        let last = object.queue.last.map { claims[$0].ticket }
        guard isHeld || (claim.ticket < object.nextTicket && last.map { $0 < claim.ticket } ?? true)
        else {
            throw .outOfRange(
                field: "ticket", value: claim.ticket, maximum: object.nextTicket)
        }
    }
}

extension Claim {
    func encode(into writer: inout ByteWriter, sessions: SessionTable) {
        writer.integer(sessions[request.session].id.number)
        writer.integer(request.number)
        writer.integer(mode.rawValue)
        writer.integer(token.number)
        writer.integer(since.microseconds)
        writer.integer(ticket)
        writer.bytes(value)
    }

    init(
        from reader: inout ByteReader, object: Int, sessions: SessionTable
    ) throws(WireError) {
        let session = try reader.sessionIndex("session", in: sessions)
        let number: UInt64 = try reader.integer("number")
        let mode: LockMode = try reader.choice("mode")
        let token = try reader.token("token")
        let since = try reader.timestamp("since")
        let ticket: UInt64 = try reader.integer("ticket")
        self.init(
            request: RequestReference(session: session, number: number), object: object,
            mode: mode, since: since,
            value: try reader.bytes("value", maximum: ClientLimits.leaderValue))
        self.token = token
        self.ticket = ticket
    }
}
