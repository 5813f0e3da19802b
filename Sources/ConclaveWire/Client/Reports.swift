package import ConclaveBase

/// Who holds or awaits something, as an operator wants to see it.
package struct SessionReport: Equatable, Sendable {
    package var session: SessionID
    package var host: NodeID
    package var pid: UInt32
    package var uid: UInt32
    package var unit: String
    package var label: String
    /// The token if it holds; 0 while it waits.
    package var token: UInt64
    package var mode: LockMode
    /// It holds the lock together with others, and waits to have it alone.
    package var isUpgrading: Bool
    /// With which it waits, or waited.
    package var priority: Int32
    package var since: Timestamp
    /// How long it stays valid by the asked daemon's clock; `nil` if attached elsewhere.
    package var remaining: Interval?
    /// It waits for several locks as one; `nil`: for this one alone.
    package var set: WaitingSet?

    package init(
        session: SessionID, host: NodeID, pid: UInt32, uid: UInt32, unit: String, label: String,
        token: UInt64, mode: LockMode, isUpgrading: Bool = false, priority: Int32 = 0,
        since: Timestamp, remaining: Interval?, set: WaitingSet? = nil
    ) {
        self.session = session
        self.host = host
        self.pid = pid
        self.uid = uid
        self.unit = unit
        self.label = label
        self.token = token
        self.mode = mode
        self.isUpgrading = isUpgrading
        self.priority = priority
        self.since = since
        self.remaining = remaining
        self.set = set
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        session = try reader.session("session")
        host = try reader.node("host")
        pid = try reader.integer("pid")
        uid = try reader.integer("uid")
        unit = try reader.text("unit", maximum: Int(UInt16.max))
        label = try reader.text("label", maximum: ClientLimits.label)
        token = try reader.integer("token")
        mode = try LockMode(from: &reader)
        isUpgrading = try reader.flag("upgrading")
        priority = try reader.integer("priority")
        since = try reader.timestamp("since")
        let remaining: Int64? = try reader.optional("remaining")
        self.remaining = remaining.map(Interval.init(nanoseconds:))
        set = try reader.flag("of a set") ? try WaitingSet(from: &reader) : nil
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(session.number)
        writer.integer(host.number)
        writer.integer(pid)
        writer.integer(uid)
        writer.text(unit)
        writer.text(label)
        writer.integer(token)
        mode.encode(into: &writer)
        writer.flag(isUpgrading)
        writer.integer(priority)
        writer.integer(since.microseconds)
        writer.optional(remaining?.nanoseconds)
        writer.flag(set != nil)
        set?.encode(into: &writer)
    }
}

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

/// A leader slot as an observer sees it: the present state first, then each change.
package struct LeaderState: Equatable, Sendable {
    package struct Leader: Equatable, Sendable {
        package var session: SessionID
        package var host: NodeID
        package var pid: UInt32
        package var label: String
        package var place: UInt32
        package var token: FencingToken
        package var value: [UInt8]
        package var since: Timestamp

        package init(
            session: SessionID, host: NodeID, pid: UInt32, label: String, place: UInt32 = 0,
            token: FencingToken, value: [UInt8], since: Timestamp
        ) {
            self.session = session
            self.host = host
            self.pid = pid
            self.label = label
            self.place = place
            self.token = token
            self.value = value
            self.since = since
        }

        package init(from reader: inout ByteReader) throws(WireError) {
            session = try reader.session("session")
            host = try reader.node("host")
            pid = try reader.integer("pid")
            label = try reader.text("label", maximum: ClientLimits.label)
            place = try reader.place("place")
            token = try reader.token("token")
            value = try reader.bytes("value", maximum: ClientLimits.leaderValue)
            since = try reader.timestamp("since")
        }

        package func encode(into writer: inout ByteWriter) {
            writer.integer(session.number)
            writer.integer(host.number)
            writer.integer(pid)
            writer.text(label)
            writer.integer(place)
            writer.integer(token.number)
            writer.bytes(value)
            writer.integer(since.microseconds)
        }
    }

    package var slot: ObjectName
    /// How many may lead at once.
    package var places: UInt32
    /// By place. Nobody: there is no leader now.
    package var leaders: [Leader]
    package var standbyCount: UInt32
    package var version: Version

    package init(
        slot: ObjectName, places: UInt32 = 1, leaders: [Leader], standbyCount: UInt32,
        version: Version
    ) {
        self.slot = slot
        self.places = places
        self.leaders = leaders
        self.standbyCount = standbyCount
        self.version = version
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        slot = try reader.name("slot")
        places = try reader.places("places")
        leaders = []
        for _ in 0..<(try reader.count("leaders", maximum: Int(ClientLimits.leaderPlaces))) {
            leaders.append(try Leader(from: &reader))
        }
        standbyCount = try reader.integer("standbys")
        version = try reader.version("version")
    }

    package func encode(into writer: inout ByteWriter) {
        writer.name(slot)
        writer.integer(places)
        writer.list(leaders) { $0.encode(into: &$1) }
        writer.integer(standbyCount)
        writer.integer(version.number)
    }
}

