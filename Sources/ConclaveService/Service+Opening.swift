import ConclaveBase
import ConclaveCoordination
import ConclaveWire

/// Opening and resuming sessions: on the way into the order, and when the group has answered.
extension Service {
    mutating func open(
        _ request: OpenRequest, number: UInt64, on id: ConnectionID,
        effects: inout [ServiceEffect]
    ) {
        guard let connection = connections[id] else { return }
        let hasUsualTTL = request.ttl == .zero
        let ttl = hasUsualTTL ? usualTTL : request.ttl
        if let refusal = refusalOfOpening(connection) ?? refusal(ofTTL: ttl) ?? refusalIfFull {
            let type = ClientFrameType.open.rawValue
            return refuse(refusal, type: type, number: number, on: id, effects: &effects)
        }
        guard let secret = spareSecret else {
            preconditionFailure("the caller did not provide a secret")
        }
        spareSecret = nil
        lastNonce += 1
        let command = OpenCommand(
            id: request.id, secret: secret, ttl: ttl, label: request.label,
            process: connection.process, member: settings.own, nonce: lastNonce)
        begin(
            Opening(
                connection: id, type: .open, number: number, command: .open(command),
                hasUsualTTL: hasUsualTTL),
            nonce: lastNonce)
    }

    mutating func resume(
        _ request: ResumeRequest, number: UInt64, on id: ConnectionID,
        machine: () -> Coordinator, effects: inout [ServiceEffect]
    ) {
        guard let connection = connections[id] else { return }
        if let refusal = refusalOfOpening(connection) ?? refusal(ofResuming: request.session)
            ?? refusal(ofTakingOver: request.session, by: connection.process, machine: machine)
        {
            let type = ClientFrameType.resume.rawValue
            return refuse(refusal, type: type, number: number, on: id, effects: &effects)
        }
        lastNonce += 1
        let command = ResumeCommand(
            session: request.session, secret: request.secret, confirmed: request.confirmed,
            process: connection.process, member: settings.own, nonce: lastNonce)
        var opening = Opening(
            connection: id, type: .resume, number: number, command: .resume(command))
        opening.guards = request.guards
        begin(opening, nonce: lastNonce)
    }

    private mutating func begin(_ opening: Opening, nonce: UInt64) {
        openings[nonce] = opening
        openings[nonce]?.processIsDead = connections[opening.connection]?.processIsDead ?? false
        connections[opening.connection]?.opening = nonce
        propose(opening.command)
    }

    private func refusalOfOpening(_ connection: Connection) -> Refusal? {
        guard connection.session != nil || connection.opening != nil else { return nil }
        return Refusal(.invalid, "this connection has a session already")
    }

    /// Of a session whose client names no ttl: what is usual, as far as the group allows it.
    var usualTTL: Interval {
        ClientLimits.usualTTL(from: settings.minimumSessionTTL, to: maximumSessionTTL)
    }

    /// K8. How long a session of this group may last is known from its views: what comes before the
    /// first one is looked at again when that begins.
    func refusal(ofTTL ttl: Interval) -> Refusal? {
        let minimum = settings.minimumSessionTTL
        if ttl < minimum {
            return Refusal(
                .invalid, "ttl: \(ttl) is less than \(minimum), 3 x the setting timing.suspicion")
        }
        if epoch != .none, ttl > maximumSessionTTL {
            return Refusal(
                .invalid,
                "ttl: \(ttl) is more than \(maximumSessionTTL), the group's setting "
                    + "maxSessionTtl")
        }
        return nil
    }

    /// A deadline that has passed is final (K5), whoever knows the secret.
    private func refusal(ofResuming id: SessionID) -> Refusal? {
        guard let ending = sessions[id]?.ending else { return nil }
        return Refusal(.sessionEnded, "session \(id) is over: \(ending)")
    }

