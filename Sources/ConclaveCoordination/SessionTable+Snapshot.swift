import ConclaveBase
import ConclaveWire

extension Session {
    func encode(into writer: inout ByteWriter) {
        writer.integer(id.number)
        clientID.encode(into: &writer)
        secret.encode(into: &writer)
        writer.integer(ttl.nanoseconds)
        writer.text(label)
        process.encode(into: &writer)
        attachment.encode(into: &writer)
        writer.flag(takeover != nil)
        takeover?.encode(into: &writer)
    }

    init(from reader: inout ByteReader) throws(WireError) {
        id = try reader.session("session")
        clientID = try Secret(from: &reader)
        secret = try Secret(from: &reader)
        ttl = Interval(nanoseconds: try reader.integer("ttl"))
        label = try reader.text("label", maximum: ClientLimits.label)
        process = try ProcessIdentity(from: &reader)
        attachment = Attachment(
            member: try reader.member("attached to"),
            number: try reader.counter("attach number"))
        takeover = try reader.flag("has takeover") ? try ResumeCommand(from: &reader) : nil
    }
}

extension SessionTable {
    init(from reader: inout ByteReader) throws(WireError) {
        self.init()
        for _ in 0..<(try reader.count("sessions")) {
            let session = try Session(from: &reader)
            guard index(of: session.id) == nil, index(openedAs: session.clientID) == nil else {
                throw .invalid(field: "session", reason: "\(session.id) comes twice")
            }
            _ = insert(session)
        }
    }
}

extension EndedSessions {
    func encode(into writer: inout ByteWriter) {
        writer.list(Array(records)) { record, writer in
            writer.integer(record.id.number)
            record.clientID.encode(into: &writer)
            writer.integer(record.endedAt.microseconds)
            writer.list(record.replies) { entry, writer in
                writer.integer(entry.number)
                entry.reply.encode(into: &writer)
            }
        }
    }

    init(from reader: inout ByteReader) throws(WireError) {
        self.init()
        for _ in 0..<(try reader.count("ended sessions")) {
            var record = Record(
                id: try reader.session("session"), clientID: try Secret(from: &reader),
                endedAt: try reader.timestamp("ended at"), replies: [])
            for _ in 0..<(try reader.count("replies")) {
                record.replies.append(
                    StoredEntry(
                        number: try reader.integer("number"), reply: try Reply(from: &reader)))
            }
            guard self.record(of: record.id) == nil, !contains(openedAs: record.clientID) else {
                throw .invalid(field: "session", reason: "\(record.id) comes twice")
            }
            append(record)
        }
    }
}