/// A configured machine as the asked daemon sees it.
package enum MemberState: UInt8, Sendable, CaseIterable {
    /// In the installed view.
    case member = 1
    /// Connected, not in the view: learning, or waiting to be let in.
    case joining = 2
    /// In no contact.
    case absent = 3
    /// In the installed view, and suspected.
    case suspected = 4
}

package struct MemberReport: Equatable, Sendable {
    package var node: NodeID
    package var address: String
    package var state: MemberState
    package var rank: UInt32?
    package var incarnation: UInt64?

    package init(
        node: NodeID, address: String, state: MemberState, rank: UInt32?, incarnation: UInt64?
    ) {
        self.node = node
        self.address = address
        self.state = state
        self.rank = rank
        self.incarnation = incarnation
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        node = try reader.node("node")
        address = try reader.text("address", maximum: Int(UInt16.max))
        state = try reader.choice("state")
        rank = try reader.optional("rank")
        incarnation = try reader.optional("incarnation")
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(node.number)
        writer.text(address)
        writer.integer(state.rawValue)
        writer.optional(rank)
        writer.optional(incarnation)
    }
}

package struct StatusReport: Equatable, Sendable {
    package var node: NodeID
    package var lineage: Lineage
    package var epoch: Epoch
    package var rank: UInt32?
    package var serving: ServingState
    package var isDurable: Bool
    package var members: [MemberReport]
    package var version: Version
    package var sessions: UInt32
    package var objects: UInt32
    package var timing: TimingReport

    package init(
        node: NodeID, lineage: Lineage, epoch: Epoch, rank: UInt32?, serving: ServingState,
        isDurable: Bool, members: [MemberReport], version: Version, sessions: UInt32,
        objects: UInt32, timing: TimingReport
    ) {
        self.node = node
        self.lineage = lineage
        self.epoch = epoch
        self.rank = rank
        self.serving = serving
        self.isDurable = isDurable
        self.members = members
        self.version = version
        self.sessions = sessions
        self.objects = objects
        self.timing = timing
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        node = try reader.node("node")
        lineage = try reader.lineage("lineage")
        epoch = try reader.epoch("epoch")
        rank = try reader.optional("rank")
        serving = try ServingState(from: &reader)
        isDurable = try reader.flag("durable")
        members = []
        for _ in 0..<(try reader.count("members", maximum: 64)) {
            members.append(try MemberReport(from: &reader))
        }
        version = try reader.version("version")
        sessions = try reader.integer("sessions")
        objects = try reader.integer("objects")
        timing = try TimingReport(from: &reader)
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(node.number)
        writer.lineage(lineage)
        writer.integer(epoch.number)
        writer.optional(rank)
        serving.encode(into: &writer)
        writer.flag(isDurable)
        writer.list(members) { $0.encode(into: &$1) }
        writer.integer(version.number)
        writer.integer(sessions)
        writer.integer(objects)
        timing.encode(into: &writer)
    }
}

/// An installed view, with who came, and who went and why.
package struct ViewReport: Equatable, Sendable {
    package struct Departed: Equatable, Sendable {
        package var node: NodeID
        package var reason: DepartureReason
        /// Who noticed.
        package var by: NodeID
        package var silent: Interval

        package init(node: NodeID, reason: DepartureReason, by: NodeID, silent: Interval) {
            self.node = node
            self.reason = reason
            self.by = by
            self.silent = silent
        }
    }

    package var epoch: Epoch
    package var at: Timestamp
    package var members: [NodeID]
    package var joined: [NodeID]
    package var departed: [Departed]
    /// The state began empty with it.
    package var stateWasLost: Bool
    /// An operator had one member go on alone with what was left.
    package var historyWasGivenUp: Bool

    package init(
        epoch: Epoch, at: Timestamp, members: [NodeID], joined: [NodeID], departed: [Departed],
        stateWasLost: Bool = false, historyWasGivenUp: Bool = false
    ) {
        self.epoch = epoch
        self.at = at
        self.members = members
        self.joined = joined
        self.departed = departed
        self.stateWasLost = stateWasLost
        self.historyWasGivenUp = historyWasGivenUp
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        epoch = try reader.epoch("epoch")
        at = try reader.timestamp("at")
        members = []
        for _ in 0..<(try reader.count("members", maximum: 64)) {
            members.append(try reader.node("member"))
        }
        joined = []
        for _ in 0..<(try reader.count("joined", maximum: 64)) {
            joined.append(try reader.node("joined"))
        }
        departed = []
        for _ in 0..<(try reader.count("departed", maximum: 64)) {
            departed.append(
                Departed(
                    node: try reader.node("departed"), reason: try reader.choice("reason"),
                    by: try reader.node("by"),
                    silent: Interval(nanoseconds: try reader.integer("silent"))))
        }
        stateWasLost = try reader.flag("state was lost")
        historyWasGivenUp = try reader.flag("history was given up")
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(epoch.number)
        writer.integer(at.microseconds)
        writer.list(members) { $1.integer($0.number) }
        writer.list(joined) { $1.integer($0.number) }
        writer.list(departed) { departed, writer in
            writer.integer(departed.node.number)
            writer.integer(departed.reason.rawValue)
            writer.integer(departed.by.number)
            writer.integer(departed.silent.nanoseconds)
        }
        writer.flag(stateWasLost)
        writer.flag(historyWasGivenUp)
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
