package import ConclaveBase

/// One party's arrival at a barrier.
package struct BarrierArrival: Equatable, Sendable {
    package var name: ObjectName
    /// 0: the parties are members of `group`.
    package var parties: UInt32
    /// Given by the party, or `nil`: by order of arrival, or as the group ranks its members.
    package var rank: UInt32?
    /// The generation that is meant, or `nil`: the present one.
    package var generation: UInt64?
    package var payload: [UInt8]
    /// `nil`: the parties are counted.
    package var group: BarrierGroup?
    /// Which of the group's members arrives.
    package var member: FencingToken?

    package init(
        name: ObjectName, parties: UInt32, rank: UInt32? = nil, generation: UInt64? = nil,
        payload: [UInt8] = []
    ) {
        self.name = name
        self.parties = parties
        self.rank = rank
        self.generation = generation
        self.payload = payload
    }

    /// The parties are who belongs to `group` when it is decided.
    package init(
        name: ObjectName, group: BarrierGroup, member: FencingToken, generation: UInt64? = nil,
        payload: [UInt8] = []
    ) {
        self.init(name: name, parties: 0, generation: generation, payload: payload)
        self.group = group
        self.member = member
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        name = try reader.name("name")
        if try reader.flag("has group") {
            group = try BarrierGroup(from: &reader)
            member = try reader.token("member")
            parties = 0
        } else {
            parties = try reader.partyCount("parties")
            rank = try reader.flag("has rank") ? try reader.integer("rank") : nil
        }
        if let rank, rank >= parties {
            throw .outOfRange(field: "rank", value: UInt64(rank), maximum: UInt64(parties - 1))
        }
        generation = try reader.flag("has generation") ? try reader.integer("generation") : nil
        payload = try reader.bytes("payload", maximum: ClientLimits.barrierPayload)
    }

    package func encode(into writer: inout ByteWriter) {
        writer.name(name)
        writer.flag(group != nil)
        if let group, let member {
            group.encode(into: &writer)
            writer.integer(member.number)
        } else {
            writer.integer(parties)
            writer.optional(rank)
        }
        writer.optional(generation)
        writer.bytes(payload)
    }
}

/// Whose arrival a barrier waits for, where they are not counted.
package struct BarrierGroup: Hashable, Sendable {
    package var name: ObjectName
    /// Those of its members alone, by token; none are named: all of them.
    package var among: [FencingToken]

    package init(_ name: ObjectName, among: [FencingToken] = []) {
        self.name = name
        self.among = among
    }

    /// Of the members that are named.
    package var byteCount: Int { among.count * MemoryLayout<UInt64>.size }

    package init(from reader: inout ByteReader) throws(WireError) {
        name = try reader.name("group")
        among = []
        for _ in 0..<(try reader.count("among", maximum: ClientLimits.barrierMembersNamed)) {
            let token = try reader.token("among")
            guard among.last.map({ $0 < token }) ?? true else {
                throw .invalid(field: "among", reason: "is not sorted by token")
            }
            among.append(token)
        }
    }

    package func encode(into writer: inout ByteWriter) {
        writer.name(name)
        writer.list(among) { $1.integer($0.number) }
    }
}

extension ByteReader {
    /// Of a barrier whose parties are counted.
    package mutating func partyCount(_ field: String) throws(WireError) -> UInt32 {
        let count: UInt32 = try integer(field)
        guard count > 0 else { throw .invalid(field: field, reason: "must not be 0") }
        guard count <= ClientLimits.barrierParties else {
            throw .outOfRange(
                field: field, value: UInt64(count), maximum: UInt64(ClientLimits.barrierParties))
        }
        return count
    }
}
