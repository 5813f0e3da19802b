import ConclaveBase
import ConclaveCoordination
import ConclaveWire

/// Stopping the processes of holders who asked for it, before what they hold may be somebody else's.
extension Service {
    /// A process goes on with its session here, and says what it holds. What the group has granted
    /// meanwhile it does not know yet.
    mutating func takeGuards(of opening: Opening, for id: SessionID, machine: Coordinator) {
        if settings.plant == .resumedNotStopped { return }
        let replies = opening.guards.isEmpty ? [] : machine.storedReplies(of: id)
        _ = sessions.change(id) { session in
            session.adopt(opening.guards)
            for (number, reply) in replies { session.noteAnswer(reply, to: number) }
        }
        guard let session = sessions[id], session.ending == nil, !session.isYielding else { return }
        earliestDue = min(earliestDue, session.stopAt)
    }

    func refusal(
        ofGuarding operation: Operation, number: UInt64, _ id: SessionID,
        on connection: ConnectionID
    ) -> Refusal? {
        guard connections[connection]?.canBeStopped ?? false else {
            return Refusal(
                .denied,
                "this daemon may not signal processes of other users (it has no CAP_KILL), so it "
                    + "cannot stop this one when the lock is lost")
        }
        let count = LossGuards.count(of: operation)
        guard sessions[id]?.guards.hasRoom(for: count, number: number) ?? true else {
            return Refusal(
                .quotaExceeded,
                "more than \(ClientLimits.guardedObjects) locks and terms that the process is to "
                    + "be stopped for")
        }
        return nil
    }

    /// Does what the strongest of its holdings asks for, unless that or more was done already.
    mutating func stopProcess(of id: SessionID, effects: inout [ServiceEffect]) {
        guard let session = sessions[id], let action = session.wanted else { return }
        sessions[id]?.done = action
        guard let watch = session.watch else { return }
        sessions[id]?.stopsBy = .distantFuture
        stopsOrdered.append(id)
        effects.append(.stop(watch, session: id, action))
    }

    /// The shell has sent the signals: from now on it takes no longer than the margin until the
    /// processes stand still.
    mutating func noteStops(now: Instant) {
        for id in stopsCarriedOut {
            let isNotWaitedFor = settings.plant == .stopNotWaitedFor
            _ = sessions.change(id) { session in
                let wait = isNotWaitedFor ? .zero : LossAction.margin(of: session.ttl)
                session.stopsBy = now.advanced(by: wait)
            }
        }
        stopsCarriedOut.removeAll()
    }
}
