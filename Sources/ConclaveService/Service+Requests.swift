import ConclaveBase
import ConclaveCoordination
import ConclaveWire

/// Requests on their way into the order, and replies on their way back (K9, K10).
extension Service {
    mutating func request(
        _ type: ClientFrameType, _ frame: FrameBuffer.Frame, from id: ConnectionID,
        machine: () -> Coordinator, effects: inout [ServiceEffect]
    ) throws(WireError) {
        var reader = ByteReader(frame.body)
        guard let body = try OperationFrame(type, from: &reader) else { return }
        try reader.finish()
        let number = frame.header.number
        guard number > 0 else { throw .invalid(field: "number", reason: "must not be 0") }
        let session: SessionID
        switch openSession(of: id) {
        case .success(let open): session = open
        case .failure(let refusal):
            return refuse(refusal, frame.header, on: id, effects: &effects)
        }
        if case .revoke = body.operation, !isAdministrator(id) {
            return refuse(Self.notAdministrator, frame.header, on: id, effects: &effects)
        }
        if case .lease(let lease) = body.operation, let ttl = lease.ttl,
            let refusal = refusal(ofTTL: ttl)
        {
            return refuse(refusal, frame.header, on: id, effects: &effects)
        }
        if body.onLoss != .notify,
            let refusal = refusal(ofGuarding: body.operation, number: number, session, on: id)
        {
            return refuse(refusal, frame.header, on: id, effects: &effects)
        }
        let command = Command.request(
            session: session, number: number, confirmed: body.confirmed,
            operation: body.operation
        ).bytes
        guard command.count <= settings.maximumCommandByteCount else {
            let message =
                "the request takes \(command.count) bytes, more than the "
                + "\(settings.maximumCommandByteCount) that a slot has room for (slots.size)"
            return refuse(Refusal(.invalid, message), frame.header, on: id, effects: &effects)
        }
        let request = LocalSession.Request(type: type, command: command)
        let acceptance = sessions.change(session) {
            $0.accept(request, number: number, frame: body)
        }
        switch acceptance {
        case .new(let onTheirWay)?:
            proposals.append(command)
            reconsiderReading(id, onTheirWay: onTheirWay, effects: &effects)
        case .confirmed? where !machine().keeps(number, of: session):
            refuse(.confirmed(number), frame.header, on: id, effects: &effects)
        case .confirmed?, .onItsWay?, nil: break
        }
    }

    /// The session of a connection, if its client was told that it is open, and it is not over.
    private mutating func openSession(of id: ConnectionID) -> Result<SessionID, Refusal> {
        guard let session = connections.change(id, { $0.session }) ?? nil,
            let (isOwed, ending) = sessions.change(session, { ($0.owed != nil, $0.ending) }),
            !isOwed
        else { return .failure(Refusal(.invalid, "a request needs a session, and none is open")) }
        guard let ending else { return .success(session) }
        return .failure(Refusal(.sessionEnded, "session \(session) is over: \(ending)"))
    }

    private mutating func refuse(
        _ refusal: Refusal, _ header: FrameHeader, on id: ConnectionID,
        effects: inout [ServiceEffect]
    ) {
        refuse(refusal, type: header.type, number: header.number, on: id, effects: &effects)
    }

    /// Only a number that the group keeps is confirmed, each once, so that no more confirmations
    /// can be on their way than requests were let in. What a client knows of was applied here, too,
    /// before its session was attached here.
    mutating func confirm(upTo claimed: UInt64, on id: ConnectionID, machine: Coordinator) {
        guard let session = connections[id]?.session, let local = sessions[session],
            local.ending == nil, let number = machine.newestKept(upTo: claimed, of: session),
            number > local.confirmed
        else { return }
        sessions[session]?.confirmed = number
        sessions[session]?.unorderedConfirmation = number
        propose(.confirm(session: session, upTo: number))
    }

    /// A function of its own, so that its cost can be told from that of `applied`.
    @inline(never)
    mutating func requestApplied(
        _ number: UInt64, of id: SessionID, effects: inout [ServiceEffect]
    ) {
        let connection = sessions.change(id) { session in
            session.requests[number] = nil
            return session.connection
        }
        guard let connection = connection ?? nil,
            connections.change(connection, { $0.isPaused }) == true
        else { return }
        reconsiderReading(connection, effects: &effects)
    }

    /// The client had confirmed the number before the request was applied. If it is still owed an
    /// answer, there is only that to say.
    mutating func requestSettled(
        _ number: UInt64, of id: SessionID, effects: inout [ServiceEffect]
    ) {
        guard let request = sessions[id]?.requests[number] else { return }
        requestApplied(number, of: id, effects: &effects)
        _ = sessions[id]?.takeType(of: number)
        sessions[id]?.noteAnswer(.refused(.confirmed(number)), to: number)
        guard let session = sessions[id], let connection = session.connection, session.owed == nil
        else { return }
        refuse(
            .confirmed(number), type: request.type.rawValue, number: number, on: connection,
            effects: &effects)
    }

    /// Sends a reply to where the session is connected. One that cannot be sent now is kept by the
    /// group, and sent when the session is resumed.
    mutating func sendReply(
        _ reply: Reply, to number: UInt64, of id: SessionID, effects: inout [ServiceEffect]
    ) {
        var stopAt = Instant.distantFuture
        let place = sessions.change(id) { session -> (ConnectionID, ClientFrameType?)? in
            if !session.guards.isEmpty {
                session.noteAnswer(reply, to: number)
                stopAt = session.stopAt
            }
            guard let connection = session.connection, session.owed == nil else { return nil }
            return (connection, session.takeType(of: number))
        }
        earliestDue = min(earliestDue, stopAt)
        guard let (connection, type) = place ?? nil else { return }
        let frame = HeldFrame.reply(type ?? reply.likelyType, number: number, reply)
        answer(frame, to: connection, effects: &effects)
    }
}

extension Refusal {
    fileprivate static func confirmed(_ number: UInt64) -> Refusal {
        Refusal(
            .invalid,
            "request \(number) was confirmed before it was sent, and is not carried out any more")
    }
}

extension Reply {
    /// What it may be the reply to, for one whose request was not received here.
    fileprivate var likelyType: ClientFrameType {
        switch self {
        case .granted, .busy, .cancelled, .refused: .acquire
        case .grantedAll: .acquireAll
        case .elected: .campaign
        case .done: .release
        case .tripped, .broken: .arrive
        case .cancelOutcome: .cancel
        case .written, .mismatched: .transact
        case .leased, .leaseTaken: .lease
        case .joined: .joinGroup
        case .sent: .sendToGroup
        case .counted: .latch
        }
    }
}
