import ConclaveBase
import ConclaveWire

extension Coordinator {
    mutating func request(
        of session: SessionID, number: UInt64, confirmed: UInt64, _ operation: Operation,
        effects: inout [CoordinationEffect]
    ) {
        guard let index = sessions.index(of: session) else {
            let reply = replyOfEnded(session, number: number)
            effects.append(.reply(session: session, number: number, reply))
            return
        }
        // A request cannot confirm its own reply, or a later one.
        if number > 0 { confirm(index, upTo: min(confirmed, number - 1)) }
        let request = RequestReference(session: index, number: number)
        switch sessions[index].replies.standing(of: number) {
        case .unknown: perform(operation, request, effects: &effects)
        case .settled: effects.append(.settled(session: session, number: number))
        case .refused: tellRefused(request, effects: &effects)
        case .waiting(let place): tellQueued(request, in: place, effects: &effects)
        case .answered(let stored): tellAgain(request, stored, effects: &effects)
        }
    }

    private func replyOfEnded(_ session: SessionID, number: UInt64) -> Reply {
        ended.record(of: session)?.replies.first { $0.number == number }?.reply
            ?? .refused(Refusal(.sessionEnded, "session \(session) is over"))
    }

    /// Beyond the quota a request is refused, unless it lets go of something. Beyond twice the
    /// quota all are, and nothing is kept of that but up to which number: whoever sends without end
    /// harms nobody, and yet no request is left without its one answer.
    private mutating func perform(
        _ operation: Operation, _ request: RequestReference, effects: inout [CoordinationEffect]
    ) {
        let quota = quotas.requestsPerSession
        guard sessions[request.session].replies.count < 2 * quota else {
            sessions[request.session].replies.refuse(request.number)
            return tellRefused(request, effects: &effects)
        }
        let openCount = sessions[request.session].replies.openCount
        sessions[request.session].replies.begin(request.number)
        let bytes = sessions[request.session].replies.byteCount
        let isFull =
            openCount >= quota || bytes >= quotas.replyByteCountPerSession
            || sessions.replyByteCount >= quotas.replyByteCountPerUID
                && repliesOfUserAreMany(request.session)
        guard !isFull || operation.letsGo else {
            return refuseMore(request, openCount: openCount, effects: &effects)
        }
        dispatch(operation, request, effects: &effects)
    }

    @inline(never)
    private func repliesOfUserAreMany(_ session: Int) -> Bool {
        let uid = sessions[session].process.uid
        return uid != 0 && sessions.replyByteCount(ofUID: uid) >= quotas.replyByteCountPerUID
    }

    @inline(never)
    private mutating func refuseMore(
        _ request: RequestReference, openCount: Int, effects: inout [CoordinationEffect]
    ) {
        let quota = quotas.requestsPerSession
        let bytes = sessions[request.session].replies.byteCount
        let uid = sessions[request.session].process.uid
        let message =
            if openCount >= quota {
                "\(quota) requests of the session are waiting or not confirmed"
            } else if bytes >= quotas.replyByteCountPerSession {
                "replies to the session that wait or are not confirmed may take \(bytes) bytes"
            } else {
                "replies to processes of uid \(uid) that wait or are not confirmed may take "
                    + "\(sessions.replyByteCount(ofUID: uid)) bytes"
            }
        refuse(request, .quotaExceeded, message, effects: &effects)
    }

