import ConclaveBase
import ConclaveCoordination
import ConclaveWire

/// What a new view means for sessions, here and elsewhere.
extension Service {
    mutating func installed(_ installed: InstalledView, machine: Coordinator, now: Instant) {
        epoch = installed.view.epoch
        isWedged = rank == nil
        newestConfirmed = nil
        if settings.plant == .resendExpiry {
            absences.carry(into: epoch)
        } else {
            absences.removeAll()
        }
        let closed = closings.review(machine.closedLocks, now: now)
        leaseClocks.suspend()
        guard let rank else { return }
        // Rank 0 proposes, the others after it (K2).
        let start = now.advanced(by: settings.suspicion * Int64(rank.index))
        absences.add(
            machine.sessionsOutsideView().map { session in
                expiry(of: session, silent: installed.silence(of: session), from: start)
            })
        absences.add(closed.map { opening(of: $0.lock, knownAt: $0.knownAt, from: start) })
        leaseClocks.begin(after: start.since(now), pause: settings.suspicion, now: now)
        if machine.grantsAreSuspended {
            let isOwn = settings.plant == .waitsForOwnLongestTTL
            let longest = isOwn ? settings.maximumSessionTTL : maximumSessionTTL
            let wait = ClockDrift.lengthened(longest)
            absences.add([
                AbsenceTimers.Timer(
                    due: start.advanced(by: wait), command: .openGrants(epoch: epoch))
            ])
        }
    }

    /// K4: later than the holder believes, counted from when its silence began.
    private func expiry(
        of session: SessionState, silent: Interval, from start: Instant
    ) -> AbsenceTimers.Timer {
        var wait = max(ClockDrift.lengthened(session.ttl) - silent, .zero)
        if settings.plant == .grantBeforeValidityEnds { wait = .zero }
        return AbsenceTimers.Timer(
            due: start.advanced(by: wait),
            command: .expire(
                session: session.id, attachment: session.attachment.number, epoch: epoch))
    }

    /// A holder was lost just now, in this epoch.
    mutating func closed(_ lock: ClosedLock, machine: Coordinator, now: Instant) {
        closings.note(lock, machine: machine, now: now)
        guard let rank else { return }
        let start = now.advanced(by: settings.suspicion * Int64(rank.index))
        absences.add([opening(of: lock, knownAt: start, from: start)])
    }

    /// On any clock more than the delay has passed since the loss.
    private func opening(
        of lock: ClosedLock, knownAt: Instant, from start: Instant
    ) -> AbsenceTimers.Timer {
        let isIgnored = settings.plant == .lockDelayIgnored
        let wait = isIgnored ? Interval.zero : ClockDrift.lengthened(lock.delay)
        return AbsenceTimers.Timer(
            due: max(start, knownAt.advanced(by: wait)),
            command: .openLock(name: lock.name, since: lock.since))
    }

    /// Timers that ran out: what is still called for is proposed, once in this epoch.
    mutating func proposeExpiries(machine: Coordinator, now: Instant) {
        for term in leaseClocks.takeDue(now: now) where machine.leaseTerm(term.name) == term {
            propose(.expireLease(name: term.name, renewed: term.renewed))
        }
        for command in absences.takeDue(now: now) where isCalledFor(command, machine: machine) {
            propose(command)
        }
    }

    private func isCalledFor(_ command: Command, machine: Coordinator) -> Bool {
        switch command {
        case .expire(let session, let attachment, _):
            machine.sessionState(session)?.attachment.number == attachment
        case .openGrants: machine.grantsAreSuspended
        case .openLock(let name, let since): machine.isClosed(name, since: since)
        case .open, .resume, .request, .confirm, .end, .yieldAttachment, .expireLease: true
        }
    }

