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
    /// How long ago a majority has confirmed that the daemon was one of them; `nil`: not since it began.
    package var age: Interval?
    package var sessions: UInt32
    package var objects: UInt32
    package var timing: TimingReport
    /// What goes wrong at this daemon by order, each for so long still.
    package var disturbances: [Disturbance]

    package init(
        node: NodeID, lineage: Lineage, epoch: Epoch, rank: UInt32?, serving: ServingState,
        isDurable: Bool, members: [MemberReport], version: Version, age: Interval?,
        sessions: UInt32, objects: UInt32, timing: TimingReport,
        disturbances: [Disturbance] = []
    ) {
        self.node = node
        self.lineage = lineage
        self.epoch = epoch
        self.rank = rank
        self.serving = serving
        self.isDurable = isDurable
        self.members = members
        self.version = version
        self.age = age
        self.sessions = sessions
        self.objects = objects
        self.timing = timing
        self.disturbances = disturbances
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
        let age: Int64? = try reader.optional("age")
        self.age = age.map(Interval.init(nanoseconds:))
        sessions = try reader.integer("sessions")
        objects = try reader.integer("objects")
        timing = try TimingReport(from: &reader)
        disturbances = []
        for _ in 0..<(try reader.count("disturbances", maximum: 256)) {
            disturbances.append(try Disturbance(from: &reader))
        }
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
        writer.optional(age?.nanoseconds)
        writer.integer(sessions)
        writer.integer(objects)
        timing.encode(into: &writer)
        writer.list(disturbances) { $0.encode(into: &$1) }
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
