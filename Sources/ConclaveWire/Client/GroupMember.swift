package import ConclaveBase

/// What a member of a task group says of itself when it joins.
package struct GroupAttributes: Hashable, Sendable {
    package struct Entry: Hashable, Sendable {
        package var name: String
        package var value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// By the bytes of their names, each once, within the limits.
    package let entries: [Entry]

    package static let none = GroupAttributes(checked: [])

    private init(checked entries: [Entry]) {
        self.entries = entries
    }

    /// In any order.
    package init(_ entries: [Entry]) throws(WireError) {
        let sorted = entries.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        try Self.check(sorted)
        self.entries = sorted
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        var entries: [Entry] = []
        for _ in 0..<(try reader.count("attributes", maximum: ClientLimits.groupAttributes)) {
            let name = try reader.text("attribute", maximum: ClientLimits.groupAttributeName)
            let value = try reader.text("value", maximum: ClientLimits.groupAttributeValue)
            entries.append(Entry(name: name, value: value))
        }
        try Self.check(entries)
        self.entries = entries
    }

    package func encode(into writer: inout ByteWriter) {
        writer.list(entries) { entry, writer in
            writer.text(entry.name)
            writer.text(entry.value)
        }
    }

    /// Of names and values together.
    package var byteCount: Int {
        entries.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
    }

    private static func check(_ entries: [Entry]) throws(WireError) {
        try check("attributes", entries.count, maximum: ClientLimits.groupAttributes)
        var together = 0
        var before: Entry?
        for entry in entries {
            try check(entry.name)
            try check("value", entry.value.utf8.count, maximum: ClientLimits.groupAttributeValue)
            if let before, !before.name.utf8.lexicographicallyPrecedes(entry.name.utf8) {
                throw .invalid(
                    field: "attribute", reason: "\(entry.name) is not after \(before.name)")
            }
            before = entry
            together += entry.name.utf8.count + entry.value.utf8.count
        }
        try check("attributes", together, maximum: ClientLimits.groupAttributesTogether)
    }

    private static func check(_ name: String) throws(WireError) {
        guard !name.isEmpty else { throw .invalid(field: "attribute", reason: "has no name") }
        try check("attribute", name.utf8.count, maximum: ClientLimits.groupAttributeName)
        if name.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
            throw .invalid(field: "attribute", reason: "has a control character in its name")
        }
    }

    private static func check(
        _ field: String, _ value: Int, maximum: Int
    ) throws(WireError) {
        guard value <= maximum else {
            throw .outOfRange(field: field, value: UInt64(value), maximum: UInt64(maximum))
        }
    }
}

/// How a member stands to the state that the programs of a task group have in common.
package enum StatePossession: UInt8, Sendable, CaseIterable {
    /// It has no part in it.
    case none = 0
    /// It is to be handed the state by a member that has it.
    case wanted = 1
    /// It has the state, and hands it to those that want it.
    case held = 2
}

/// A session that belongs to a task group, as it was when it joined.
package struct GroupMember: Hashable, Sendable {
    /// The version at which it joined: members are ranked by it.
    package var token: FencingToken
    package var session: SessionID
    package var host: NodeID
    package var pid: UInt32
    package var uid: UInt32
    package var label: String
    package var attributes: GroupAttributes
    package var possession: StatePossession

    package init(
        token: FencingToken, session: SessionID, host: NodeID, pid: UInt32, uid: UInt32,
        label: String, attributes: GroupAttributes, possession: StatePossession = .none
    ) {
        self.token = token
        self.session = session
        self.host = host
        self.pid = pid
        self.uid = uid
        self.label = label
        self.attributes = attributes
        self.possession = possession
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        token = try reader.token("member")
        session = try reader.session("session")
        host = try reader.node("host")
        pid = try reader.integer("pid")
        uid = try reader.integer("uid")
        label = try reader.text("label", maximum: ClientLimits.label)
        attributes = try GroupAttributes(from: &reader)
        possession = try reader.choice("possession")
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(token.number)
        writer.integer(session.number)
        writer.integer(host.number)
        writer.integer(pid)
        writer.integer(uid)
        writer.text(label)
        attributes.encode(into: &writer)
        writer.integer(possession.rawValue)
    }

    /// About what it takes in a frame, or in memory.
    package var byteCount: Int { 128 + label.utf8.count + attributes.byteCount }
}

/// How a member left its group.
package enum GroupDepartureReason: UInt8, Sendable, CaseIterable {
    /// It left, or its session said goodbye.
    case left = 1
    /// Its process died.
    case died = 2
    /// Its session's validity ran out.
    case expired = 3
    /// Its session was lost with its host.
    case hostLost = 4
    /// Somebody else put it out, or an administrator ended its session.
    case evicted = 5
}
