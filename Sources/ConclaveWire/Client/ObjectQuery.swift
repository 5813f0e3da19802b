package import ConclaveBase

/// Asks for locks, leader slots and barriers. What is asked for stands in the frame's type.
package struct ObjectQuery: Equatable, Sendable {
    package enum Subject: Equatable, Sendable {
        /// Those whose names begin with `prefix` and come after `after`, a page of them.
        case locks(prefix: String, after: ObjectName?)
        /// Who has what is called so, who waits, and for whom.
        case why(ObjectName)
        /// Who leads the slot, and from then on each change.
        case leader(ObjectName)
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
            let prefix = try reader.text("prefix", maximum: ObjectName.maximumByteCount)
            let after = try reader.flag("has after") ? try reader.name("after") : nil
            subject = .locks(prefix: prefix, after: after)
        case .why: subject = .why(try reader.name("name"))
        case .observeLeader: subject = .leader(try reader.name("slot"))
        default: return nil
        }
        isLocal = try reader.flag("local")
    }

    package func encode(into writer: inout ByteWriter) {
        switch subject {
        case .locks(let prefix, let after):
            writer.text(prefix)
            writer.flag(after != nil)
            if let after { writer.name(after) }
        case .why(let name), .leader(let name): writer.name(name)
        }
        writer.flag(isLocal)
    }

    package var type: ClientFrameType {
        switch subject {
        case .locks: .locks
        case .why: .why
        case .leader: .observeLeader
        }
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
