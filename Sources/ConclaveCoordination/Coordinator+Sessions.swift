import ConclaveBase
import ConclaveWire

extension Coordinator {
    mutating func open(_ command: OpenCommand, effects: inout [CoordinationEffect]) {
        let known = plant == .openTwice ? nil : sessions.index(openedAs: command.id)
        if let refusal = refusal(of: command, known: known) {
            refuse(command.nonce, at: command.member, refusal, effects: &effects)
            return
        }
        let index: Int
        if let known {
            index = known
            attach(index, to: command.member, process: command.process, effects: &effects)
        } else {
            index = insertSession(command)
        }
        effects.append(
            .opened(
                id: command.id, nonce: command.nonce, session: sessions[index].id,
                attachment: sessions[index].attachment))
    }

    private func refusal(of command: OpenCommand, known: Int?) -> Refusal? {
        if let refusal = refusal(of: command.member) { return refusal }
        if let known {
            guard sessions[known].process.isSameProcess(as: command.process) else {
                return Refusal(.denied, "another process opened a session under this id")
            }
            return refusalIfForced(known)
        }
        if ended.contains(openedAs: command.id) {
            return Refusal(.sessionEnded, "the session that this id opened is over")
        }
        guard command.ttl > .zero, command.ttl <= quotas.maximumTTL else {
            return Refusal(
                .invalid, "ttl \(command.ttl) is not between 0 and \(quotas.maximumTTL)")
        }
        return refusalByQuota(uid: command.process.uid)
    }

    private func refusalByQuota(uid: UInt32) -> Refusal? {
        if sessions.count >= quotas.sessions {
            return Refusal(
                .quotaExceeded,
                "there are \(quotas.sessions) sessions already: end some that are not needed first")
        }
        return refusalOfMoreSessions(1, uid: uid)
    }

    /// A session that goes to another user's process counts for that user, with all that is its own; so
    /// do those that are about to.
    private func refusal(ofGiving index: Int, to uid: UInt32) -> Refusal? {
        guard sessions[index].process.uid != uid else { return nil }
        let coming = sessions.indexes { session in
            session.takeover?.process.uid == uid && session.process.uid != uid
        }
        let given = coming.filter { $0 != index } + [index]
        if let refusal = refusalOfMoreSessions(given.count, uid: uid) { return refusal }
        var claimCount = given.reduce(0) {
            $0 + locks.claimCount(of: $1) + slots.claimCount(of: $1)
        }
        var valueByteCount = given.reduce(0) { $0 + slots.valueByteCount(of: $1) }
        if let user = sessions.user(ofUID: uid) {
            claimCount += locks.claimCount(ofUser: user) + slots.claimCount(ofUser: user)
            valueByteCount += slots.valueByteCount(ofUser: user)
        }
        let byteCount = given.reduce(sessions.replyByteCount(ofUID: uid)) {
            $0 + sessions[$1].replies.byteCount
        }
        guard
            uid == 0
                || claimCount <= quotas.claimsPerUID && byteCount <= quotas.replyByteCountPerUID
                    && valueByteCount <= quotas.valueByteCountPerUID
        else {
            return Refusal(
                .quotaExceeded,
                "with session \(sessions[index].id) processes of uid \(uid) would have or want more than "
                    + "one user's may: let go of some first")
        }
        return nil
    }

    private func refusalOfMoreSessions(_ growth: Int, uid: UInt32) -> Refusal? {
        if sessions.count(ofUID: uid) + growth > quotas.sessionsPerUID {
            return Refusal(
                .quotaExceeded,
                "uid \(uid) has \(quotas.sessionsPerUID) sessions already: end some first, or do more "
                    + "within one")
        }
        return nil
    }

    /// Only a member of the present view may be attached to.
    private func refusal(of member: Member) -> Refusal? {
        if view.contains(member) { return nil }
        return Refusal(.unavailable, "host \(member.node) is not in view \(view.epoch)")
    }

    private mutating func insertSession(_ command: OpenCommand) -> Int {
        insert(
            Session(
                id: SessionID(version.number), clientID: command.id, secret: command.secret,
                ttl: command.ttl, label: command.label, process: command.process,
                attachment: Attachment(member: command.member, number: 1)))
    }

