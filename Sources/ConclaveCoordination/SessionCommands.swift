package import ConclaveBase
package import ConclaveWire

/// Opens a session for a client process of `member`.
package struct OpenCommand: Equatable, Sendable {
    /// Drawn by the client, so that a repeat opens no second session (K9).
    package var id: Secret
    /// Drawn by the daemon: who knows it may resume the session. A repeat's is not used.
    package var secret: Secret
    package var ttl: Interval
    package var label: String
    package var process: ProcessIdentity
    package var member: Member
    /// Comes back with the effect, so that the daemon finds the connection that asked.
    package var nonce: UInt64

    package init(
        id: Secret, secret: Secret, ttl: Interval, label: String, process: ProcessIdentity,
        member: Member, nonce: UInt64
    ) {
        self.id = id
        self.secret = secret
        self.ttl = ttl
        self.label = label
        self.process = process
        self.member = member
        self.nonce = nonce
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        id = try Secret(from: &reader)
        secret = try Secret(from: &reader)
        ttl = Interval(nanoseconds: try reader.integer("ttl"))
        label = try reader.text("label", maximum: ClientLimits.label)
        process = try ProcessIdentity(from: &reader)
        member = try reader.member("member")
        nonce = try reader.integer("nonce")
    }

    package func encode(into writer: inout ByteWriter) {
        id.encode(into: &writer)
        secret.encode(into: &writer)
        writer.integer(ttl.nanoseconds)
        writer.text(label)
        process.encode(into: &writer)
        writer.member(member)
        writer.integer(nonce)
    }
}

/// Attaches a known session to `member`, for the process that connected there (K7).
package struct ResumeCommand: Equatable, Sendable {
    package var session: SessionID
    package var secret: Secret
    /// Replies up to this number are in the client's hands.
    package var confirmed: UInt64
    package var process: ProcessIdentity
    package var member: Member
    /// Comes back with the effect, so that the daemon finds the connection that asked.
    package var nonce: UInt64

    package init(
        session: SessionID, secret: Secret, confirmed: UInt64, process: ProcessIdentity,
        member: Member, nonce: UInt64
    ) {
        self.session = session
        self.secret = secret
        self.confirmed = confirmed
        self.process = process
        self.member = member
        self.nonce = nonce
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        session = try reader.session("session")
        secret = try Secret(from: &reader)
        confirmed = try reader.integer("confirmed")
        process = try ProcessIdentity(from: &reader)
        member = try reader.member("member")
        nonce = try reader.integer("nonce")
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(session.number)
        secret.encode(into: &writer)
        writer.integer(confirmed)
        process.encode(into: &writer)
        writer.member(member)
        writer.integer(nonce)
    }
}
