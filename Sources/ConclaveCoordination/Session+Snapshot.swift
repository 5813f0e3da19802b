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
        writer.flag(isForced)
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
        isForced = try reader.flag("forced")
        guard !isForced || takeover == nil else {
            throw .invalid(field: "takeover", reason: "\(id) was ended by an administrator")
        }
    }
}
