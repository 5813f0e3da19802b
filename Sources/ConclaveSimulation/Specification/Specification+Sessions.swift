import ConclaveBase
import ConclaveCoordination
import ConclaveWire

extension Specification {
    mutating func open(_ command: OpenCommand) {
        guard view.contains(command.member) else {
            return refuse(command.nonce, at: command.member, .unavailable)
        }
        let id: SessionID
        if let known = sessions.values.first(where: { $0.clientID == command.id }) {
            guard known.process.isSameProcess(as: command.process) else {
                return refuse(command.nonce, at: command.member, .denied)
            }
            guard !known.isForced else {
                return refuse(command.nonce, at: command.member, .sessionEnded)
            }
            id = known.id
            attach(id, to: command.member, command.process)
        } else if let code = refusal(of: command) {
            return refuse(command.nonce, at: command.member, code)
        } else {
            id = SessionID(version.number)
            sessions[id] = SpecifiedSession(
                id: id, clientID: command.id, secret: command.secret, ttl: command.ttl,
                label: command.label, process: command.process,
                attachment: Attachment(member: command.member, number: 1))
        }
        effects.append(
            .opened(
                id: command.id, nonce: command.nonce, session: id,
                attachment: sessions[id]!.attachment))
    }

    private func refusal(of command: OpenCommand) -> RefusalCode? {
        if ended.contains(where: { $0.clientID == command.id }) { return .sessionEnded }
        guard command.ttl > .zero, command.ttl <= quotas.maximumTTL else { return .invalid }
        let ofUID = sessions.values.count { $0.process.uid == command.process.uid }
        let isFull = sessions.count >= quotas.sessions || ofUID >= quotas.sessionsPerUID
        return isFull ? .quotaExceeded : nil
    }

    mutating func resume(_ command: ResumeCommand) {
        guard view.contains(command.member) else {
            return refuse(command.nonce, at: command.member, .unavailable)
        }
        guard let session = sessions[command.session] else {
            return refuse(command.nonce, at: command.member, .sessionEnded)
        }
        guard session.secret == command.secret else {
            return refuse(command.nonce, at: command.member, .denied)
        }
        guard !session.isForced else {
            return refuse(command.nonce, at: command.member, .sessionEnded)
        }
        if session.process.isSameProcess(as: command.process) {
            return move(session.id, by: command)
        }
        guard session.takeover == command || mayGive(session.id, to: command.process.uid) else {
            return refuse(command.nonce, at: command.member, .quotaExceeded)
        }
        // K7: not before the old validity is over.
        if session.takeover != command { dropTakeover(of: session.id, .denied) }
        sessions[session.id]!.takeover = command
        requestDetach(session.id)
    }

    /// What another user's process takes over, or is about to, counts for that user.
    private func mayGive(_ id: SessionID, to uid: UInt32) -> Bool {
        guard sessions[id]!.process.uid != uid else { return true }
        let all = sessions.values.filter {
            $0.process.uid == uid || $0.takeover?.process.uid == uid || $0.id == id
        }.map(\.id)
        guard all.count <= quotas.sessionsPerUID else { return false }
        guard uid != 0 else { return true }
        return all.reduce(0) { $0 + claimCount(of: $1) } <= quotas.claimsPerUID
            && all.reduce(0) { $0 + replyByteCount(of: $1) } <= quotas.replyByteCountPerUID
            && announcedByteCount(of: all) <= quotas.valueByteCountPerUID
    }

    mutating func requestDetach(_ id: SessionID) {
        guard let session = sessions[id], view.contains(session.attachment.member) else { return }
        effects.append(
            .detachRequested(
                session: id, attachment: session.attachment, isForced: session.isForced))
    }