    mutating func insert(_ session: Session) -> Int {
        let index = sessions.insert(session)
        noteUser(of: index)
        return index
    }

    /// Its claims count among those of its process's user.
    private mutating func noteUser(of index: Int) {
        let user = sessions.user(of: index)
        locks.own(index, by: user)
        slots.own(index, by: user)
    }

    mutating func resume(_ command: ResumeCommand, effects: inout [CoordinationEffect]) {
        let index: Int
        switch target(of: command) {
        case .failure(let refusal):
            refuse(command.nonce, at: command.member, refusal.refusal, effects: &effects)
            return
        case .success(let found): index = found
        }
        let isOwn = sessions[index].process.isSameProcess(as: command.process)
        if isOwn || plant == .takeOverAtOnce {
            complete(command, of: index, effects: &effects)
        } else if sessions[index].takeover != command,
            let refusal = refusal(ofGiving: index, to: command.process.uid)
        {
            refuse(command.nonce, at: command.member, refusal, effects: &effects)
        } else {
            awaitTakeover(command, of: index, effects: &effects)
        }
    }

    private struct ResumeRefused: Error {
        var refusal: Refusal
    }

    private func target(of command: ResumeCommand) -> Result<Int, ResumeRefused> {
        if let refusal = refusal(of: command.member) {
            return .failure(ResumeRefused(refusal: refusal))
        }
        guard let index = sessions.index(of: command.session) else {
            let refusal = Refusal(.sessionEnded, "session \(command.session) is over")
            return .failure(ResumeRefused(refusal: refusal))
        }
        guard sessions[index].secret == command.secret else {
            let refusal = Refusal(.denied, "the secret is not that of the session")
            return .failure(ResumeRefused(refusal: refusal))
        }
        if let refusal = refusalIfForced(index) {
            return .failure(ResumeRefused(refusal: refusal))
        }
        return .success(index)
    }

    private func refusalIfForced(_ index: Int) -> Refusal? {
        sessions[index].isForced ? Refusal(.sessionEnded, Self.forcedMessage) : nil
    }

    /// K7: the session goes to another process only when the old validity is over, or withdrawn.
    private mutating func awaitTakeover(
        _ command: ResumeCommand, of index: Int, effects: inout [CoordinationEffect]
    ) {
        if sessions[index].takeover != command {
            dropTakeover(
                of: index, Refusal(.denied, "a later resume took its place"), effects: &effects)
        }
        sessions[index].takeover = command
        requestDetach(index, effects: &effects)
    }

    /// Its daemon is asked, if it is there.
    func requestDetach(_ index: Int, effects: inout [CoordinationEffect]) {
        let session = sessions[index]
        guard view.contains(session.attachment.member) else { return }
        effects.append(
            .detachRequested(
                session: session.id, attachment: session.attachment, isForced: session.isForced))
    }

    mutating func yieldAttachment(
        of session: SessionID, attachment: UInt64, effects: inout [CoordinationEffect]
    ) {
        guard let index = index(of: session, attachment: attachment) else { return }
        // Without a taker the validity is withdrawn all the same, and that is final (K5).
        takeOverOrEnd(index, reason: .expired, effects: &effects)
    }

    mutating func end(
        _ session: SessionID, attachment: UInt64, reason: SessionEnd,
        effects: inout [CoordinationEffect]
    ) {
        guard let index = index(of: session, attachment: attachment) else { return }
        if reason == .goodbye {
            finish(index, reason: reason, effects: &effects)
        } else {
            takeOverOrEnd(index, reason: reason, effects: &effects)
        }
    }

    mutating func expire(
        _ session: SessionID, attachment: UInt64, epoch: Epoch,
        effects: inout [CoordinationEffect]
    ) {
        guard epoch == view.epoch, let index = index(of: session, attachment: attachment),
            !view.contains(sessions[index].attachment.member)
        else { return }
        takeOverOrEnd(index, reason: .hostLost, effects: &effects)
    }

