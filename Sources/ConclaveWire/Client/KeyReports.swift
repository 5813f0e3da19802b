package import ConclaveBase

/// A key with its value.
package struct KeyEntry: Equatable, Sendable {
    package var name: ObjectName
    package var stamp: KeyStamp
    /// When it was put last.
    package var time: Timestamp
    package var value: [UInt8]

    package init(name: ObjectName, stamp: KeyStamp, time: Timestamp, value: [UInt8]) {
        self.name = name
        self.stamp = stamp
        self.time = time
        self.value = value
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        name = try reader.name("key")
        stamp = try KeyStamp(from: &reader)
        time = try reader.timestamp("time")
        value = try reader.bytes("value", maximum: ClientLimits.keyValue)
    }

    package func encode(into writer: inout ByteWriter) {
        writer.name(name)
        stamp.encode(into: &writer)
        writer.integer(time.microseconds)
        writer.bytes(value)
    }
}

/// Of which moment keys are to be told.
package enum KeyMoment: Equatable, Sendable {
    case now
    case version(Version)
    /// As they were at that time of the order.
    case time(Timestamp)

    private enum Kind: UInt8 {
        case now = 0
        case version = 1
        case time = 2
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        let kind: Kind = try reader.choice("moment")
        switch kind {
        case .now: self = .now
        case .version: self = .version(try reader.version("at version"))
        case .time: self = .time(try reader.timestamp("at time"))
        }
    }

    package func encode(into writer: inout ByteWriter) {
        switch self {
        case .now: writer.integer(Kind.now.rawValue)
        case .version(let version):
            writer.integer(Kind.version.rawValue)
            writer.integer(version.number)
        case .time(let time):
            writer.integer(Kind.time.rawValue)
            writer.integer(time.microseconds)
        }
    }
}

/// Asks for keys: one, or those with a prefix, a page at a time.
package struct KeyQuery: Equatable, Sendable {
    package enum Selection: Equatable, Sendable {
        case key(ObjectName)
        /// Names that begin so, and come after `after` if it is given; at most `limit` of them.
        case prefix(String, after: ObjectName?, limit: UInt32)
    }

    package var selection: Selection
    package var moment: KeyMoment
    /// From the daemon's own copy at once, which may be behind; else not older than anything that
    /// was acknowledged before the question.
    package var isLocal: Bool
    /// Without values.
    package var namesOnly: Bool

    package init(
        _ selection: Selection, at moment: KeyMoment = .now, isLocal: Bool = false,
        namesOnly: Bool = false
    ) {
        self.selection = selection
        self.moment = moment
        self.isLocal = isLocal
        self.namesOnly = namesOnly
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        if try reader.flag("prefix") {
            let prefix = try reader.text("prefix", maximum: ObjectName.maximumByteCount)
            let after = try reader.flag("has after") ? try reader.name("after") : nil
            selection = .prefix(prefix, after: after, limit: try reader.integer("limit"))
        } else {
            selection = .key(try reader.name("key"))
        }
        moment = try KeyMoment(from: &reader)
        isLocal = try reader.flag("local")
        namesOnly = try reader.flag("names only")
    }

    package func encode(into writer: inout ByteWriter) {
        switch selection {
        case .key(let key):
            writer.flag(false)
            writer.name(key)
        case .prefix(let prefix, let after, let limit):
            writer.flag(true)
            writer.text(prefix)
            writer.flag(after != nil)
            if let after { writer.name(after) }
            writer.integer(limit)
        }
        moment.encode(into: &writer)
        writer.flag(isLocal)
        writer.flag(namesOnly)
    }
}

/// The answer to a `KeyQuery`.
package struct KeyReport: Equatable, Sendable {
    /// Of which the entries are.
    package var version: Version
    /// How long ago a majority has confirmed that the daemon was one of them, for an answer from
    /// its own copy; `nil`: not since it began. Zero if all that was acknowledged is in it.
    package var age: Interval?
    /// By name.
    package var entries: [KeyEntry]
    /// There may be more keys, after this one; `nil`: there are none.
    package var next: ObjectName?

    package init(
        version: Version, age: Interval?, entries: [KeyEntry], next: ObjectName? = nil
    ) {
        self.version = version
        self.age = age
        self.entries = entries
        self.next = next
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        version = try reader.version("version")
        let age: Int64? = try reader.optional("age")
        self.age = age.map(Interval.init(nanoseconds:))
        entries = []
        for _ in 0..<(try reader.count("keys", maximum: ClientLimits.listedKeys)) {
            entries.append(try KeyEntry(from: &reader))
        }
        next = try reader.flag("more") ? try reader.name("next") : nil
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(version.number)
        writer.optional(age?.nanoseconds)
        writer.list(entries) { $0.encode(into: &$1) }
        writer.flag(next != nil)
        if let next { writer.name(next) }
    }
}
