import ConclaveBase
import ConclaveCoordination
import ConclaveWire
import DequeModule

/// Connections coming and going, and what is written to them.
extension Service {
    /// Beyond this nothing is read from a client that does not read either, and what it follows is
    /// cut.
    static let maximumBacklog = 1 << 20

    /// How long a connection may be open without a hello: it takes a place from others.
    static let greetingPatience = Interval.seconds(10)

    mutating func client(
        _ input: ClientInput, machine: () -> Coordinator, now: Instant,
        effects: inout [ServiceEffect]
    ) {
        switch input {
        case .opened(let id, let process, let canBeStopped):
            let greetBy = now.advanced(by: Self.greetingPatience)
            let connection = Connection(
                process: process, canBeStopped: canBeStopped, greetBy: greetBy)
            opened(id, connection, effects: &effects)
        case .frame(let id, let frame):
            received(frame, from: id, machine: machine, now: now, effects: &effects)
        case .malformed(let id, let error):
            let refusal = Refusal(.malformed, error.description)
            reject(refusal, type: 0, number: 0, on: id, now: now, effects: &effects)
        case .closed(let id): closed(id, now: now, effects: &effects)
        case .processDied(let id): processDied(id, now: now, effects: &effects)
        case .stalled(let id, let byteCount):
            connections[id]?.backlog = byteCount
            reconsiderReading(id, effects: &effects)
        case .drained(let id):
            connections[id]?.backlog = 0
            unpark(id)
            reconsiderReading(id, effects: &effects)
        }
    }

    private mutating func opened(
        _ id: ConnectionID, _ connection: Connection, effects: inout [ServiceEffect]
    ) {
        guard connections[id] == nil else { return }
        earliestGreeting = min(earliestGreeting, connection.greetBy)
        connections[id] = connection
        let uid = connection.process.uid
        connectionCounts[uid, default: 0] += 1
        guard let refusal = refusal(of: uid) else { return }
        refuse(refusal, type: 0, number: 0, on: id, effects: &effects)
        close(id, now: .distantPast, effects: &effects)
    }

    mutating func dropTheSilent(now: Instant, effects: inout [ServiceEffect]) {
        guard earliestGreeting <= now else { return }
        let silent = connections.filter { !$0.value.isGreeted && $0.value.greetBy <= now }.keys
        for id in silent.sorted() {
            let refusal = Refusal(
                .invalid, "no hello within \(Self.greetingPatience.milliseconds) ms")
            reject(refusal, type: 0, number: 0, on: id, now: now, effects: &effects)
        }
        earliestGreeting = connections.values.reduce(.distantFuture) { earliest, connection in
            connection.isGreeted ? earliest : min(earliest, connection.greetBy)
        }
    }

    private func refusal(of uid: UInt32) -> Refusal? {
        if connections.count > settings.maximumConnections {
            return Refusal(
                .quotaExceeded,
                "the daemon has \(settings.maximumConnections) connections already "
                    + "(the setting clients.connections)")
        }
        if connectionCounts[uid] ?? 0 > settings.maximumConnectionsPerUID {
            return Refusal(
                .quotaExceeded,
                "uid \(uid) has \(settings.maximumConnectionsPerUID) connections already "
                    + "(the setting clients.connectionsPerUid)")
        }
        return nil
    }

    /// Closes a connection from this side; nothing more is heard of it.
    mutating func close(
        _ id: ConnectionID, now: Instant, effects: inout [ServiceEffect]
    ) {
        guard connections[id] != nil else { return }
        effects.append(.close(id))
        closed(id, now: now, effects: &effects)
    }

    /// The socket is gone. The process may live: its session is no longer extended, and ends when
    /// what was shown has passed, unless it is resumed before.
    private mutating func closed(
        _ id: ConnectionID, now: Instant, effects: inout [ServiceEffect]
    ) {
        guard let connection = connections.removeValue(forKey: id) else { return }
        subscriptions.removeAll(of: id)
        heldLine.closed(id)
        reads.removeAll(of: id)
        keyWatchers.removeAll(of: id)
        groupFollowers.removeAll(of: id)
        leaderObservers.removeAll(of: id)
        let count = connectionCounts[connection.process.uid] ?? 0
        connectionCounts[connection.process.uid] = count > 1 ? count - 1 : nil
        var isWatched = false
        if let nonce = connection.opening, serving.isServing {
            openings[nonce]?.isAbandoned = true
            isWatched = true
        } else if let nonce = connection.opening {
            withdrawOpening(nonce)
        }
        if let session = connection.session {
            disconnect(session, now: now)
            if sessions[session]?.watch == id {
                watched[id] = session
                isWatched = true
            }
        }
        if !isWatched { effects.append(.forget(id)) }
    }

    /// While nothing is served, openings that nobody waits for must not pile up until the next
    /// view: clients come again and again. Should one have got into the order before, its session
    /// is one without a connection.
    private mutating func withdrawOpening(_ nonce: UInt64) {
        guard let opening = openings.removeValue(forKey: nonce) else { return }
        let command = opening.command.bytes
        proposals.removeAll { $0 == command }
    }