    /// Each process that takes a session over needs another slot of the page, and those before stay
    /// out of use until the session ends.
    private func refusal(
        ofTakingOver id: SessionID, by process: ProcessIdentity, machine: () -> Coordinator
    ) -> Refusal? {
        let count = slots.retiredCount(of: id)
        guard count >= settings.maximumRetiredSlotsPerSession else { return nil }
        if machine().sessionState(id)?.process.isSameProcess(as: process) ?? true { return nil }
        return Refusal(
            .quotaExceeded,
            "session \(id) was taken over \(count) times from processes of this host: "
                + "end it, and open another one")
    }

    /// A session that has no slot would end at once; what is found full only later is seen to then.
    private var refusalIfFull: Refusal? {
        slots.isFull ? Self.noFreeSlot : nil
    }

    private static let noFreeSlot = Refusal(
        .quotaExceeded, "the validity page has no free slot: end some sessions of this host")

    mutating func openRefused(
        _ nonce: UInt64, _ refusal: Refusal, effects: inout [ServiceEffect]
    ) {
        guard let opening = take(nonce, effects: &effects) else { return }
        refuse(
            refusal, type: opening.type.rawValue, number: opening.number,
            on: opening.connection, effects: &effects)
    }

    /// Forgets an opening that was answered; `nil` if it is not known, or nobody waits for it.
    private mutating func take(_ nonce: UInt64, effects: inout [ServiceEffect]) -> Opening? {
        guard let opening = openings.removeValue(forKey: nonce) else { return nil }
        guard opening.isAbandoned else {
            connections[opening.connection]?.opening = nil
            return opening
        }
        effects.append(.forget(opening.connection))
        return nil
    }

    /// The group has attached a session, here or elsewhere.
    mutating func attached(
        _ id: SessionID, _ attachment: Attachment, nonce: UInt64, machine: Coordinator,
        now: Instant, effects: inout [ServiceEffect]
    ) {
        guard attachment.member == settings.own else {
            return movedAway(id, now: now, effects: &effects)
        }
        guard let state = machine.sessionState(id), state.attachment == attachment else {
            // Later effects tell what became of it; whoever asked must ask again.
            let refusal = Refusal(.unavailable, "session \(id) was attached anew at once")
            return openRefused(nonce, refusal, effects: &effects)
        }
        takeOver(state, isFollowed: openings[nonce] != nil, now: now, effects: &effects)
        if let opening = openings.removeValue(forKey: nonce) {
            join(opening, to: id, machine: machine, now: now, effects: &effects)
        }
    }

    /// Makes the session a local one under its new attachment. What was received for it stays if
    /// its process is the same, and so does what that is watched by, unless another connection follows.
    private mutating func takeOver(
        _ state: SessionState, isFollowed: Bool, now: Instant, effects: inout [ServiceEffect]
    ) {
        if let old = sessions[state.id], old.process.isSameProcess(as: state.process) {
            closeConnection(of: state.id, now: now, effects: &effects)
            if isFollowed { releaseWatch(of: state.id, effects: &effects) }
            sessions[state.id]?.attachment = state.attachment
            if old.isYielding {
                // Its validity was withdrawn for a process that did not come: that is final (K5). What
                // an earlier daemon showed is waited for all the same.
                sessions[state.id]?.isYielding = false
                sessions[state.id]?.ending = .expired
            }
            return proposeEndAnew(of: state.id, isWithdrawnNow: old.isYielding)
        }
        // Known here under another process, it was taken from that one when nothing was valid.
        let shownBefore =
            sessions[state.id] == nil ? latestShown(of: state, now: now) : .distantPast
        movedAway(state.id, now: now, effects: &effects)
        adopt(state, shownBefore: shownBefore, now: now)
    }

    /// Until when an earlier run of this host's daemon may have shown the session to be valid, by
    /// a heartbeat sent no later than now (K3).
    func latestShown(of state: SessionState, now: Instant) -> Instant {
        let first: UInt64 = settings.plant == .shownBeforeForgotten ? 2 : 1
        guard state.attachment.number > first else { return .distantPast }
        return now.advanced(by: ClockDrift.shortened(state.ttl))
    }

