import ConclaveBase
import ConclaveCoordination
import ConclaveWire

/// How long sessions are valid, and how they end (K1, K3, K5, K7).
extension Service {
    /// A majority has confirmed a heartbeat of the installed epoch: the deadlines of connected
    /// sessions move on (K3).
    mutating func confirmed(
        _ since: Instant, machine: Coordinator, now: Instant, effects: inout [ServiceEffect]
    ) {
        guard !isWedged else { return }
        newestConfirmed = max(newestConfirmed ?? .distantPast, since)
        lastConfirmed = max(lastConfirmed ?? .distantPast, since)
        for id in sessions.ids {
            extend(id, now: now, effects: &effects)
            answerOpening(of: id, machine: machine, effects: &effects)
        }
    }

    /// Shows a later deadline, if there is reason for one. One that has passed is never extended:
    /// `passDeadlines` has ended that session before.
    mutating func extend(
        _ id: SessionID, now: Instant, effects: inout [ServiceEffect]
    ) {
        guard let newestConfirmed else { return }
        let isFull = settings.plant == .fullTTLShown
        let shown = sessions.change(id) { session in
            let belief = isFull ? session.ttl : ClockDrift.shortened(session.ttl)
            return session.extend(to: newestConfirmed.advanced(by: belief), now: now).map { slot in
                (slot: slot, deadline: session.deadline ?? .distantPast, due: session.due)
            }
        }
        guard let shown = shown ?? nil else { return }
        earliestDue = min(earliestDue, shown.due)
        effects.append(.show(slot: shown.slot, session: id, deadline: shown.deadline))
    }

    mutating func passDeadlines(now: Instant, effects: inout [ServiceEffect]) {
        guard earliestDue <= now else { return }
        for id in sessions.ids {
            guard let session = sessions[id], session.due <= now else { continue }
            if session.isYielding || session.ending != nil {
                sessions[id]?.mustWait = false
                if session.isYielding {
                    proposeYield(of: id, attachment: session.attachment.number)
                } else {
                    proposeEndAnew(of: id)
                }
            } else if session.overAt <= now {
                order(.expired, of: id, now: now, effects: &effects)
            } else {
                stopProcess(of: id, effects: &effects)
            }
        }
        earliestDue = sessions.values.reduce(.distantFuture) { min($0, $1.due) }
    }

    /// Orders the end of a session of this daemon, and goes on doing so until it is applied (K1).
    mutating func order(
        _ reason: SessionEnd, of id: SessionID, now: Instant, effects: inout [ServiceEffect]
    ) {
        guard let session = sessions[id], session.ending == nil, !session.isYielding else { return }
        sessions[id]?.ending = reason
        // Nobody is to be stopped who is dead, or has let go.
        if reason != .expired { sessions[id]?.guards = LossGuards() }
        // Who says goodbye has let go; anybody else must see that nothing is valid any more.
        if reason != .goodbye { withdraw(id, effects: &effects) }
        if reason == .expired, stopsLater(id, now: now, effects: &effects) { return }
        proposeEnd(of: id, reason)
    }

    /// Its process is stopped, if it is to be; whether that may take longer.
    private mutating func stopsLater(
        _ id: SessionID, now: Instant, effects: inout [ServiceEffect]
    ) -> Bool {
        stopProcess(of: id, effects: &effects)
        guard let session = sessions[id], session.stopsBy > now else { return false }
        sessions[id]?.mustWait = true
        earliestDue = min(earliestDue, session.stopsBy)
        return true
    }

    private mutating func proposeEnd(
        of id: SessionID, _ reason: SessionEnd, isWithdrawnNow: Bool = false
    ) {
        guard let session = sessions[id] else { return }
        let command = Command.end(
            session: id, attachment: session.attachment.number, reason: reason)
        if isWithdrawnNow { proposeAfterEffects(command) } else { propose(command) }
    }

    /// Of a session that has another attachment now, or may have lost its proposal with an epoch.
    ///
    /// - Parameter isWithdrawnNow: Its validity may have been withdrawn in this very turn, and not
    ///   because it had passed.
    mutating func proposeEndAnew(of id: SessionID, isWithdrawnNow: Bool = false) {
        guard let session = sessions[id], let ending = session.ending else { return }
        guard !session.mustWait || settings.plant == .resumedEndsEarly else { return }
        proposeEnd(of: id, ending, isWithdrawnNow: isWithdrawnNow)
    }