    private mutating func disconnect(_ id: SessionID, now: Instant) {
        guard let session = sessions[id] else { return }
        sessions[id]?.connection = nil
        sessions[id]?.owed = nil
        sessions[id]?.goodbye = nil
        let endAt = session.deadline ?? now.advanced(by: session.ttl)
        sessions[id]?.endAt = endAt
        earliestDue = min(earliestDue, endAt)
    }

    private mutating func processDied(
        _ id: ConnectionID, now: Instant, effects: inout [ServiceEffect]
    ) {
        if let connection = connections[id] {
            connections[id]?.processIsDead = true
            if let nonce = connection.opening { openings[nonce]?.processIsDead = true }
        }
        for nonce in openings.keys.sorted() where openings[nonce]?.connection == id {
            openings[nonce]?.processIsDead = true
        }
        guard let session = connections[id]?.session ?? watched[id],
            sessions[session]?.watch == id
        else { return }
        order(.died, of: session, now: now, effects: &effects)
    }

    /// Lets go of the pidfd of a session's process, if nothing else needs it.
    mutating func releaseWatch(of id: SessionID, effects: inout [ServiceEffect]) {
        guard let watch = sessions[id]?.watch else { return }
        sessions[id]?.watch = nil
        guard watched.removeValue(forKey: watch) != nil else { return }
        effects.append(.forget(watch))
    }

    // MARK: - Writing

    mutating func send(
        _ type: ClientFrameType, _ flags: FrameHeader.Flags, number: UInt64,
        to id: ConnectionID, attachPage: Bool = false, effects: inout [ServiceEffect],
        body: (inout ByteWriter) -> Void
    ) {
        let frame = FrameHeader.frame(
            type: type.rawValue, flags: flags, number: number, reserving: 64, body: body)
        send(frame, to: id, attachPage: attachPage, effects: &effects)
    }

    private mutating func send(
        _ frame: [UInt8], to id: ConnectionID, attachPage: Bool, effects: inout [ServiceEffect]
    ) {
        guard let index = connections.index(forKey: id) else { return }
        guard connections.values[index].held.isEmpty else {
            return hold(.frame(frame, attachPage: attachPage), for: id, effects: &effects)
        }
        effects.append(.send(id, frame, attachPage: attachPage))
        guard connections.values[index].backlog > 0 else { return }
        connections.values[index].backlog += frame.count
        reconsiderReading(id, effects: &effects)
    }

    /// An answer that says no; the connection goes on.
    mutating func refuse(
        _ refusal: Refusal, type: UInt16, number: UInt64, on id: ConnectionID,
        effects: inout [ServiceEffect]
    ) {
        var writer = ByteWriter()
        refusal.encode(into: &writer)
        let frame = FrameHeader.frame(
            type: type, flags: [.reply, .error], number: number, body: writer.bytes)
        send(frame, to: id, attachPage: false, effects: &effects)
    }

    /// One error frame, then the end of the connection. It does not wait for what is held: a session
    /// is told that when it is resumed.
    mutating func reject(
        _ refusal: Refusal, type: UInt16, number: UInt64, on id: ConnectionID, now: Instant,
        effects: inout [ServiceEffect]
    ) {
        connections[id]?.held = []
        refuse(refusal, type: type, number: number, on: id, effects: &effects)
        close(id, now: now, effects: &effects)
    }

    /// Reading stops when a client does not read, or has too many requests on their way into the
    /// order. Requests that were applied and wait do not count: the one that cancels them must
    /// still get through.
    mutating func reconsiderReading(_ id: ConnectionID, effects: inout [ServiceEffect]) {
        guard let session = connections.change(id, { $0.session }) else { return }
        let onTheirWay = session.flatMap { sessions.change($0) { $0.requests.count } } ?? 0
        reconsiderReading(id, onTheirWay: onTheirWay, effects: &effects)
    }

    mutating func reconsiderReading(
        _ id: ConnectionID, onTheirWay: Int, effects: inout [ServiceEffect]
    ) {
        let change = connections.change(id) { connection -> ServiceEffect? in
            let inFlight = onTheirWay + connection.held.count
            let limit = ClientLimits.requestsInFlight
            let isTooMuch = connection.waitingByteCount > Self.maximumBacklog || inFlight > limit
            let isLittle =
                connection.waitingByteCount <= Self.maximumBacklog / 2 && inFlight <= limit / 2
            guard connection.isPaused ? isLittle : isTooMuch else { return nil }
            connection.isPaused.toggle()
            return connection.isPaused ? .pauseReading(id) : .resumeReading(id)
        }
        if let change = change ?? nil { effects.append(change) }
    }

    /// Telling a thousand clients takes longer than most view changes.
    mutating func pause(_ state: ServingState, now: Instant, effects: inout [ServiceEffect]) {
        serving = state
        if toldServing.isServing {
            tellAt = min(tellAt, now.advanced(by: settings.suspicion / 4))
        } else {
            tellServing(effects: &effects)
        }
    }

    mutating func tellServing(effects: inout [ServiceEffect]) {
        tellAt = .distantFuture
        guard toldServing != serving else { return }
        let state = serving
        toldServing = state
        for id in connections.keys.sorted() where connections[id]?.isGreeted == true {
            send(.serving, .event, number: 0, to: id, effects: &effects) {
                state.encode(into: &$0)
            }
        }
    }
}
