package import ConclaveBase

/// How somebody came to have no longer what it held.
package enum HoldingEnd: UInt8, Sendable, CaseIterable {
    /// Let go, or resigned.
    case released = 1
    /// Its session said goodbye while holding.
    case goodbye = 2
    /// Its process died.
    case died = 3
    /// Its session's validity ran out; of a lease, its time.
    case expired = 4
    /// Its session's host was out of the view for longer than the session's time.
    case hostLost = 5
    /// An administrator ended its session.
    case forced = 6
    /// A leader's place went to the standby that it named.
    case handedOver = 7
    /// A lease was given to somebody else.
    case transferred = 8
    /// The history that granted a lease was given up.
    case givenUp = 9
}

/// Somebody who held something, or broke a barrier, as it was known then.
package struct HistoryHolder: Equatable, Sendable {
    package struct Process: Equatable, Sendable {
        package var session: SessionID
        package var host: NodeID
        package var pid: UInt32

        package init(session: SessionID, host: NodeID, pid: UInt32) {
            self.session = session
            self.host = host
            self.pid = pid
        }
    }

    /// `nil`: of a lease, which belongs to no session.
    package var process: Process?
    package var uid: UInt32
    /// Of the session; of a lease, the name that its holder goes by.
    package var label: String

    package init(process: Process?, uid: UInt32, label: String) {
        self.process = process
        self.uid = uid
        self.label = label
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        if try reader.flag("has process") {
            process = Process(
                session: try reader.session("session"), host: try reader.node("host"),
                pid: try reader.integer("pid"))
        }
        uid = try reader.integer("uid")
        label = try reader.text("label", maximum: ClientLimits.label)
    }

    package func encode(into writer: inout ByteWriter) {
        writer.flag(process != nil)
        if let process {
            writer.integer(process.session.number)
            writer.integer(process.host.number)
            writer.integer(process.pid)
        }
        writer.integer(uid)
        writer.text(label)
    }
}

/// What somebody held, and since when.
package struct HistoryHolding: Equatable, Sendable {
    package var holder: HistoryHolder
    package var token: FencingToken
    package var since: Timestamp
    /// Of a lock; what is not one is had alone.
    package var mode: LockMode
    /// Which of a slot's places a leader has; else 0.
    package var place: UInt32

    package init(
        holder: HistoryHolder, token: FencingToken, since: Timestamp, mode: LockMode = .exclusive,
        place: UInt32 = 0
    ) {
        self.holder = holder
        self.token = token
        self.since = since
        self.mode = mode
        self.place = place
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        holder = try HistoryHolder(from: &reader)
        token = try reader.token("token")
        since = try reader.timestamp("since")
        mode = try LockMode(from: &reader)
        place = try reader.place("place")
    }

    package func encode(into writer: inout ByteWriter) {
        holder.encode(into: &writer)
        writer.integer(token.number)
        writer.integer(since.microseconds)
        mode.encode(into: &writer)
        writer.integer(place)
    }
}