    private mutating func dispatch(
        _ operation: Operation, _ request: RequestReference, effects: inout [CoordinationEffect]
    ) {
        switch operation {
        case .acquire(let name, let mode, let isTry, let priority, let lockDelay, let task):
            let wish = wish(
                mode, task, request, isTry: isTry, priority: priority, lockDelay: lockDelay)
            acquire(name, wish, effects: &effects)
        case .release(let name, let token):
            release(name, under: token, request, effects: &effects)
        case .acquireAll(let set):
            acquireAll(set, request, effects: &effects)
        case .releaseAll(let names, let token):
            releaseAll(names, under: token, request, effects: &effects)
        case .downgrade(let name, let token):
            downgrade(name, under: token, request, effects: &effects)
        case .upgrade(let name, let token):
            upgrade(name, under: token, request, effects: &effects)
        case .limit(let name, let limit):
            setLimit(of: name, to: limit, request, effects: &effects)
        case .campaign(let slot, let value, let priority, let places, let task):
            let mode = modeOfPlace(in: slot, of: places)
            let wish = wish(mode, task, request, value: value, priority: priority)
            campaign(for: slot, wish, effects: &effects)
        case .announce(let slot, let token, let value):
            announce(value, in: slot, under: token, request, effects: &effects)
        case .resign(let slot, let token):
            resign(slot, under: token, request, effects: &effects)
        case .handOver(let slot, let token, let standby):
            handOver(slot, under: token, to: standby, request, effects: &effects)
        case .arrive(let arrival):
            arrive(arrival, request, effects: &effects)
        case .cancel(let number, let reason):
            cancel(number, reason: reason, request, effects: &effects)
        case .transact(let transaction):
            transact(transaction, request, effects: &effects)
        case .lease(let operation):
            lease(operation, request, effects: &effects)
        case .latch(let operation):
            latch(operation, request, effects: &effects)
        case .revoke(let revocation):
            revoke(revocation, request, effects: &effects)
        case .joinGroup(let join):
            joinGroup(join, request, effects: &effects)
        case .leaveGroup(let name, let member):
            leaveGroup(name, member, request, effects: &effects)
        case .evictMember(let name, let member):
            evictMember(name, member, request, effects: &effects)
        case .sendToGroup(let name, let payload):
            sendToGroup(name, payload, request, effects: &effects)
        case .provideState(let name, let state):
            provideState(name, state, request, effects: &effects)
        case .adoptState(let name, let member, let upTo):
            adoptState(name, member, upTo: upTo, request, effects: &effects)
        }
    }

    mutating func confirm(_ session: Int, upTo number: UInt64) {
        let bytes = sessions[session].replies.byteCount
        for reference in sessions[session].replies.confirm(upTo: number) {
            barriers.release(reference)
        }
        sessions.countReplies(sessions[session].replies.byteCount - bytes, of: session)
    }

    mutating func answer(
        _ request: RequestReference, _ reply: Reply, effects: inout [CoordinationEffect]
    ) {
        keep(.reply(reply), for: request)
        tell(request, reply, effects: &effects)
    }

    /// Until it is confirmed.
    mutating func keep(_ reply: StoredReply, for request: RequestReference) {
        let bytes = sessions[request.session].replies.byteCount
        sessions[request.session].replies.answer(request.number, reply)
        let growth = sessions[request.session].replies.byteCount - bytes
        sessions.countReplies(growth, of: request.session)
    }

    mutating func refuse(
        _ request: RequestReference, _ code: RefusalCode, _ message: String,
        effects: inout [CoordinationEffect]
    ) {
        answer(request, .refused(Refusal(code, message)), effects: &effects)
    }

    mutating func wait(
        _ request: RequestReference, in place: WaitingPlace, effects: inout [CoordinationEffect]
    ) {
        sessions[request.session].replies.wait(request.number, in: place)
        sessions.countReplies(place.replyByteCount, of: request.session)
        tellQueued(request, in: place, effects: &effects)
    }

    func reply(_ stored: StoredReply) -> Reply {
        switch stored {
        case .reply(let reply): return reply
        case .decision(let reference):
            guard let reply = barriers.reply(reference) else {
                preconditionFailure("a stored reply refers to a generation that is gone")
            }
            return reply
        }
    }

    func tell(_ request: RequestReference, _ reply: Reply, effects: inout [CoordinationEffect]) {
        effects.append(
            .reply(session: sessions[request.session].id, number: request.number, reply))
    }

