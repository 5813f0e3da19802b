package import ConclaveBase

/// Asks what happened to the objects of one name, a page at a time, the newest first.
package struct HistoryQuery: Equatable, Sendable {
    package var name: ObjectName
    /// `nil`: of every kind.
    package var kind: HistoryKind?
    /// Up to which moment, and of which the holders are to be told.
    package var moment: KeyMoment
    /// Only entries that are older than this one.
    package var before: UInt64?
    /// Of entries; more than a page has room for are not told.
    package var limit: UInt32

    package init(
        _ name: ObjectName, kind: HistoryKind? = nil, at moment: KeyMoment = .now,
        before: UInt64? = nil, limit: UInt32 = UInt32(ClientLimits.listedHistory)
    ) {
        self.name = name
        self.kind = kind
        self.moment = moment
        self.before = before
        self.limit = limit
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        name = try reader.name("name")
        kind = try reader.flag("has kind") ? try reader.choice("kind") : nil
        moment = try KeyMoment(from: &reader)
        before = try reader.optional("before")
        limit = try reader.integer("limit")
    }

    package func encode(into writer: inout ByteWriter) {
        writer.name(name)
        writer.flag(kind != nil)
        if let kind { writer.integer(kind.rawValue) }
        moment.encode(into: &writer)
        writer.optional(before)
        writer.integer(limit)
    }
}

/// Who held an object at a moment.
package struct HistoryState: Equatable, Sendable {
    package var kind: HistoryKind
    /// By token, and those of one token by place and session: the first ones.
    package var holdings: [HistoryHolding]
    /// With those that are not named.
    package var holderCount: UInt32

    package init(kind: HistoryKind, holdings: [HistoryHolding], holderCount: UInt32) {
        self.kind = kind
        self.holdings = holdings
        self.holderCount = holderCount
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        kind = try reader.choice("kind")
        holdings = []
        for _ in 0..<(try reader.count("holdings", maximum: ClientLimits.listedHolders)) {
            holdings.append(try HistoryHolding(from: &reader))
        }
        holderCount = try reader.integer("holders")
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(kind.rawValue)
        writer.count(holdings.count)
        for holding in holdings { holding.encode(into: &writer) }
        writer.integer(holderCount)
    }
}

/// The answer to a `HistoryQuery`.
package struct HistoryReport: Equatable, Sendable {
    /// Of the copy that answered.
    package var version: Version
    /// From here on the history of what was asked for is whole: of every kind that may be meant.
    package var floor: Version
    package var floorTime: Timestamp
    /// Of objects that were there at the moment, or that something is known of, by kind.
    package var states: [HistoryState]
    /// The newest first.
    package var entries: [HistoryEntry]
    /// There are more, older than this one; `nil`: there are none.
    package var next: UInt64?

    package init(
        version: Version, floor: Version, floorTime: Timestamp, states: [HistoryState],
        entries: [HistoryEntry], next: UInt64? = nil
    ) {
        self.version = version
        self.floor = floor
        self.floorTime = floorTime
        self.states = states
        self.entries = entries
        self.next = next
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        version = try reader.version("version")
        floor = try reader.version("floor")
        floorTime = try reader.timestamp("floor time")
        states = []
        for _ in 0..<(try reader.count("states", maximum: HistoryKind.allCases.count)) {
            states.append(try HistoryState(from: &reader))
        }
        entries = []
        for _ in 0..<(try reader.count("entries", maximum: ClientLimits.listedHistory)) {
            entries.append(try HistoryEntry(from: &reader))
        }
        next = try reader.optional("next")
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(version.number)
        writer.integer(floor.number)
        writer.integer(floorTime.microseconds)
        writer.count(states.count)
        for state in states { state.encode(into: &writer) }
        writer.count(entries.count)
        for entry in entries { entry.encode(into: &writer) }
        writer.optional(next)
    }
}
