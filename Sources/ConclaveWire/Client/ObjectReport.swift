package import ConclaveBase

/// What kind of object a report is about.
package enum ObjectKind: UInt8, Sendable, CaseIterable {
    case lock = 1
    case leaderSlot = 2
    case barrier = 3
    case latch = 4
}

/// A lock, slot or barrier with its holders and its queue, as many of both as an answer has room for:
/// the first ones. For a barrier the arrived parties are `waiters`; a latch has only those.
package struct ObjectReport: Equatable, Sendable {
    package var kind: ObjectKind
    package var name: ObjectName
    package var holders: [SessionReport]
    package var waiters: [SessionReport]
    /// With those that are not named.
    package var holderCount: UInt32
    package var waiterCount: UInt32
    /// Parties of a barrier, or the count of a latch; else 0.
    package var parties: UInt32
    /// A barrier's generation; else 0.
    package var generation: UInt64
    /// A leader's published value; else empty.
    package var value: [UInt8]
    /// How many permits a semaphore gives out; `nil`: it is none.
    package var limit: UInt32?
    /// For how long nobody is granted the lock, from when a holder was lost; `nil`: it is open.
    package var closedFor: Interval?
    /// Parties that have not arrived at a barrier, by rank, as many as are named.
    package var missing: [BarrierAbsence] = []
    /// How often a latch must be counted down before it is open; `nil`: it is none.
    package var remaining: UInt32?
    /// Whose members are a barrier's parties; `nil`: they are counted, or none is left.
    package var group: GroupSummary?

    package init(
        kind: ObjectKind, name: ObjectName, holders: [SessionReport], waiters: [SessionReport],
        parties: UInt32 = 0, generation: UInt64 = 0, value: [UInt8] = [], limit: UInt32? = nil
    ) {
        self.kind = kind
        self.name = name
        self.holders = holders
        self.waiters = waiters
        holderCount = UInt32(clamping: holders.count)
        waiterCount = UInt32(clamping: waiters.count)
        self.parties = parties
        self.generation = generation
        self.value = value
        self.limit = limit
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        kind = try reader.choice("kind")
        name = try reader.name("name")
        holders = []
        for _ in 0..<(try reader.count("holders", maximum: ClientLimits.listedSessions)) {
            holders.append(try SessionReport(from: &reader))
        }
        waiters = []
        for _ in 0..<(try reader.count("waiters", maximum: ClientLimits.listedSessions)) {
            waiters.append(try SessionReport(from: &reader))
        }
        holderCount = try reader.integer("holder count")
        waiterCount = try reader.integer("waiter count")
        parties = try reader.integer("parties")
        generation = try reader.integer("generation")
        value = try reader.bytes("value", maximum: ClientLimits.leaderValue)
        limit = try reader.optional("limit")
        closedFor = try reader.flag("closed") ? try reader.lockDelay("closed for") : nil
        for _ in 0..<(try reader.count("missing", maximum: ClientLimits.listedSessions)) {
            missing.append(try BarrierAbsence(from: &reader))
        }
        remaining = try reader.optional("remaining")
        group = try reader.flag("of a group") ? try GroupSummary(from: &reader) : nil
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(kind.rawValue)
        writer.name(name)
        writer.count(holders.count)
        for holder in holders { holder.encode(into: &writer) }
        writer.count(waiters.count)
        for waiter in waiters { waiter.encode(into: &writer) }
        writer.integer(holderCount)
        writer.integer(waiterCount)
        writer.integer(parties)
        writer.integer(generation)
        writer.bytes(value)
        writer.optional(limit)
        writer.optional(closedFor?.nanoseconds)
        writer.list(missing) { $0.encode(into: &$1) }
        writer.optional(remaining)
        writer.flag(group != nil)
        group?.encode(into: &writer)
    }
}

/// The answer to `why`: the objects of that name, and who waits for whom, from the first waiter on.
package struct WhyReport: Equatable, Sendable {
    package struct Edge: Equatable, Sendable {
        package var waiter: SessionID
        package var kind: ObjectKind
        package var name: ObjectName
        package var holder: SessionID
        /// It does not hold it: it is kept for it until it has others.
        package var isReserved: Bool

        package init(
            waiter: SessionID, kind: ObjectKind, name: ObjectName, holder: SessionID,
            isReserved: Bool = false
        ) {
            self.waiter = waiter
            self.kind = kind
            self.name = name
            self.holder = holder
            self.isReserved = isReserved
        }
    }

    package var objects: [ObjectReport]
    package var lease: LeaseReport?
    package var group: GroupSummary?
    package var chain: [Edge]
    package var version: Version

    package init(
        objects: [ObjectReport], lease: LeaseReport? = nil, group: GroupSummary? = nil,
        chain: [Edge], version: Version
    ) {
        self.objects = objects
        self.lease = lease
        self.group = group
        self.chain = chain
        self.version = version
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        objects = []
        for _ in 0..<(try reader.count("objects", maximum: 16)) {
            objects.append(try ObjectReport(from: &reader))
        }
        lease = try reader.flag("lease") ? try LeaseReport(from: &reader) : nil
        group = try reader.flag("group") ? try GroupSummary(from: &reader) : nil
        chain = []
        for _ in 0..<(try reader.count("chain", maximum: ClientLimits.listed)) {
            chain.append(
                Edge(
                    waiter: try reader.session("waiter"), kind: try reader.choice("kind"),
                    name: try reader.name("name"), holder: try reader.session("holder"),
                    isReserved: try reader.flag("reserved")))
        }
        version = try reader.version("version")
    }

    package func encode(into writer: inout ByteWriter) {
        // By hand: the compiler (6.3.1) does not survive a list of such large values.
        writer.count(objects.count)
        for object in objects { object.encode(into: &writer) }
        writer.flag(lease != nil)
        lease?.encode(into: &writer)
        writer.flag(group != nil)
        group?.encode(into: &writer)
        writer.list(chain) { edge, writer in
            writer.integer(edge.waiter.number)
            writer.integer(edge.kind.rawValue)
            writer.name(edge.name)
            writer.integer(edge.holder.number)
            writer.flag(edge.isReserved)
        }
        writer.integer(version.number)
    }
}
