package import ConclaveBase
package import ConclaveWire

/// One entry of the total order, as the state machine understands it. The bytes are those of the
/// journal: a case's number is never given to another one.
package enum Command: Equatable, Sendable {
    case open(OpenCommand)
    case resume(ResumeCommand)
    /// A client's request. The number is its name for ever (K9).
    case request(session: SessionID, number: UInt64, confirmed: UInt64, operation: Operation)
    case confirm(session: SessionID, upTo: UInt64)
    /// The session's own daemon ends it (K1). No effect if the attach number has changed.
    case end(session: SessionID, attachment: UInt64, reason: SessionEnd)
    /// Others end a session whose host is gone (K2). No effect unless `epoch` is the installed one,
    /// the attach number unchanged, and the attached incarnation not in the view.
    case expire(session: SessionID, attachment: UInt64, epoch: Epoch)
    /// The old daemon has withdrawn the session's validity for another process (K7).
    case yieldAttachment(session: SessionID, attachment: UInt64)
    /// Ends the time without grants after a loss of state (V26). No effect unless `epoch` is the
    /// installed one.
    case openGrants(epoch: Epoch)
    /// Nobody was granted the lock for a while after its holder was lost at version `since`: that is
    /// over. No effect unless it is closed since then.
    case openLock(name: ObjectName, since: Version)
    /// The time of a lease is over. No effect unless it was granted or renewed last at `renewed`.
    case expireLease(name: ObjectName, renewed: Version)

    private enum Kind: UInt8 {
        case open = 1
        case resume = 2
        case request = 3
        case confirm = 4
        case end = 5
        case expire = 6
        case yieldAttachment = 7
        case openGrants = 8
        // 9 was a command that changed nothing.
        case openLock = 10
        case expireLease = 11
    }

    package func encode(into writer: inout ByteWriter) {
        switch self {
        case .open(let open):
            writer.integer(Kind.open.rawValue)
            open.encode(into: &writer)
        case .resume(let resume):
            writer.integer(Kind.resume.rawValue)
            resume.encode(into: &writer)
        case .request(let session, let number, let confirmed, let operation):
            writer.integer(Kind.request.rawValue)
            writer.integer(session.number)
            writer.integer(number)
            writer.integer(confirmed)
            writer.integer(operation.type.rawValue)
            operation.encode(into: &writer)
        case .confirm(let session, let number):
            writer.integer(Kind.confirm.rawValue)
            writer.integer(session.number)
            writer.integer(number)
        case .end(let session, let attachment, let reason):
            writer.integer(Kind.end.rawValue)
            writer.integer(session.number)
            writer.integer(attachment)
            writer.integer(reason.rawValue)
        case .expire(let session, let attachment, let epoch):
            writer.integer(Kind.expire.rawValue)
            writer.integer(session.number)
            writer.integer(attachment)
            writer.integer(epoch.number)
        case .yieldAttachment(let session, let attachment):
            writer.integer(Kind.yieldAttachment.rawValue)
            writer.integer(session.number)
            writer.integer(attachment)
        case .openGrants(let epoch):
            writer.integer(Kind.openGrants.rawValue)
            writer.integer(epoch.number)
        case .openLock(let name, let since):
            writer.integer(Kind.openLock.rawValue)
            writer.name(name)
            writer.integer(since.number)
        case .expireLease(let name, let renewed):
            writer.integer(Kind.expireLease.rawValue)
            writer.name(name)
            writer.integer(renewed.number)
        }
    }

    package var bytes: [UInt8] {
        var writer = ByteWriter(reserving: 64)
        encode(into: &writer)
        return writer.bytes
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        let kind: Kind = try reader.choice("command")
        switch kind {
        case .open: self = .open(try OpenCommand(from: &reader))
        case .resume: self = .resume(try ResumeCommand(from: &reader))
        case .request: self = try Self.request(from: &reader)
        case .confirm:
            let session = try reader.session("session")
            self = .confirm(session: session, upTo: try reader.integer("up to"))
        case .end:
            let session = try reader.session("session")
            let attachment: UInt64 = try reader.integer("attach number")
            self = .end(
                session: session, attachment: attachment, reason: try reader.choice("reason"))
        case .expire:
            let session = try reader.session("session")
            let attachment: UInt64 = try reader.integer("attach number")
            self = .expire(
                session: session, attachment: attachment, epoch: try reader.epoch("epoch"))
        case .yieldAttachment:
            let session = try reader.session("session")
            self = .yieldAttachment(
                session: session, attachment: try reader.integer("attach number"))
        case .openGrants: self = .openGrants(epoch: try reader.epoch("epoch"))
        case .openLock:
            let name = try reader.name("name")
            self = .openLock(name: name, since: try reader.version("since"))
        case .expireLease:
            let name = try reader.name("name")
            self = .expireLease(name: name, renewed: try reader.version("renewed"))
        }
    }

    private static func request(from reader: inout ByteReader) throws(WireError) -> Command {
        let session = try reader.session("session")
        let number: UInt64 = try reader.integer("number")
        let confirmed: UInt64 = try reader.integer("confirmed")
        let type: UInt16 = try reader.integer("operation")
        guard let known = ClientFrameType(rawValue: type),
            let operation = try Operation.decode(known, from: &reader)
        else { throw .unknown(field: "operation", value: UInt64(type)) }
        return .request(
            session: session, number: number, confirmed: confirmed, operation: operation)
    }
}
