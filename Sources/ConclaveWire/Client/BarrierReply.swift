package import ConclaveBase

/// One party of a generation that tripped.
package struct BarrierParty: Equatable, Sendable {
    package var rank: UInt32
    package var host: NodeID
    package var pid: UInt32
    package var arrivedAt: Timestamp
    package var payload: [UInt8]

    package init(
        rank: UInt32, host: NodeID, pid: UInt32, arrivedAt: Timestamp, payload: [UInt8]
    ) {
        self.rank = rank
        self.host = host
        self.pid = pid
        self.arrivedAt = arrivedAt
        self.payload = payload
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        rank = try reader.integer("rank")
        host = try reader.node("host")
        pid = try reader.integer("pid")
        arrivedAt = try reader.timestamp("arrived at")
        payload = try reader.bytes("payload", maximum: ClientLimits.barrierPayload)
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(rank)
        writer.integer(host.number)
        writer.integer(pid)
        writer.integer(arrivedAt.microseconds)
        writer.bytes(payload)
    }
}

/// What a party is told when the barrier trips: the same for all but `rank`.
package struct BarrierResult: Equatable, Sendable {
    package var name: ObjectName
    package var generation: UInt64
    /// The party's own rank.
    package var rank: UInt32
    /// By rank.
    package var parties: [BarrierParty]
    /// Of the group whose members they are, the number of the view; `nil`: they were counted.
    package var view: UInt64?

    package init(
        name: ObjectName, generation: UInt64, rank: UInt32, parties: [BarrierParty],
        view: UInt64? = nil
    ) {
        self.name = name
        self.generation = generation
        self.rank = rank
        self.parties = parties
        self.view = view
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        name = try reader.name("name")
        generation = try reader.integer("generation")
        rank = try reader.integer("rank")
        let count = try reader.count("parties", maximum: Int(ClientLimits.barrierParties))
        parties = []
        for _ in 0..<count { parties.append(try BarrierParty(from: &reader)) }
        view = try reader.optional("view")
    }

    package func encode(into writer: inout ByteWriter) {
        writer.name(name)
        writer.integer(generation)
        writer.integer(rank)
        writer.list(parties) { $0.encode(into: &$1) }
        writer.optional(view)
    }
}

package enum BarrierBreakReason: UInt8, Sendable, CaseIterable {
    /// A party's process died, or its session ended otherwise.
    case partyEnded = 1
    /// A party waited as long as it would.
    case timedOut = 2
    /// A party gave up.
    case cancelled = 3
    /// Two parties named different counts, or the same rank.
    case disagreement = 4
}

/// A party that is missing, or the one that broke the generation, and what is known of it.
package struct BarrierAbsence: Equatable, Sendable {
    package var rank: UInt32
    /// Known from this generation's arrival or from the generation before; else `nil`.
    package var host: NodeID?
    package var pid: UInt32?
    package var lastSeen: Timestamp?
    /// `true`: its process is known to have ended.
    package var hasEnded: Bool

    package init(
        rank: UInt32, host: NodeID? = nil, pid: UInt32? = nil, lastSeen: Timestamp? = nil,
        hasEnded: Bool = false
    ) {
        self.rank = rank
        self.host = host
        self.pid = pid
        self.lastSeen = lastSeen
        self.hasEnded = hasEnded
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        rank = try reader.integer("rank")
        let host: UInt32? = try reader.optional("host")
        self.host = host.map(NodeID.init)
        pid = try reader.optional("pid")
        let lastSeen: UInt64? = try reader.optional("last seen")
        self.lastSeen = lastSeen.map(Timestamp.init(microseconds:))
        hasEnded = try reader.flag("ended")
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(rank)
        writer.optional(host?.number)
        writer.optional(pid)
        writer.optional(lastSeen?.microseconds)
        writer.flag(hasEnded)
    }
}

/// What every party of a generation that broke is told: the same for all.
package struct BarrierBreak: Equatable, Sendable {
    package var name: ObjectName
    package var generation: UInt64
    package var reason: BarrierBreakReason
    /// In a sentence: who, and what.
    package var message: String
    /// Ranks that had not arrived, and a party that ended, by rank.
    package var missing: [BarrierAbsence]
    package var arrivedCount: UInt32
    package var parties: UInt32

    package init(
        name: ObjectName, generation: UInt64, reason: BarrierBreakReason, message: String,
        missing: [BarrierAbsence], arrivedCount: UInt32, parties: UInt32
    ) {
        self.name = name
        self.generation = generation
        self.reason = reason
        self.message = message
        self.missing = missing
        self.arrivedCount = arrivedCount
        self.parties = parties
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        name = try reader.name("name")
        generation = try reader.integer("generation")
        reason = try reader.choice("reason")
        message = try reader.text("message", maximum: Int(UInt16.max))
        let count = try reader.count("missing", maximum: Int(ClientLimits.barrierParties))
        missing = []
        for _ in 0..<count { missing.append(try BarrierAbsence(from: &reader)) }
        arrivedCount = try reader.integer("arrived")
        parties = try reader.integer("parties")
    }

    package func encode(into writer: inout ByteWriter) {
        writer.name(name)
        writer.integer(generation)
        writer.integer(reason.rawValue)
        writer.text(message)
        writer.list(missing) { $0.encode(into: &$1) }
        writer.integer(arrivedCount)
        writer.integer(parties)
    }
}