    mutating func withdraw(_ id: SessionID, effects: inout [ServiceEffect]) {
        guard let session = sessions[id], session.deadline != .distantPast else { return }
        sessions[id]?.deadline = .distantPast
        guard let slot = session.slot else { return }
        effects.append(.show(slot: slot, session: id, deadline: .distantPast))
    }

    mutating func goodbye(
        number: UInt64, on id: ConnectionID, now: Instant, effects: inout [ServiceEffect]
    ) {
        guard let session = connections[id]?.session else {
            return send(.goodbye, .reply, number: number, to: id, effects: &effects) { _ in }
        }
        if settings.plant == .goodbyeAnsweredEarly {
            send(.goodbye, .reply, number: number, to: id, effects: &effects) { _ in }
        }
        sessions[session]?.goodbye = number
        order(.goodbye, of: session, now: now, effects: &effects)
    }

    /// K6, K7: another process wants the session, or an administrator wants it to end. Its validity
    /// here ends now, and then the group is told so; but not before the process can no longer believe
    /// what it was shown elsewhere, on the page of a daemon that has ended, and stands still if it is to.
    mutating func yield(
        _ id: SessionID, _ attachment: Attachment, isForced: Bool, now: Instant,
        effects: inout [ServiceEffect]
    ) {
        if let session = sessions[id], session.attachment == attachment, !session.isYielding {
            sessions[id]?.isYielding = true
            sessions[id]?.requests.removeAll()
            if !isForced || settings.plant != .forcedNotWithdrawn {
                withdraw(id, effects: &effects)
            }
            stopProcess(of: id, effects: &effects)
            if let connection = session.connection {
                tellEnd(isForced ? .forced : .expired, to: connection, effects: &effects)
                if settings.plant != .lostSessionStaysBound {
                    connections[connection]?.session = nil
                }
                sessions[id]?.connection = nil
                if session.watch == connection { sessions[id]?.watch = nil }
                reconsiderReading(connection, effects: &effects)
            }
        }
        if let session = sessions[id], session.attachment == attachment, session.waitsUntil > now {
            sessions[id]?.mustWait = true
            earliestDue = min(earliestDue, session.waitsUntil)
        } else if !isForced || settings.plant != .forcedNotOrdered {
            proposeYield(of: id, attachment: attachment.number)
        }
    }

    /// An administrator asks a client to let go of something; one that is not connected is not told.
    mutating func ask(
        _ id: SessionID, toLetGo notice: LetGoNotice, effects: inout [ServiceEffect]
    ) {
        guard let session = sessions[id], session.owed == nil, let connection = session.connection
        else { return }
        send(.letGo, .event, number: 0, to: connection, effects: &effects) {
            notice.encode(into: &$0)
        }
    }

    /// The group has ended a session: nothing of it remains but the word to its client.
    mutating func sessionEnded(
        _ id: SessionID, _ reason: SessionEnd, effects: inout [ServiceEffect]
    ) {
        isOverHere(id, reason, effects: &effects)
        slots.sessionEnded(id)
    }

    /// A local session ends here; elsewhere it may go on, and then its slot is not used again.
    mutating func isOverHere(
        _ id: SessionID, _ reason: SessionEnd, effects: inout [ServiceEffect]
    ) {
        guard let session = sessions[id] else { return }
        if reason != .goodbye { stopProcess(of: id, effects: &effects) }
        withdraw(id, effects: &effects)
        if let connection = session.connection {
            if let number = session.goodbye, reason == .goodbye {
                send(.goodbye, .reply, number: number, to: connection, effects: &effects) { _ in }
            } else if let owed = session.owed {
                refuse(
                    Refusal(.sessionEnded, "session \(id) is over: \(reason)"),
                    type: owed.type.rawValue, number: owed.number, on: connection,
                    effects: &effects)
            } else {
                tellEnd(reason, to: connection, effects: &effects)
            }
        }
        remove(id, effects: &effects)
    }

    private mutating func tellEnd(
        _ reason: SessionEnd, to connection: ConnectionID, effects: inout [ServiceEffect]
    ) {
        send(.sessionEnded, .event, number: 0, to: connection, effects: &effects) {
            $0.integer(reason.rawValue)
        }
    }
}