    /// A new local session, as yet without a connection.
    mutating func adopt(_ state: SessionState, shownBefore: Instant, now: Instant) {
        var session = LocalSession(state, slot: slots.take())
        session.shownBefore = shownBefore
        // Without a place in the page nothing is shown here, and only what was is waited for.
        session.endAt =
            session.slot == nil ? max(now, shownBefore) : now.advanced(by: state.ttl)
        earliestDue = min(earliestDue, session.endAt)
        sessions[state.id] = session
    }

    private mutating func join(
        _ opening: Opening, to id: SessionID, machine: Coordinator, now: Instant,
        effects: inout [ServiceEffect]
    ) {
        let connection = opening.connection
        connections[connection]?.opening = nil
        guard let session = sessions[id], session.ending == nil, session.slot != nil else {
            if opening.isAbandoned { return effects.append(.forget(connection)) }
            let isFull = sessions[id].map { $0.slot == nil } ?? false
            let refusal =
                isFull
                ? Self.noFreeSlot
                : Refusal(.sessionEnded, "session \(id) is over")
            return refuse(
                refusal, type: opening.type.rawValue, number: opening.number, on: connection,
                effects: &effects)
        }
        sessions[id]?.watch = connection
        takeGuards(of: opening, for: id, machine: machine)
        if opening.isAbandoned {
            watched[connection] = id
        } else {
            connections[connection]?.session = id
            sessions[id]?.connection = connection
            sessions[id]?.endAt = .distantFuture
            sessions[id]?.owed = (opening.type, opening.number)
        }
        if opening.processIsDead { return order(.died, of: id, now: now, effects: &effects) }
        extend(id, now: now, effects: &effects)
        answerOpening(of: id, machine: machine, effects: &effects)
    }

    /// Tells the client that its session is open, once there is a deadline to show: then what
    /// waits, and every reply that it has not confirmed (K9).
    mutating func answerOpening(
        of id: SessionID, machine: Coordinator, effects: inout [ServiceEffect]
    ) {
        guard let session = sessions[id], let owed = session.owed, session.deadline != nil,
            let connection = session.connection, let slot = session.slot
        else { return }
        sessions[id]?.owed = nil
        sessions[id]?.forgetTypes { machine.keeps($0, of: id) }
        let opened = SessionOpened(
            session: id, secret: session.secret, version: machine.version, slot: slot,
            ttl: session.ttl, waiting: machine.waitingNumbers(of: id))
        send(
            owed.type, .reply, number: owed.number, to: connection, attachPage: true,
            effects: &effects
        ) { opened.encode(into: &$0) }
        for (number, reply) in machine.storedReplies(of: id) {
            sendReply(reply, to: number, of: id, effects: &effects)
        }
    }

    /// Another daemon, or another process here, has the session now.
    private mutating func movedAway(
        _ id: SessionID, now: Instant, effects: inout [ServiceEffect]
    ) {
        guard sessions[id] != nil else { return }
        closeConnection(of: id, now: now, effects: &effects)
        releaseWatch(of: id, effects: &effects)
        withdraw(id, effects: &effects)
        remove(id, effects: &effects)
    }

    /// Whatever connection the session had is superseded: it is closed.
    private mutating func closeConnection(
        of id: SessionID, now: Instant, effects: inout [ServiceEffect]
    ) {
        guard let connection = sessions[id]?.connection else { return }
        close(connection, now: now, effects: &effects)
    }

    /// Forgets a local session; its slot stays out of use until the session is over.
    mutating func remove(_ id: SessionID, effects: inout [ServiceEffect]) {
        releaseWatch(of: id, effects: &effects)
        guard let session = sessions.removeValue(forKey: id) else { return }
        if let slot = session.slot { slots.retire(slot, of: id) }
        if let connection = session.connection {
            connections[connection]?.session = nil
            reconsiderReading(connection, effects: &effects)
        }
    }
}