    /// Proposals that were not delivered ended with their epoch: those of clients are made again,
    /// in the order of each session's numbers and before anything newer (V20); timers' are not.
    mutating func proposeAnew(machine: Coordinator, effects: inout [ServiceEffect]) {
        proposals.removeAll()
        proposalsAfterEffects.removeAll()
        for nonce in openings.keys.sorted() { openAnew(nonce, effects: &effects) }
        for id in sessions.ids where sessions[id]?.mayHaveProposals ?? false {
            proposeAnew(id, machine: machine, effects: &effects)
        }
        guard settings.plant != .markNotMadeAnew else { return }
        wantedMark = reads.drawAnew()
    }

    private mutating func openAnew(_ nonce: UInt64, effects: inout [ServiceEffect]) {
        guard let opening = openings[nonce] else { return }
        if opening.isAbandoned {
            openings[nonce] = nil
            effects.append(.forget(opening.connection))
        } else if case .open(var open) = opening.command {
            if opening.hasUsualTTL { open.ttl = usualTTL }
            if let refusal = refusal(ofTTL: open.ttl) {
                return openRefused(nonce, refusal, effects: &effects)
            }
            openings[nonce]?.command = .open(open)
            propose(.open(open))
        } else {
            propose(opening.command)
        }
    }

    private mutating func proposeAnew(
        _ id: SessionID, machine: Coordinator, effects: inout [ServiceEffect]
    ) {
        guard let session = sessions[id] else { return }
        if session.isYielding {
            guard !session.mustWait else { return }
            proposeYield(of: id, attachment: session.attachment.number)
            return
        }
        var requests = session.orderedRequests
        if settings.plant == .anewBackwards { requests.reverse() }
        for (number, request) in requests {
            if machine.keeps(number, of: id) {
                sessions[id]?.requests[number] = nil
            } else if session.ending == nil || session.ending == .goodbye {
                proposals.append(request.command)
            }
        }
        if let number = session.unorderedConfirmation {
            sessions[id]?.unorderedConfirmation = nil
            propose(.confirm(session: id, upTo: number))
        }
        proposeEndAnew(of: id)
        if let connection = session.connection { reconsiderReading(connection, effects: &effects) }
    }

    /// The state was replaced, and what had led to it was not told: everything that was derived
    /// from effects is read from the machine.
    mutating func rebuild(
        machine: Coordinator, now: Instant, effects: inout [ServiceEffect]
    ) {
        for id in sessions.ids {
            guard let session = sessions[id] else { continue }
            let state = machine.sessionState(id)
            if state?.attachment != session.attachment {
                // Its process goes on with it elsewhere, and has said there what it holds.
                if state?.process.isSameProcess(as: session.process) ?? false {
                    sessions[id]?.guards = LossGuards()
                }
                isOverHere(id, .expired, effects: &effects)
            }
        }
        slots.sessionsEnded { machine.sessionState($0) != nil }
        leaseClocks.review(machine.leaseTerms, now: now)
        for state in machine.sessions(attachedTo: settings.own) {
            if sessions[state.id] == nil {
                let isForgotten = settings.plant == .learnedShownForgotten
                let shownBefore =
                    isForgotten ? .distantPast : latestShown(of: state, now: now)
                adopt(state, shownBefore: shownBefore, now: now)
            }
            if state.isWanted || state.isForced {
                yield(
                    state.id, state.attachment, isForced: state.isForced, now: now,
                    effects: &effects)
            }
        }
        for id in sessions.ids {
            for (number, reply) in machine.storedReplies(of: id) {
                sendReply(reply, to: number, of: id, effects: &effects)
            }
        }
        keyWatchers.noteEverything()
        groupFollowers.noteEverything()
        leaderObservers.noteEverything()
    }
}

extension InstalledView {
    /// For how long at least nothing was heard of the session's host, as the view vouches (V18).
    fileprivate func silence(of session: SessionState) -> Interval {
        let known = (departed + absent).first { $0.member == session.attachment.member }
        return max(known?.silent ?? .zero, .zero)
    }
}
