import ConclaveBase
import ConclaveCoordination
import ConclaveWire

extension Specification {
    mutating func request(
        of id: SessionID, number: UInt64, confirmed: UInt64, _ operation: Operation
    ) {
        guard sessions[id] != nil else {
            let reply = ended.first { $0.id == id }?.replies[number]
            effects.append(
                .reply(session: id, number: number, reply ?? .refused(Refusal(.sessionEnded, ""))))
            return
        }
        if number > 0 { confirm(id, upTo: min(confirmed, number - 1)) }
        switch sessions[id]!.standing(of: number) {
        case .unknown: perform(operation, id, number)
        case .settled: effects.append(.settled(session: id, number: number))
        case .refused: tellRefused(id, number)
        case .waiting(let key): tellQueued(id, number, in: key)
        case .answered(let reply): tell(id, number, reply)
        }
    }

    /// Beyond the quota a request is refused, unless it lets go of something; beyond twice the
    /// quota all are, and whatever came before and is not there.
    private mutating func perform(_ operation: Operation, _ id: SessionID, _ number: UInt64) {
        sessions[id]!.begin(number)
        guard sessions[id]!.entries.count < 2 * quotas.requestsPerSession else {
            sessions[id]!.refused = max(sessions[id]!.refused, number)
            return tellRefused(id, number)
        }
        switch operation {
        case .release(let name, let token):
            letGo(ObjectKey(kind: .lock, name: name), token, id, number)
        case .releaseAll(let names, let token): releaseAll(names, token, id, number)
        case .resign(let slot, let token):
            letGo(ObjectKey(kind: .leaderSlot, name: slot), token, id, number)
        case .handOver(let slot, let token, let standby):
            handOver(slot, token, to: standby, id, number)
        case .downgrade(let name, let token):
            downgrade(ObjectKey(kind: .lock, name: name), token, id, number)
        case .cancel(let target, let reason): cancel(target, reason, id, number)
        case .lease(let lease) where lease.isRelease:
            self.lease(lease, id, number)
        case .leaveGroup(let name, let member): leaveGroup(name, member, id, number)
        case .latch(let latch) where latch.action == .remove: self.latch(latch, id, number)
        default:
            guard sessions[id]!.openCount < quotas.requestsPerSession,
                hasRoomForReplies(of: id)
            else {
                return refuse(id, number, .quotaExceeded)
            }
            begin(operation, id, number)
        }
    }

    private func hasRoomForReplies(of id: SessionID) -> Bool {
        let uid = sessions[id]!.process.uid
        let ofUser = sessions.keys.filter { sessions[$0]!.process.uid == uid }
        let byteCountOfUser = ofUser.reduce(0) { $0 + replyByteCount(of: $1) }
        return replyByteCount(of: id) < quotas.replyByteCountPerSession
            && (uid == 0 || byteCountOfUser < quotas.replyByteCountPerUID)
    }

    /// Of what is answered, and of what the replies to those that wait may take.
    func replyByteCount(of id: SessionID) -> Int {
        sessions[id]!.entries.reduce(0) { sum, entry in
            switch entry.value {
            case .answered(let reply, _): sum + reply.keptByteCount
            case .waiting(let key) where key.kind == .leaderSlot: sum + ClientLimits.leaderValue
            case .waiting(let key) where key.kind == .barrier: sum + ClientLimits.waitingArrival
            case .waiting(let key):
                sum + setByteCount(SpecifiedSet(session: id, number: entry.key), at: key)
            }
        }
    }

