package import ConclaveBase

/// What an administrator wants of somebody else's session: that it lets go of something, or that it
/// ends.
package struct Revocation: Equatable, Sendable {
    package enum Target: Equatable, Sendable {
        /// All that it has and awaits.
        case session
        case holding(ObjectKind, ObjectName, FencingToken)
    }

    package enum Manner: Equatable, Sendable {
        /// The session ends as soon as its holder can no longer believe in it (K6).
        case force
        /// Its process is asked; nothing else happens. `heir`: a standby that a leader is to hand
        /// over to.
        case notice(within: Interval, heir: SessionID?)
    }

    package var session: SessionID
    package var target: Target
    package var manner: Manner

    package init(_ session: SessionID, _ target: Target, _ manner: Manner) {
        self.session = session
        self.target = target
        self.manner = manner
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        session = try reader.session("session")
        target =
            try reader.flag("whole session")
            ? .session
            : .holding(
                try reader.claimedKind("kind"), try reader.name("name"),
                try reader.token("token"))
        guard try reader.flag("notice") else {
            manner = .force
            return
        }
        if target == .session {
            throw .invalid(field: "notice", reason: "of a whole session there is none")
        }
        manner = .notice(
            within: try reader.milliseconds("within"), heir: try reader.optionalSession("heir"))
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(session.number)
        switch target {
        case .session: writer.flag(true)
        case .holding(let kind, let name, let token):
            writer.flag(false)
            writer.integer(kind.rawValue)
            writer.name(name)
            writer.integer(token.number)
        }
        switch manner {
        case .force: writer.flag(false)
        case .notice(let within, let heir):
            writer.flag(true)
            writer.integer(UInt32(clamping: within.milliseconds))
            writer.optional(heir?.number)
        }
    }
}

/// To a holder: an administrator asks it to let go of this.
package struct LetGoNotice: Equatable, Sendable {
    package var kind: ObjectKind
    package var name: ObjectName
    package var token: FencingToken
    package var within: Interval
    /// A standby that the leader is to hand over to.
    package var heir: SessionID?

    package init(
        kind: ObjectKind, name: ObjectName, token: FencingToken, within: Interval,
        heir: SessionID? = nil
    ) {
        self.kind = kind
        self.name = name
        self.token = token
        self.within = within
        self.heir = heir
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        kind = try reader.claimedKind("kind")
        name = try reader.name("name")
        token = try reader.token("token")
        within = try reader.milliseconds("within")
        heir = try reader.optionalSession("heir")
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(kind.rawValue)
        writer.name(name)
        writer.integer(token.number)
        writer.integer(UInt32(clamping: within.milliseconds))
        writer.optional(heir?.number)
    }
}

extension ByteReader {
    /// Of what is held under a token.
    mutating func claimedKind(_ field: String) throws(WireError) -> ObjectKind {
        let kind: ObjectKind = try choice(field)
        guard kind == .lock || kind == .leaderSlot else {
            throw .invalid(field: field, reason: "nobody holds a \(kind)")
        }
        return kind
    }

    fileprivate mutating func optionalSession(_ field: String) throws(WireError) -> SessionID? {
        let number: UInt64? = try optional(field)
        return number.map(SessionID.init)
    }
}
