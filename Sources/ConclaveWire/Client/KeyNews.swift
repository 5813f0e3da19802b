package import ConclaveBase

/// Which keys somebody watches.
package enum KeySelector: Hashable, Sendable {
    case key(ObjectName)
    case prefix(String)

    package func matches(_ name: ObjectName) -> Bool {
        switch self {
        case .key(let key): key == name
        case .prefix(let prefix): name.text.utf8.starts(with: prefix.utf8)
        }
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        if try reader.flag("prefix") {
            self = .prefix(try reader.text("prefix", maximum: ObjectName.maximumByteCount))
        } else {
            self = .key(try reader.name("key"))
        }
    }

    package func encode(into writer: inout ByteWriter) {
        switch self {
        case .key(let key):
            writer.flag(false)
            writer.name(key)
        case .prefix(let prefix):
            writer.flag(true)
            writer.text(prefix)
        }
    }
}

/// Subscribes to keys. Without `from` the present state comes first, then every change; with it
/// every change after that version, if all of them are kept.
package struct KeyWatch: Equatable, Sendable {
    package var selector: KeySelector
    package var from: Version?

    package init(_ selector: KeySelector, from: Version? = nil) {
        self.selector = selector
        self.from = from
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        selector = try KeySelector(from: &reader)
        let from: UInt64? = try reader.optional("from")
        self.from = from.map(Version.init)
    }

    package func encode(into writer: inout ByteWriter) {
        selector.encode(into: &writer)
        writer.optional(from?.number)
    }
}

/// A key was put, or it is gone.
package struct KeyChange: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        case put(KeyStamp, value: [UInt8])
        case deleted
        /// It went with its session.
        case sessionEnded

        fileprivate enum Code: UInt8 {
            case put = 1
            case deleted = 2
            case sessionEnded = 3
        }
    }

    package var name: ObjectName
    /// At which it happened. Changes of one version are one change of several keys, by name.
    package var version: Version
    package var time: Timestamp
    package var kind: Kind

    package init(name: ObjectName, version: Version, time: Timestamp, kind: Kind) {
        self.name = name
        self.version = version
        self.time = time
        self.kind = kind
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        name = try reader.name("key")
        version = try reader.version("version")
        time = try reader.timestamp("time")
        let code: Kind.Code = try reader.choice("change")
        switch code {
        case .put:
            let stamp = try KeyStamp(from: &reader)
            kind = .put(stamp, value: try reader.bytes("value", maximum: ClientLimits.keyValue))
        case .deleted: kind = .deleted
        case .sessionEnded: kind = .sessionEnded
        }
    }

    package func encode(into writer: inout ByteWriter) {
        writer.name(name)
        writer.integer(version.number)
        writer.integer(time.microseconds)
        switch kind {
        case .put(let stamp, let value):
            writer.integer(Kind.Code.put.rawValue)
            stamp.encode(into: &writer)
            writer.bytes(value)
        case .deleted: writer.integer(Kind.Code.deleted.rawValue)
        case .sessionEnded: writer.integer(Kind.Code.sessionEnded.rawValue)
        }
    }
}

/// What a watcher is told, in pieces that each fit a frame.
package enum KeyNews: Equatable, Sendable {
    /// A piece of the state at a version.
    case state(KeyStatePart)
    /// Changes by version, then by name. Of everything up to `upTo` nothing is missing: from there
    /// on a watch may be resumed.
    case changes([KeyChange], upTo: Version)

    private enum Kind: UInt8 {
        case state = 1
        case changes = 2
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        let kind: Kind = try reader.choice("news")
        switch kind {
        case .state: self = .state(try KeyStatePart(from: &reader))
        case .changes:
            var changes: [KeyChange] = []
            for _ in 0..<(try reader.count("changes", maximum: ClientLimits.listedKeys)) {
                changes.append(try KeyChange(from: &reader))
            }
            self = .changes(changes, upTo: try reader.version("up to"))
        }
    }

    package func encode(into writer: inout ByteWriter) {
        switch self {
        case .state(let part):
            writer.integer(Kind.state.rawValue)
            part.encode(into: &writer)
        case .changes(let changes, let upTo):
            writer.integer(Kind.changes.rawValue)
            writer.list(changes) { $0.encode(into: &$1) }
            writer.integer(upTo.number)
        }
    }
}

/// A piece of the state of what is watched: what was known before is no longer so.
package struct KeyStatePart: Equatable, Sendable {
    package var version: Version
    /// The first piece begins a state, and drops what an unfinished one before has told.
    package var isFirst: Bool
    package var isLast: Bool
    /// Changes may be missing between what was told before and this.
    package var isResync: Bool
    /// By name.
    package var entries: [KeyEntry]

    package init(
        version: Version, isFirst: Bool, isLast: Bool, isResync: Bool, entries: [KeyEntry]
    ) {
        self.version = version
        self.isFirst = isFirst
        self.isLast = isLast
        self.isResync = isResync
        self.entries = entries
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        version = try reader.version("version")
        isFirst = try reader.flag("first")
        isLast = try reader.flag("last")
        isResync = try reader.flag("resync")
        entries = []
        for _ in 0..<(try reader.count("keys", maximum: ClientLimits.listedKeys)) {
            entries.append(try KeyEntry(from: &reader))
        }
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(version.number)
        writer.flag(isFirst)
        writer.flag(isLast)
        writer.flag(isResync)
        writer.list(entries) { $0.encode(into: &$1) }
    }
}
