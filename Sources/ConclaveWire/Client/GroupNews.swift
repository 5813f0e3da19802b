package import ConclaveBase

/// Subscribes to a task group. Without `from` the present state comes first, or, for a member, that
/// of the view in which it joined; then everything that happens. With `from` it is everything after
/// that version, if all of it is kept.
package struct GroupFollow: Hashable, Sendable {
    package var name: ObjectName
    /// Messages are told, too; else only who joins and who leaves.
    package var withMessages: Bool
    /// The follower is this member: the view without it is the last word.
    package var member: FencingToken?
    package var from: Version?
    /// Of the first state that is told, in place of the version at which the member joined.
    package var start: Version?

    package init(
        _ name: ObjectName, withMessages: Bool = false, member: FencingToken? = nil,
        from: Version? = nil, start: Version? = nil
    ) {
        self.name = name
        self.withMessages = withMessages
        self.member = member
        self.from = from
        self.start = start
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        name = try reader.name("group")
        withMessages = try reader.flag("messages")
        let member: UInt64? = try reader.optional("member")
        self.member = member.map { FencingToken($0) }
        let from: UInt64? = try reader.optional("from")
        self.from = from.map(Version.init)
        let start: UInt64? = try reader.optional("start")
        self.start = start.map(Version.init)
    }

    package func encode(into writer: inout ByteWriter) {
        writer.name(name)
        writer.flag(withMessages)
        writer.optional(member?.number)
        writer.optional(from?.number)
        writer.optional(start?.number)
    }
}

/// Who left a group, and how. Its other facts stand where it joined.
package struct GroupDeparture: Hashable, Sendable {
    package var member: FencingToken
    package var session: SessionID
    package var reason: GroupDepartureReason

    package init(member: FencingToken, session: SessionID, reason: GroupDepartureReason) {
        self.member = member
        self.session = session
        self.reason = reason
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        member = try reader.token("member")
        session = try reader.session("session")
        reason = try reader.choice("departure")
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(member.number)
        writer.integer(session.number)
        writer.integer(reason.rawValue)
    }
}

/// What somebody said to a group.
package struct GroupMessage: Hashable, Sendable {
    package var sender: SessionID
    /// The sender's membership; `nil`: it is no member.
    package var member: FencingToken?
    package var host: NodeID
    package var pid: UInt32
    package var payload: [UInt8]

    package init(
        sender: SessionID, member: FencingToken?, host: NodeID, pid: UInt32, payload: [UInt8]
    ) {
        self.sender = sender
        self.member = member
        self.host = host
        self.pid = pid
        self.payload = payload
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        sender = try reader.session("sender")
        let member: UInt64? = try reader.optional("member")
        self.member = member.map { FencingToken($0) }
        host = try reader.node("host")
        pid = try reader.integer("pid")
        payload = try reader.bytes("payload", maximum: ClientLimits.groupMessage)
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(sender.number)
        writer.optional(member?.number)
        writer.integer(host.number)
        writer.integer(pid)
        writer.bytes(payload)
    }
}

