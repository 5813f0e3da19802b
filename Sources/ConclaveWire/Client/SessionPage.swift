package import ConclaveBase

/// A session, and how much it has and waits for.
package struct SessionSummary: Equatable, Sendable {
    package struct Owner: Equatable, Sendable {
        package var host: NodeID
        package var pid: UInt32
        package var uid: UInt32
        package var unit: String
        package var label: String

        package init(host: NodeID, pid: UInt32, uid: UInt32, unit: String, label: String) {
            self.host = host
            self.pid = pid
            self.uid = uid
            self.unit = unit
            self.label = label
        }
    }

    package enum Standing: UInt8, Sendable {
        case attached = 1
        /// Its daemon is not in the view: it ends when its time has passed.
        case away = 2
        /// An administrator has ended it, and its holder may still believe in it.
        case forced = 3
    }

    package var session: SessionID
    package var owner: Owner
    package var standing: Standing
    package var ttl: Interval
    /// Locks, semaphores, terms and memberships of task groups.
    package var heldCount: UInt32
    /// Requests.
    package var waitingCount: UInt32
    /// Keys that go with it.
    package var keyCount: UInt32
    /// How long it stays valid by the asked daemon's clock; `nil` if attached elsewhere.
    package var remaining: Interval?

    package init(
        session: SessionID, owner: Owner, standing: Standing, ttl: Interval, heldCount: UInt32,
        waitingCount: UInt32, keyCount: UInt32, remaining: Interval? = nil
    ) {
        self.session = session
        self.owner = owner
        self.standing = standing
        self.ttl = ttl
        self.heldCount = heldCount
        self.waitingCount = waitingCount
        self.keyCount = keyCount
        self.remaining = remaining
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        session = try reader.session("session")
        owner = Owner(
            host: try reader.node("host"), pid: try reader.integer("pid"),
            uid: try reader.integer("uid"),
            unit: try reader.text("unit", maximum: Int(UInt16.max)),
            label: try reader.text("label", maximum: ClientLimits.label))
        standing = try reader.choice("standing")
        ttl = try reader.ttl("ttl")
        heldCount = try reader.integer("held")
        waitingCount = try reader.integer("waiting")
        keyCount = try reader.integer("keys")
        let nanoseconds: Int64? = try reader.optional("remaining")
        remaining = nanoseconds.map(Interval.init(nanoseconds:))
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(session.number)
        writer.integer(owner.host.number)
        writer.integer(owner.pid)
        writer.integer(owner.uid)
        writer.text(owner.unit)
        writer.text(owner.label)
        writer.integer(standing.rawValue)
        writer.integer(ttl.nanoseconds)
        writer.integer(heldCount)
        writer.integer(waitingCount)
        writer.integer(keyCount)
        writer.optional(remaining?.nanoseconds)
    }
}

/// Sessions by id: a page of them.
package struct SessionPage: Equatable, Sendable {
    /// Of which it is.
    package var version: Version
    package var sessions: [SessionSummary]
    /// There may be more, after this one; `nil`: there are none.
    package var next: SessionID?

    package init(version: Version, sessions: [SessionSummary], next: SessionID? = nil) {
        self.version = version
        self.sessions = sessions
        self.next = next
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        version = try reader.version("version")
        sessions = []
        for _ in 0..<(try reader.count("sessions", maximum: ClientLimits.listedSessions)) {
            sessions.append(try SessionSummary(from: &reader))
        }
        let next: UInt64? = try reader.optional("next")
        self.next = next.map(SessionID.init)
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(version.number)
        writer.count(sessions.count)
        for session in sessions { session.encode(into: &writer) }
        writer.optional(next?.number)
    }
}
