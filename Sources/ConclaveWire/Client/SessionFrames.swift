package import ConclaveBase

/// The first frame of a client.
package struct ClientHello: Equatable, Sendable {
    package var version: UInt16
    package var features: UInt64
    package var name: String

    package init(version: UInt16, features: UInt64, name: String) {
        self.version = version
        self.features = features
        self.name = name
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        version = try reader.integer("version")
        features = try reader.integer("features")
        name = try reader.text("client name", maximum: ClientLimits.label)
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(version)
        writer.integer(features)
        writer.text(name)
    }
}

/// The daemon's answer to `ClientHello`.
package struct DaemonHello: Equatable, Sendable {
    package var version: UInt16
    package var features: UInt64
    package var node: NodeID
    package var epoch: Epoch
    package var serving: ServingState
    /// The bounds within which a session's ttl must lie.
    package var minimumTTL: Interval
    package var maximumTTL: Interval

    package init(
        version: UInt16, features: UInt64, node: NodeID, epoch: Epoch, serving: ServingState,
        minimumTTL: Interval, maximumTTL: Interval
    ) {
        self.version = version
        self.features = features
        self.node = node
        self.epoch = epoch
        self.serving = serving
        self.minimumTTL = minimumTTL
        self.maximumTTL = maximumTTL
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        version = try reader.integer("version")
        features = try reader.integer("features")
        node = try reader.node("node")
        epoch = try reader.epoch("epoch")
        serving = try ServingState(from: &reader)
        minimumTTL = Interval(nanoseconds: try reader.integer("minimum ttl"))
        maximumTTL = Interval(nanoseconds: try reader.integer("maximum ttl"))
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(version)
        writer.integer(features)
        writer.integer(node.number)
        writer.integer(epoch.number)
        serving.encode(into: &writer)
        writer.integer(minimumTTL.nanoseconds)
        writer.integer(maximumTTL.nanoseconds)
    }
}

/// Whether the daemon answers requests now; in `DaemonHello` and as the event `serving`.
package struct ServingState: Equatable, Sendable {
    package var isServing: Bool
    /// Why not, in a sentence; empty while it serves.
    package var reason: String

    package init(isServing: Bool, reason: String) {
        self.isServing = isServing
        self.reason = reason
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        isServing = try reader.flag("serving")
        reason = try reader.text("reason", maximum: Int(UInt16.max))
    }

    package func encode(into writer: inout ByteWriter) {
        writer.flag(isServing)
        writer.text(reason)
    }
}

/// A number of 128 bits that nobody guesses: a client's own name for its session, or the secret
/// with which a session is resumed.
package struct Secret: Hashable, Sendable {
    package var high: UInt64
    package var low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        high = try reader.integer("secret")
        low = try reader.integer("secret")
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(high)
        writer.integer(low)
    }
}

/// Opens a session. `id` is drawn by the client, so that a repeat opens no second one (K9).
package struct OpenRequest: Equatable, Sendable {
    package var id: Secret
    /// Zero: as the daemon thinks fit.
    package var ttl: Interval
    package var label: String

    package init(id: Secret, ttl: Interval, label: String) {
        self.id = id
        self.ttl = ttl
        self.label = label
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        id = try Secret(from: &reader)
        ttl = try reader.milliseconds("ttl")
        label = try reader.text("label", maximum: ClientLimits.label)
    }

    package func encode(into writer: inout ByteWriter) {
        id.encode(into: &writer)
        writer.integer(UInt32(clamping: ttl.milliseconds))
        writer.text(label)
    }
}

/// Resumes a session, at this daemon or another.
package struct ResumeRequest: Equatable, Sendable {
    package var session: SessionID
    package var secret: Secret
    /// Every reply up to this number is in the client's hands.
    package var confirmed: UInt64
    /// What the process is to be stopped for, as far as it knows: no other daemon has been told.
    package var guards: LossGuards

    package init(
        session: SessionID, secret: Secret, confirmed: UInt64, guards: LossGuards = LossGuards()
    ) {
        self.session = session
        self.secret = secret
        self.confirmed = confirmed
        self.guards = guards
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        session = try reader.session("session")
        secret = try Secret(from: &reader)
        confirmed = try reader.integer("confirmed")
        guards = try LossGuards(from: &reader)
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(session.number)
        secret.encode(into: &writer)
        writer.integer(confirmed)
        guards.encode(into: &writer)
    }
}

/// The reply to open and resume. The validity page's descriptor travels with it.
package struct SessionOpened: Equatable, Sendable {
    package var session: SessionID
    package var secret: Secret
    package var version: Version
    /// The session's place in the validity page.
    package var slot: UInt32
    package var ttl: Interval
    /// Numbers of the requests that the group knows and has not answered: they go on waiting.
    package var waiting: [UInt64]

    package init(
        session: SessionID, secret: Secret, version: Version, slot: UInt32, ttl: Interval,
        waiting: [UInt64]
    ) {
        self.session = session
        self.secret = secret
        self.version = version
        self.slot = slot
        self.ttl = ttl
        self.waiting = waiting
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        session = try reader.session("session")
        secret = try Secret(from: &reader)
        version = try reader.version("version")
        slot = try reader.integer("slot")
        ttl = Interval(nanoseconds: try reader.integer("ttl"))
        let count = try reader.count("waiting", maximum: 64 * 1024)
        waiting = []
        for _ in 0..<count { waiting.append(try reader.integer("waiting")) }
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(session.number)
        secret.encode(into: &writer)
        writer.integer(version.number)
        writer.integer(slot)
        writer.integer(ttl.nanoseconds)
        writer.list(waiting) { $1.integer($0) }
    }
}

/// Why a session is over.
package enum SessionEnd: UInt8, Sendable, CaseIterable {
    case goodbye = 1
    /// Its process died.
    case died = 2
    /// Its socket stayed closed, or its validity ran out.
    case expired = 3
    /// Its host left the group and it was not resumed in time.
    case hostLost = 4
    /// An administrator wanted it.
    case forced = 5
}