    /// What was given up of the history may have ended any of them, and granted what it held to
    /// somebody else. None may be valid again.
    mutating func endAllSessions(effects: inout [CoordinationEffect]) {
        for index in sessions.indexes(where: { _ in true }) {
            finish(index, reason: .expired, effects: &effects)
        }
    }

    /// The old attachment's validity is over: another process that waits for that has the session
    /// now, or else it ends.
    private mutating func takeOverOrEnd(
        _ index: Int, reason: SessionEnd, effects: inout [CoordinationEffect]
    ) {
        guard let takeover = sessions[index].takeover else {
            let isForced = sessions[index].isForced && reason == .expired
            finish(index, reason: isForced ? .forced : reason, effects: &effects)
            return
        }
        sessions[index].takeover = nil
        complete(takeover, of: index, effects: &effects)
    }

    private mutating func complete(
        _ command: ResumeCommand, of index: Int, effects: inout [CoordinationEffect]
    ) {
        confirm(index, upTo: command.confirmed)
        attach(index, to: command.member, process: command.process, effects: &effects)
        effects.append(
            .attached(
                session: command.session, nonce: command.nonce,
                attachment: sessions[index].attachment))
    }

    private mutating func attach(
        _ index: Int, to member: Member, process: ProcessIdentity,
        effects: inout [CoordinationEffect]
    ) {
        dropTakeover(
            of: index, Refusal(.denied, "the session was resumed by its own process"),
            effects: &effects)
        sessions.attach(index, to: member, process: process)
        noteUser(of: index)
    }

    mutating func dropTakeover(
        of index: Int, _ refusal: Refusal, effects: inout [CoordinationEffect]
    ) {
        guard let takeover = sessions[index].takeover else { return }
        sessions[index].takeover = nil
        refuse(takeover.nonce, at: takeover.member, refusal, effects: &effects)
    }

    /// With a new view: a process whose daemon is gone takes over nothing; for the others, and where
    /// an administrator wants the end, the old daemon is asked again, since what it ordered may have
    /// been lost with the epoch.
    mutating func reviewTakeovers(effects: inout [CoordinationEffect]) {
        for index in sessions.indexes(where: { $0.takeover != nil || $0.isForced }) {
            if let takeover = sessions[index].takeover, !view.contains(takeover.member) {
                sessions[index].takeover = nil
            } else {
                requestDetach(index, effects: &effects)
            }
        }
    }

    private func index(of session: SessionID, attachment: UInt64) -> Int? {
        guard let index = sessions.index(of: session),
            sessions[index].attachment.number == attachment
        else { return nil }
        return index
    }

    private func refuse(
        _ nonce: UInt64, at member: Member, _ refusal: Refusal,
        effects: inout [CoordinationEffect]
    ) {
        effects.append(.openRefused(nonce: nonce, member: member, refusal))
    }

    /// Ends a session: locks, then terms, then keys, then barriers, then groups, each by name, go on
    /// without it; latches forget that it waited.
    mutating func finish(
        _ index: Int, reason: SessionEnd, effects: inout [CoordinationEffect]
    ) {
        let id = sessions[index].id
        effects.append(
            .sessionEnded(session: id, attachment: sessions[index].attachment, reason: reason))
        dropTakeover(
            of: index, Refusal(.sessionEnded, "session \(id) is over"), effects: &effects)
        let end = HoldingEnd(reason)
        giveUp(locks: locks.claims(of: index), end, effects: &effects)
        for claim in slots.claims(of: index) { giveUp(slot: claim, end, effects: &effects) }
        deleteKeys(of: id, effects: &effects)
        breakBarriers(awaitedBy: index, reason: reason, effects: &effects)
        leaveGroups(id, reason: reason, effects: &effects)
        forgetLatchWaits(of: index)
        remember(index)
        sessions.remove(index)
    }

    private mutating func remember(_ index: Int) {
        var replies: [EndedSessions.StoredEntry] = []
        for (number, stored) in sessions[index].replies.answered {
            switch stored {
            case .reply(let reply): replies.append(.init(number: number, reply: reply))
            case .decision(let reference): barriers.release(reference)
            }
        }
        ended.append(
            EndedSessions.Record(
                id: sessions[index].id, clientID: sessions[index].clientID, endedAt: time,
                replies: replies))
    }
}
