package import ConclaveBase

/// Makes the session a member of a task group.
package struct GroupJoin: Hashable, Sendable {
    package var name: ObjectName
    package var attributes: GroupAttributes
    /// It is to have the state that the programs of the group have in common.
    package var wantsState: Bool

    package init(
        name: ObjectName, attributes: GroupAttributes = .none, wantsState: Bool = false
    ) {
        self.name = name
        self.attributes = attributes
        self.wantsState = wantsState
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        name = try reader.name("group")
        attributes = try GroupAttributes(from: &reader)
        wantsState = try reader.flag("wants state")
    }

    package func encode(into writer: inout ByteWriter) {
        writer.name(name)
        attributes.encode(into: &writer)
        writer.flag(wantsState)
    }
}

/// The answer to a `GroupJoin`: the session is a member from this version on.
package struct GroupJoined: Hashable, Sendable {
    package var name: ObjectName
    /// The version at which it joined.
    package var token: FencingToken
    /// Of the view that began with it.
    package var number: UInt64
    /// In that view.
    package var rank: UInt32

    package init(name: ObjectName, token: FencingToken, number: UInt64, rank: UInt32) {
        self.name = name
        self.token = token
        self.number = number
        self.rank = rank
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        name = try reader.name("group")
        token = try reader.token("member")
        number = try reader.integer("view")
        rank = try reader.integer("rank")
    }

    package func encode(into writer: inout ByteWriter) {
        writer.name(name)
        writer.integer(token.number)
        writer.integer(number)
        writer.integer(rank)
    }
}

/// The answer to a message: it is ordered, and every member of the view is told it.
package struct GroupSent: Hashable, Sendable {
    package var version: Version
    /// Of the view in which it is.
    package var number: UInt64
    package var memberCount: UInt32

    package init(version: Version, number: UInt64, memberCount: UInt32) {
        self.version = version
        self.number = number
        self.memberCount = memberCount
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        version = try reader.version("version")
        number = try reader.integer("view")
        memberCount = try reader.integer("members")
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(version.number)
        writer.integer(number)
        writer.integer(memberCount)
    }
}