    private mutating func begin(_ operation: Operation, _ id: SessionID, _ number: UInt64) {
        switch operation {
        case .acquire(let name, let mode, let isTry, let priority, let lockDelay, let task):
            let claim = claim(id, number, mode, priority, task, lockDelay: lockDelay)
            self.claim(ObjectKey(kind: .lock, name: name), claim, isTry: isTry)
        case .acquireAll(let set): acquireAll(set, id, number)
        case .upgrade(let name, let token):
            upgrade(ObjectKey(kind: .lock, name: name), token, id, number)
        case .limit(let name, let limit):
            setLimit(ObjectKey(kind: .lock, name: name), limit, id, number)
        case .campaign(let slot, let value, let priority, let places, let task):
            let key = ObjectKey(kind: .leaderSlot, name: slot)
            let named = places ?? (queues[key] == nil ? 1 : nil)
            var claim = claim(id, number, .permits(1, of: named), priority, task)
            claim.value = value
            self.claim(key, claim, isTry: false)
        case .announce(let slot, let token, let value): announce(value, slot, token, id, number)
        case .arrive(let arrival): arrive(arrival, id, number)
        case .transact(let transaction): transact(transaction, id, number)
        case .lease(let operation): lease(operation, id, number)
        case .latch(let operation): latch(operation, id, number)
        case .revoke(let revocation): revoke(revocation, id, number)
        case .joinGroup(let join): joinGroup(join, id, number)
        case .evictMember(let name, let member): evictMember(name, member, id, number)
        case .sendToGroup(let name, let payload): sendToGroup(name, payload, id, number)
        case .provideState(let name, let state): provideState(name, state, id, number)
        case .adoptState(let name, let member, let upTo): adoptState(name, member, upTo, id, number)
        case .release, .releaseAll, .resign, .handOver, .downgrade, .cancel, .leaveGroup: break
        }
    }

    /// K10: one definite answer to whether it was in time.
    private mutating func cancel(
        _ target: UInt64, _ reason: CancelReason, _ id: SessionID, _ number: UInt64
    ) {
        guard target < number else { return refuse(id, number, .invalid) }
        var wasCancelled = true
        switch sessions[id]!.standing(of: target) {
        case .unknown: answer(id, target, .cancelled)
        case .settled: wasCancelled = false
        case .refused:
            wasCancelled = false
            tellRefused(id, target)
        case .answered(let reply):
            wasCancelled = false
            tell(id, target, reply)
        case .waiting(let key) where key.kind == .barrier:
            breakGeneration(
                of: key.name, reason == .timedOut ? .timedOut : .cancelled, by: id)
        case .waiting(let key) where key.kind == .latch:
            answer(id, target, .cancelled)
            forgetLatchWait(key.name, id, target)
        case .waiting(let key):
            answer(id, target, .cancelled)
            guard queues[key]!.upgrade.map({ $0 != (id, target) }) ?? true else {
                queues[key]!.upgrade = nil
                touched.insert(key)
                grantNext(key)
                break
            }
            let set = SpecifiedSet(session: id, number: target)
            let keys = keys(of: set)
            leave(keys.isEmpty ? [key] : keys, id, .released)
        }
        answer(id, number, .cancelOutcome(wasCancelled: wasCancelled))
    }

    // MARK: - Answers

    mutating func answer(_ id: SessionID, _ number: UInt64, _ reply: Reply) {
        sessions[id]!.answer(number, reply)
        tell(id, number, reply)
    }

    mutating func refuse(_ id: SessionID, _ number: UInt64, _ code: RefusalCode) {
        answer(id, number, .refused(Refusal(code, "")))
    }

    private mutating func tellRefused(_ id: SessionID, _ number: UInt64) {
        tell(id, number, .refused(Refusal(.quotaExceeded, "")))
    }

    mutating func tell(_ id: SessionID, _ number: UInt64, _ reply: Reply) {
        effects.append(.reply(session: id, number: number, reply))
    }

    mutating func wait(_ id: SessionID, _ number: UInt64, in key: ObjectKey) {
        sessions[id]!.entries[number] = .waiting(key)
        tellQueued(id, number, in: key)
    }

    private mutating func tellQueued(_ id: SessionID, _ number: UInt64, in key: ObjectKey) {
        effects.append(.queued(session: id, number: number, position: 0))
    }

    mutating func confirm(_ id: SessionID, upTo number: UInt64) {
        sessions[id]?.confirm(upTo: number)
        forgetDecisions()
    }
}

extension LeaseOperation {
    fileprivate var isRelease: Bool { if case .release = action { true } else { false } }
}
