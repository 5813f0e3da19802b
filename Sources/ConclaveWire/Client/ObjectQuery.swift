package import ConclaveBase

/// Asks for locks, leader slots, barriers, leases, latches and sessions, and what happened to them.
/// What is asked for stands in the frame's type.
package struct ObjectQuery: Equatable, Sendable {
    package enum Subject: Equatable, Sendable {
        /// Those whose names begin with `prefix` and come after `after`, a page of them.
        case locks(prefix: String, after: ObjectName?)
        /// Who has what is called so, who waits, and for whom.
        case why(ObjectName)
        /// Who leads the slot, and from then on each change.
        case leader(ObjectName)
        case lease(ObjectName)
        /// As `locks`.
        case leases(prefix: String, after: ObjectName?)
        case latch(ObjectName)
        /// As `locks`.
        case latches(prefix: String, after: ObjectName?)
        /// Those that come after `after`, a page of them.
        case sessions(after: SessionID?)
        case history(HistoryQuery)
    }

    package var subject: Subject
    /// From the daemon's own copy at once, which may be behind; else not older than anything that
    /// was acknowledged before the question.
    package var isLocal: Bool

    package init(_ subject: Subject, isLocal: Bool = false) {
        self.subject = subject
        self.isLocal = isLocal
    }

    /// `nil`: frames of that type ask for something else.
    package init?(_ type: ClientFrameType, from reader: inout ByteReader) throws(WireError) {
        switch type {
        case .locks:
            let (prefix, after) = try reader.page()
            subject = .locks(prefix: prefix, after: after)
        case .why: subject = .why(try reader.name("name"))
        case .observeLeader: subject = .leader(try reader.name("slot"))
        case .sessions:
            let after: UInt64? = try reader.optional("after")
            subject = .sessions(after: after.map(SessionID.init))
        case .history: subject = .history(try HistoryQuery(from: &reader))
        case .readLeases:
            if try reader.flag("prefix") {
                let (prefix, after) = try reader.page()
                subject = .leases(prefix: prefix, after: after)
            } else {
                subject = .lease(try reader.name("lease"))
            }
        case .readLatches:
            if try reader.flag("prefix") {
                let (prefix, after) = try reader.page()
                subject = .latches(prefix: prefix, after: after)
            } else {
                subject = .latch(try reader.name("latch"))
            }
        default: return nil
        }
        isLocal = try reader.flag("local")
    }

    package func encode(into writer: inout ByteWriter) {
        switch subject {
        case .locks(let prefix, let after): writer.page(prefix, after: after)
        case .why(let name), .leader(let name): writer.name(name)
        case .lease(let name), .latch(let name):
            writer.flag(false)
            writer.name(name)
        case .sessions(let after): writer.optional(after?.number)
        case .history(let query): query.encode(into: &writer)
        case .leases(let prefix, let after), .latches(let prefix, let after):
            writer.flag(true)
            writer.page(prefix, after: after)
        }
        writer.flag(isLocal)
    }

    package var type: ClientFrameType {
        switch subject {
        case .locks: .locks
        case .why: .why
        case .leader: .observeLeader
        case .lease, .leases: .readLeases
        case .latch, .latches: .readLatches
        case .sessions: .sessions
        case .history: .history
        }
    }
}

extension ByteReader {
    /// Names that begin so, and come after that one.
    fileprivate mutating func page() throws(WireError) -> (prefix: String, after: ObjectName?) {
        let prefix = try text("prefix", maximum: ObjectName.maximumByteCount)
        return (prefix, try flag("has after") ? try name("after") : nil)
    }
}

extension ByteWriter {
    fileprivate mutating func page(_ prefix: String, after: ObjectName?) {
        text(prefix)
        flag(after != nil)
        if let after { name(after) }
    }
}

/// A page of what was asked for, by name.
package struct ObjectPage: Equatable, Sendable {
    /// Of which it is.
    package var version: Version
    package var objects: [ObjectReport]
    /// There may be more, after this name; `nil`: there are none.
    package var next: ObjectName?

    package init(version: Version, objects: [ObjectReport], next: ObjectName? = nil) {
        self.version = version
        self.objects = objects
        self.next = next
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        version = try reader.version("version")
        objects = []
        for _ in 0..<(try reader.count("objects", maximum: ClientLimits.listedObjects)) {
            objects.append(try ObjectReport(from: &reader))
        }
        next = try reader.flag("more") ? try reader.name("next") : nil
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(version.number)
        writer.list(objects) { $0.encode(into: &$1) }
        writer.flag(next != nil)
        if let next { writer.name(next) }
    }
}