    /// K6: asked, or as good as over.
    mutating func revoke(_ revocation: Revocation, _ id: SessionID, _ number: UInt64) {
        let target = revocation.session
        guard sessions[target] != nil else { return refuse(id, number, .refused) }
        if case .holding(let kind, let name, let token) = revocation.target {
            let queue = queues[ObjectKey(kind: kind, name: name)]
            let isHeld =
                queue?.holders.contains { $0.session == target && $0.token == token.number }
                ?? false
            guard isHeld else { return refuse(id, number, .notHeld) }
            if case .notice(let within, let heir) = revocation.manner {
                let standbys = queue?.waiters.map(\.session) ?? []
                if let heir, kind != .leaderSlot || !standbys.contains(heir) {
                    return refuse(id, number, .refused)
                }
                answer(id, number, .done)
                let notice = LetGoNotice(
                    kind: kind, name: name, token: token, within: within, heir: heir)
                return effects.append(.letGoAsked(session: target, notice))
            }
        }
        answer(id, number, .done)
        sessions[target]!.isForced = true
        dropTakeover(of: target, .sessionEnded)
        requestDetach(target)
    }

    /// K2: of another epoch, of an attachment that is over, or of a member: no effect.
    mutating func expire(_ id: SessionID, attachment: UInt64, epoch: Epoch) {
        guard epoch == view.epoch, let session = sessions[id],
            session.attachment.number == attachment, !view.contains(session.attachment.member)
        else { return }
        passOn(id, .hostLost)
    }

    /// The validity is over: to whom waits for it, else it ends.
    mutating func passOn(_ id: SessionID, _ reason: SessionEnd) {
        guard let takeover = sessions[id]!.takeover else {
            let isForced = sessions[id]!.isForced && reason == .expired
            return finish(id, isForced ? .forced : reason)
        }
        sessions[id]!.takeover = nil
        move(id, by: takeover)
    }

    private mutating func move(_ id: SessionID, by command: ResumeCommand) {
        confirm(id, upTo: command.confirmed)
        attach(id, to: command.member, command.process)
        effects.append(
            .attached(
                session: id, nonce: command.nonce, attachment: sessions[id]!.attachment))
    }

    private mutating func attach(
        _ id: SessionID, to member: Member, _ process: ProcessIdentity
    ) {
        dropTakeover(of: id, .denied)
        let number = sessions[id]!.attachment.number + 1
        sessions[id]!.attachment = Attachment(member: member, number: number)
        sessions[id]!.process = process
    }

    private mutating func dropTakeover(of id: SessionID, _ code: RefusalCode) {
        guard let takeover = sessions[id]?.takeover else { return }
        sessions[id]!.takeover = nil
        refuse(takeover.nonce, at: takeover.member, code)
    }

    private mutating func refuse(_ nonce: UInt64, at member: Member, _ code: RefusalCode) {
        effects.append(.openRefused(nonce: nonce, member: member, Refusal(code, "")))
    }

    /// Locks, then terms, both in the order in which the session asked for them, then keys, then
    /// barriers, then groups, each by name, go on without it.
    mutating func finish(_ id: SessionID, _ reason: SessionEnd) {
        let session = sessions[id]!
        effects.append(
            .sessionEnded(session: id, attachment: session.attachment, reason: reason))
        dropTakeover(of: id, .sessionEnded)
        for kind in [ObjectKind.lock, .leaderSlot] {
            let claimed = queues.filter { $0.key.kind == kind }
                .compactMap { key, queue in queue.request(of: id).map { (key: key, number: $0) } }
            let keys = claimed.sorted { ($0.number, $0.key) < ($1.number, $1.key) }.map(\.key)
            if kind == .lock {
                leave(keys, id, HoldingEnd(reason))
            } else {
                for key in keys { leave(key, id, HoldingEnd(reason)) }
            }
        }
        deleteKeys(of: id)
        leaveBarriers(id)
        leaveGroups(id, reason)
        forgetLatchWaits(of: id)
        var replies: [UInt64: Reply] = [:]
        for case (let number, .answered(let reply, _)) in sessions[id]!.entries {
            switch reply {
            // A barrier's result goes with its last party.
            case .tripped, .broken: break
            default: replies[number] = reply
            }
        }
        sessions[id] = nil
        ended.append(
            EndedSession(id: id, clientID: session.clientID, endedAt: time, replies: replies))
        forgetDecisions()
    }
}