/// Something that happened to a group: another view, or a message in the present one. One version
/// makes at most one of them, so they are told apart and ordered by their versions.
package struct GroupEntry: Hashable, Sendable {
    package enum Content: Hashable, Sendable {
        case view(joined: [GroupMember], departed: [GroupDeparture])
        case message(GroupMessage)
        /// A view in which that member has the group's state.
        case adopted(FencingToken)
        /// Told to that newcomer alone.
        case provided(ProvidedState)

        fileprivate enum Code: UInt8 {
            case view = 1
            case message = 2
            case adopted = 3
            case provided = 4
        }
    }

    package var version: Version
    package var time: Timestamp
    /// Of the view that begins, or in which the message is.
    package var number: UInt64
    package var content: Content

    package init(version: Version, time: Timestamp, number: UInt64, content: Content) {
        self.version = version
        self.time = time
        self.number = number
        self.content = content
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        version = try reader.version("version")
        time = try reader.timestamp("time")
        number = try reader.integer("view")
        let code: Content.Code = try reader.choice("entry")
        switch code {
        case .view:
            let maximum = ClientLimits.groupMembers
            var joined: [GroupMember] = []
            for _ in 0..<(try reader.count("joined", maximum: maximum)) {
                joined.append(try GroupMember(from: &reader))
            }
            var departed: [GroupDeparture] = []
            for _ in 0..<(try reader.count("departed", maximum: maximum)) {
                departed.append(try GroupDeparture(from: &reader))
            }
            content = .view(joined: joined, departed: departed)
        case .message: content = .message(try GroupMessage(from: &reader))
        case .adopted: content = .adopted(try reader.token("member"))
        case .provided: content = .provided(try ProvidedState(from: &reader))
        }
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(version.number)
        writer.integer(time.microseconds)
        writer.integer(number)
        switch content {
        case .view(let joined, let departed):
            writer.integer(Content.Code.view.rawValue)
            writer.list(joined) { $0.encode(into: &$1) }
            writer.list(departed) { $0.encode(into: &$1) }
        case .message(let message):
            writer.integer(Content.Code.message.rawValue)
            message.encode(into: &writer)
        case .adopted(let member):
            writer.integer(Content.Code.adopted.rawValue)
            writer.integer(member.number)
        case .provided(let state):
            writer.integer(Content.Code.provided.rawValue)
            state.encode(into: &writer)
        }
    }
}

/// What a follower of a group is told, in pieces that each fit a frame.
package enum GroupNews: Equatable, Sendable {
    /// A piece of the members at a version.
    case state(GroupStatePart)
    /// By version. Of everything up to `upTo` nothing is missing: from there on it may be resumed.
    case entries([GroupEntry], upTo: Version)

    private enum Kind: UInt8 {
        case state = 1
        case entries = 2
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        let kind: Kind = try reader.choice("news")
        switch kind {
        case .state: self = .state(try GroupStatePart(from: &reader))
        case .entries:
            var entries: [GroupEntry] = []
            for _ in 0..<(try reader.count("entries", maximum: ClientLimits.listedKeys)) {
                entries.append(try GroupEntry(from: &reader))
            }
            self = .entries(entries, upTo: try reader.version("up to"))
        }
    }

    package func encode(into writer: inout ByteWriter) {
        switch self {
        case .state(let part):
            writer.integer(Kind.state.rawValue)
            part.encode(into: &writer)
        case .entries(let entries, let upTo):
            writer.integer(Kind.entries.rawValue)
            writer.list(entries) { $0.encode(into: &$1) }
            writer.integer(upTo.number)
        }
    }
}

/// A piece of who belongs to a group: what was known before is no longer so.
package struct GroupStatePart: Equatable, Sendable {
    package var version: Version
    /// Of the view; 0: nobody has joined the group yet, as far as is known.
    package var number: UInt64
    /// The first piece begins a state, and drops what an unfinished one before has told.
    package var isFirst: Bool
    package var isLast: Bool
    /// Views and messages may be missing between what was told before and this.
    package var isResync: Bool
    /// By rank.
    package var members: [GroupMember]

    package init(
        version: Version, number: UInt64, isFirst: Bool, isLast: Bool, isResync: Bool,
        members: [GroupMember]
    ) {
        self.version = version
        self.number = number
        self.isFirst = isFirst
        self.isLast = isLast
        self.isResync = isResync
        self.members = members
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        version = try reader.version("version")
        number = try reader.integer("view")
        isFirst = try reader.flag("first")
        isLast = try reader.flag("last")
        isResync = try reader.flag("resync")
        members = []
        for _ in 0..<(try reader.count("members", maximum: ClientLimits.groupMembers)) {
            members.append(try GroupMember(from: &reader))
        }
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(version.number)
        writer.integer(number)
        writer.flag(isFirst)
        writer.flag(isLast)
        writer.flag(isResync)
        writer.list(members) { $0.encode(into: &$1) }
    }
}
