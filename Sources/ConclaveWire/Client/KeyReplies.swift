package import ConclaveBase

/// The answer to a transaction that happened.
package struct KeysWritten: Equatable, Sendable {
    /// At which it happened: the version of every key that it put.
    package var version: Version
    /// Keys that are not as they were: deleting one that is not there changes none.
    package var changedCount: UInt32

    package init(version: Version, changedCount: UInt32) {
        self.version = version
        self.changedCount = changedCount
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        version = try reader.version("version")
        changedCount = try reader.integer("changed keys")
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(version.number)
        writer.integer(changedCount)
    }
}

/// The answer to a transaction of which a compare did not hold: the first one, and what was there.
package struct KeyMismatch: Equatable, Sendable {
    /// At which it was compared.
    package var version: Version
    /// Which of the compares, from 0 on.
    package var index: UInt32
    package var key: ObjectName
    /// `nil`: the key was not there.
    package var found: KeyStamp?

    package init(version: Version, index: UInt32, key: ObjectName, found: KeyStamp?) {
        self.version = version
        self.index = index
        self.key = key
        self.found = found
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        version = try reader.version("version")
        index = try reader.integer("index")
        key = try reader.name("key")
        found = try reader.flag("found") ? try KeyStamp(from: &reader) : nil
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(version.number)
        writer.integer(index)
        writer.name(key)
        writer.flag(found != nil)
        found?.encode(into: &writer)
    }
}

/// What is known of a key that is there, beside its value.
package struct KeyStamp: Hashable, Sendable {
    /// When it was put for the first time since it was absent last.
    package var created: Version
    /// When it was put last.
    package var modified: Version
    /// How often it was put since it was created; 1 for a new key.
    package var putCount: UInt64
    /// The session that it goes with; `nil`: none.
    package var session: SessionID?

    package init(
        created: Version, modified: Version, putCount: UInt64, session: SessionID? = nil
    ) {
        self.created = created
        self.modified = modified
        self.putCount = putCount
        self.session = session
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        created = try reader.version("created")
        modified = try reader.version("modified")
        putCount = try reader.integer("puts")
        let session: UInt64? = try reader.optional("session")
        self.session = session.map(SessionID.init)
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(created.number)
        writer.integer(modified.number)
        writer.integer(putCount)
        writer.optional(session?.number)
    }
}
