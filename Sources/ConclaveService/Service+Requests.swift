import ConclaveBase
import ConclaveCoordination
import ConclaveWire

/// Requests on their way into the order, and replies on their way back (K9, K10).
extension Service {
    mutating func request(
        _ type: ClientFrameType, _ frame: FrameBuffer.Frame, from id: ConnectionID,
        machine: Coordinator, effects: inout [ServiceEffect]
    ) throws(WireError) {
        var reader = ByteReader(frame.body)
        guard let body = try OperationFrame(type, from: &reader) else { return }
        try reader.finish()
        let number = frame.header.number
        guard number > 0 else { throw .invalid(field: "number", reason: "must not be 0") }
        guard let session = connections[id]?.session, let local = sessions[session],
            local.owed == nil
        else {
            let refusal = Refusal(.invalid, "a request needs a session, and none is open")
            return refuse(refusal, frame.header, on: id, effects: &effects)
        }
        if let ending = local.ending {
            let refusal = Refusal(.sessionEnded, "session \(session) is over: \(ending)")
            return refuse(refusal, frame.header, on: id, effects: &effects)
        }
        let command = Command.request(
            session: session, number: number, confirmed: body.confirmed,
            operation: body.operation
        ).bytes
        guard command.count <= settings.maximumCommandByteCount else {
            let message =
                "the request takes \(command.count) bytes, more than the limit "
                + "maximumCommandByteCount of \(settings.maximumCommandByteCount)"
            return refuse(Refusal(.invalid, message), frame.header, on: id, effects: &effects)
        }
        accept(
            LocalSession.Request(type: type, command: command), number: number, of: session,
            confirmed: max(body.confirmed, local.confirmed), effects: &effects)
    }

    private mutating func accept(
        _ request: LocalSession.Request, number: UInt64, of id: SessionID, confirmed: UInt64,
        effects: inout [ServiceEffect]
    ) {
        guard let session = sessions[id] else { return }
        sessions[id]?.confirmed = confirmed
        if session.unorderedConfirmation ?? .max <= confirmed {
            sessions[id]?.unorderedConfirmation = nil
        }
        // A repeat of what is on its way, or of what the client itself knows is over.
        guard session.requests[number] == nil else { return }
        guard session.types[number] != nil || number > confirmed else { return }
        sessions[id]?.requests[number] = request
        sessions[id]?.types[number] = request.type
        proposals.append(request.command)
        if let connection = session.connection {
            reconsiderReading(connection, effects: &effects)
        }
    }

    private mutating func refuse(
        _ refusal: Refusal, _ header: FrameHeader, on id: ConnectionID,
        effects: inout [ServiceEffect]
    ) {
        refuse(refusal, type: header.type, number: header.number, on: id, effects: &effects)
    }

    /// What the state machine passed over because the session had too many unconfirmed replies is
    /// proposed anew behind the confirmation.
    mutating func confirm(upTo number: UInt64, on id: ConnectionID) {
        guard let session = connections[id]?.session, let local = sessions[session],
            local.ending == nil, number > local.confirmed
        else { return }
        sessions[session]?.confirmed = number
        sessions[session]?.unorderedConfirmation = number
        propose(.confirm(session: session, upTo: number))
        for passedOver in local.orderedRequests where passedOver.number < local.newestApplied {
            proposals.append(passedOver.request.command)
        }
    }

    mutating func requestApplied(
        _ number: UInt64, of id: SessionID, effects: inout [ServiceEffect]
    ) {
        guard let session = sessions[id] else { return }
        sessions[id]?.newestApplied = max(session.newestApplied, number)
        guard sessions[id]?.requests.removeValue(forKey: number) != nil else { return }
        if let connection = session.connection {
            reconsiderReading(connection, effects: &effects)
        }
    }

    mutating func sendReply(
        _ reply: Reply, to number: UInt64, of id: SessionID, effects: inout [ServiceEffect]
    ) {
        guard let session = sessions[id] else { return }
        guard let connection = session.connection, session.owed == nil else { return }
        let type = sessions[id]?.types.removeValue(forKey: number) ?? reply.likelyType
        send(type, .reply, number: number, to: connection, effects: &effects) {
            reply.encode(into: &$0)
        }
    }
}

extension Reply {
    /// What it may be the reply to, for one whose request was not received here.
    fileprivate var likelyType: ClientFrameType {
        switch self {
        case .granted, .busy, .cancelled, .refused: .acquire
        case .elected: .campaign
        case .done: .release
        case .tripped, .broken: .arrive
        case .cancelOutcome: .cancel
        }
    }
}