    private func tellAgain(
        _ request: RequestReference, _ stored: StoredReply, effects: inout [CoordinationEffect]
    ) {
        tell(request, reply(stored), effects: &effects)
    }

    private func tellRefused(
        _ request: RequestReference, effects: inout [CoordinationEffect]
    ) {
        let message =
            "\(2 * quotas.requestsPerSession) requests of the session were waiting or not "
            + "confirmed, and no more of them are taken, whatever they ask for"
        tell(request, .refused(Refusal(.quotaExceeded, message)), effects: &effects)
    }

    private func tellQueued(
        _ request: RequestReference, in place: WaitingPlace,
        effects: inout [CoordinationEffect]
    ) {
        let position =
            switch place {
            case .lock(let claim): locks.position(of: claim)
            case .lockSet: positionOfSet(request)
            case .upgrade(let claim): UInt32(clamping: locks.others(than: claim))
            case .slot(let claim): slots.position(of: claim)
            case .barrier(let barrier): missingCount(at: barrier)
            case .latch(let latch): latches[latch].remaining
            }
        effects.append(
            .queued(
                session: sessions[request.session].id, number: request.number,
                position: position))
    }

    /// K10: a request is given up in order, so that there is one answer to whether it was in time.
    private mutating func cancel(
        _ number: UInt64, reason: CancelReason, _ request: RequestReference,
        effects: inout [CoordinationEffect]
    ) {
        guard number < request.number else {
            let message = "request \(request.number) cannot cancel \(number)"
            refuse(request, .invalid, message, effects: &effects)
            return
        }
        let target = RequestReference(session: request.session, number: number)
        var wasCancelled = true
        switch sessions[request.session].replies.standing(of: number) {
        case .unknown:
            // Should it still come, it is answered by this and never applied.
            answer(target, .cancelled, effects: &effects)
        case .settled:
            wasCancelled = false
        case .refused:
            wasCancelled = false
            tellRefused(target, effects: &effects)
        case .answered(let stored):
            wasCancelled = false
            tellAgain(target, stored, effects: &effects)
        case .waiting(let place):
            withdraw(target, from: place, reason: reason, effects: &effects)
        }
        answer(request, .cancelOutcome(wasCancelled: wasCancelled), effects: &effects)
    }

    private mutating func withdraw(
        _ request: RequestReference, from place: WaitingPlace, reason: CancelReason,
        effects: inout [CoordinationEffect]
    ) {
        switch place {
        case .lock(let claim):
            answer(request, .cancelled, effects: &effects)
            if plant == .cancelLeavesWaiter { return }
            giveUp(lock: claim, .released, effects: &effects)
        case .lockSet:
            answer(request, .cancelled, effects: &effects)
            withdraw(set: request, effects: &effects)
        case .upgrade(let claim):
            answer(request, .cancelled, effects: &effects)
            withdrawUpgrade(of: claim, effects: &effects)
        case .slot(let claim):
            answer(request, .cancelled, effects: &effects)
            giveUp(slot: claim, .released, effects: &effects)
        case .barrier(let barrier):
            breakGeneration(of: barrier, givenUpBy: request, reason, effects: &effects)
        case .latch(let latch):
            answer(request, .cancelled, effects: &effects)
            withdraw(request, fromLatch: latch)
        }
    }
}

extension Operation {
    /// Whether it frees something, so that a session over its quota can get below it again.
    fileprivate var letsGo: Bool {
        switch self {
        case .release, .releaseAll, .resign, .handOver, .downgrade, .cancel, .leaveGroup: true
        case .lease(let lease): if case .release = lease.action { true } else { false }
        case .latch(let latch): latch.action == .remove
        case .acquire, .acquireAll, .upgrade, .limit, .campaign, .announce, .arrive, .transact,
            .revoke, .joinGroup, .evictMember, .sendToGroup, .provideState, .adoptState:
            false
        }
    }
}
