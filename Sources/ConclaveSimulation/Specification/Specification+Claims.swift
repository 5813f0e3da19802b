import ConclaveBase
import ConclaveCoordination
import ConclaveWire

/// Locks, semaphores and leader slots: by priority, then first come, first served; a run of shared
/// ones together.
extension Specification {
    mutating func claim(_ key: ObjectKey, _ claim: SpecifiedQueue.Claim, isTry: Bool) {
        let (id, number) = (claim.session, claim.number)
        guard queues[key] != nil || objectCount < quotas.objects else {
            return refuse(id, number, .quotaExceeded)
        }
        guard hasRoomForClaim(of: id) else { return refuse(id, number, .quotaExceeded) }
        guard hasRoomForValue(claim.value.count, of: id) else {
            return refuse(id, number, .quotaExceeded)
        }
        let queue = queues[key] ?? newQueue(key, limit: claim.mode.limit)
        guard queue.isMeant(by: claim.mode) else { return refuse(id, number, .invalid) }
        if queue.request(of: id) != nil { return refuse(id, number, .alreadyHeld) }
        if !grantsAreSuspended, queue.isNext(claim.priority), queue.admits(claim.mode) {
            queues[key] = queue
            hold(claim, key)
        } else if isTry {
            guard !grantsAreSuspended else { return refuse(id, number, .unavailable) }
            answer(id, number, .busy(holder: queue.holders.first?.session))
        } else if queue.all.count >= quotas.waitersPerObject {
            refuse(id, number, .quotaExceeded)
        } else {
            let before = queues[key]
            queues[key] = queue
            queues[key]!.wait(claim)
            guard !closesCycle(claim, in: key) else {
                queues[key] = before
                return refuse(id, number, .deadlock)
            }
            touched.insert(key)
            wait(id, number, in: key)
        }
    }

    mutating func setLimit(
        _ key: ObjectKey, _ limit: UInt32, _ id: SessionID, _ number: UInt64
    ) {
        guard let queue = queues[key], let before = queue.limit,
            queue.all.allSatisfy({ $0.mode.permitCount ?? 0 <= limit })
        else { return refuse(id, number, .refused) }
        queues[key]!.limit = limit
        if before != limit { note(.limited(from: before, to: limit, by: holder(id)), key) }
        touched.insert(key)
        answer(id, number, .done)
        grantNext(key)
    }

    /// It has one at most on each object.
    func hasRoomForClaim(of id: SessionID, count: Int = 1) -> Bool {
        let hasRoom =
            queues.count + count <= quotas.claimsPerSession
            || claimCount(of: id) + count <= quotas.claimsPerSession
        let uid = sessions[id]!.process.uid
        guard hasRoom, uid != 0, queues.count * sessions.count + count > quotas.claimsPerUID else {
            return hasRoom
        }
        let claimed = sessions.values.filter { $0.process.uid == uid }
            .reduce(0) { $0 + claimCount(of: $1.id) }
        return claimed + count <= quotas.claimsPerUID
    }

    /// Of a leader or candidate.
    private func hasRoomForValue(_ growth: Int, of id: SessionID) -> Bool {
        guard valueByteCount + growth <= quotas.valueByteCount else { return false }
        let uid = sessions[id]!.process.uid
        guard uid != 0, growth > 0 else { return true }
        let ofUser = sessions.values.filter { $0.process.uid == uid }.map(\.id)
        return announcedByteCount(of: ofUser) + growth <= quotas.valueByteCountPerUID
    }

    /// What some sessions announce, or will.
    func announcedByteCount(of ids: [SessionID]) -> Int {
        queues.values.reduce(0) { sum, queue in
            (queue.holders + queue.waiters).reduce(sum) {
                $0 + (ids.contains($1.session) ? $1.value.count : 0)
            }
        }
    }

    func claimCount(of id: SessionID) -> Int {
        queues.values.count { $0.request(of: id) != nil }
    }

    mutating func letGo(
        _ key: ObjectKey, _ token: FencingToken, _ id: SessionID, _ number: UInt64
    ) {
        guard queues[key]?.holds(id, under: token) == true else {
            return refuse(id, number, .notHeld)
        }
        answer(id, number, .done)
        if let upgrade = queues[key]!.upgrade, upgrade.session == id {
            queues[key]!.upgrade = nil
            refuse(id, upgrade.number, .notHeld)
        }
        leave(key, id, .released)
    }

    mutating func announce(
        _ value: [UInt8], _ slot: ObjectName, _ token: FencingToken, _ id: SessionID,
        _ number: UInt64
    ) {
        let key = ObjectKey(kind: .leaderSlot, name: slot)
        guard let queue = queues[key], queue.holds(id, under: token) else {
            return refuse(id, number, .notHeld)
        }
        let place = queue.holders.firstIndex { $0.session == id }!
        let growth = value.count - queue.holders[place].value.count
        guard hasRoomForValue(growth, of: id) else {
            return refuse(id, number, .quotaExceeded)
        }
        queues[key]!.holders[place].value = value
        touched.insert(key)
        answer(id, number, .done)
        effects.append(.leaderChanged(slot: slot))
    }

    /// The standby that is named has the leader's place, before all others.
    mutating func handOver(
        _ slot: ObjectName, _ token: FencingToken, to standby: SessionID, _ id: SessionID,
        _ number: UInt64
    ) {
        let key = ObjectKey(kind: .leaderSlot, name: slot)
        guard var queue = queues[key], queue.holds(id, under: token),
            let leader = queue.holders.firstIndex(where: { $0.session == id })
        else { return refuse(id, number, .notHeld) }
        guard !grantsAreSuspended else { return refuse(id, number, .unavailable) }
        guard let place = queue.waiters.firstIndex(where: { $0.session == standby }) else {
            return refuse(id, number, .refused)
        }
        let before = queue
        var heir = queue.waiters.remove(at: place)
        let gone = queue.holders.remove(at: leader)
        queue.previousEnd = .released
        queue.previousValue = gone.value
        heir.token = version.number
        queues[key] = queue
        queues[key]!.holders.append(heir)
        guard !isWaitingForItself(heir.task) else {
            queues[key] = before
            return refuse(id, number, .deadlock)
        }
        queues[key]!.holders.removeLast()
        answer(id, number, .done)
        note(.ended(holding(gone, key), .handedOver), key)
        hold(heir, key)
    }

    /// A holder or a waiter goes; whose turn it is then has the object at this very version.
    mutating func leave(_ key: ObjectKey, _ id: SessionID, _ ending: HoldingEnd) {
        let wasHeld = go(key, id, ending)
        let isGranted = grantNext(key)
        removeIfUnused(key)
        if key.kind == .leaderSlot, wasHeld, !isGranted {
            effects.append(.leaderChanged(slot: key.name))
        }
    }

    /// Several locks are left together, and then whose turn it is has them.
    mutating func leave(_ keys: [ObjectKey], _ id: SessionID, _ ending: HoldingEnd) {
        for key in keys { _ = go(key, id, ending) }
        for key in keys { grantNext(key) }
        for key in keys { removeIfUnused(key) }
    }

    mutating func removeIfUnused(_ key: ObjectKey) {
        guard let queue = queues[key], queue.isUnused else { return }
        remember(queue.previousEnd, of: key)
        queues[key] = nil
    }

    private mutating func go(
        _ key: ObjectKey, _ id: SessionID, _ ending: HoldingEnd
    ) -> Bool {
        let end = PreviousEnd(ending)
        touched.insert(key)
        let held = queues[key]!.holders.first { $0.session == id }
        queues[key]!.holders.removeAll { $0.session == id }
        queues[key]!.removeWaiters(of: id)
        if queues[key]!.upgrade?.session == id { queues[key]!.upgrade = nil }
        if let held {
            note(.ended(holding(held, key), ending), key)
            queues[key]!.previousEnd = end
            queues[key]!.previousValue = held.value
            if key.kind == .lock, Self.leavesThingsHalfDone(end), held.lockDelay > .zero {
                close(key, for: held.lockDelay)
            }
        }
        return held != nil
    }

    /// Nobody is granted it for a while.
    private mutating func close(_ key: ObjectKey, for delay: Interval) {
        let longest = max(delay, queues[key]!.closure?.delay ?? .zero)
        queues[key]!.closure = (version, longest)
        note(.closed(longest), key)
        effects.append(.lockClosed(ClosedLock(name: key.name, since: version, delay: longest)))
    }

    mutating func open(_ name: ObjectName, since: Version) {
        let key = ObjectKey(kind: .lock, name: name)
        guard queues[key]?.closure?.since == since else { return }
        queues[key]!.closure = nil
        note(.opened, key)
        grantNext(key)
        removeIfUnused(key)
    }

    func newQueue(_ key: ObjectKey, limit: UInt32?) -> SpecifiedQueue {
        var queue = SpecifiedQueue(limit: limit)
        let end = key.kind == .lock ? lost.first { $0.name == key.name }?.end : nil
        queue.previousEnd = end ?? .none
        return queue
    }

    private static func leavesThingsHalfDone(_ end: PreviousEnd) -> Bool {
        [.died, .expired, .forced].contains(end)
    }

    /// Whoever has the lock next is told, if what was done under it may be half done.
    private mutating func remember(_ end: PreviousEnd, of key: ObjectKey) {
        guard key.kind == .lock, Self.leavesThingsHalfDone(end),
            !lost.contains(where: { $0.name == key.name })
        else { return }
        lost.append((key.name, end))
        if lost.count > quotas.rememberedEnds { lost.removeFirst() }
    }

    @discardableResult
    mutating func grantNext(_ key: ObjectKey) -> Bool {
        guard !grantsAreSuspended else { return false }
        var isGranted = false
        let sets = serve(key, &isGranted)
        advance(sets)
        return isGranted
    }

    /// Returns the requests for several that have come as far as to have it for one.
    mutating func serve(_ key: ObjectKey, _ isGranted: inout Bool) -> [SpecifiedSet] {
        if grantUpgrade(key) { isGranted = true }
        for claim in queues[key]!.reserved { grantSet(SpecifiedSet(claim)) }
        var sets: [SpecifiedSet] = []
        guard queues[key]!.upgrade == nil, queues[key]!.closure == nil else { return [] }
        while let next = queues[key]!.waiters.first, queues[key]!.admits(next.mode) {
            queues[key]!.waiters.removeFirst()
            touched.insert(key)
            if next.isOfSet {
                queues[key]!.reserved.append(next)
                sets.append(SpecifiedSet(next))
            } else {
                hold(next, key)
                isGranted = true
            }
        }
        return sets
    }

    /// The token is the version that grants.
    private mutating func hold(_ claim: SpecifiedQueue.Claim, _ key: ObjectKey) {
        let claim = take(claim, key)
        let queue = queues[key]!
        let token = FencingToken(version)
        if key.kind == .lock {
            answer(claim.session, claim.number, .granted(grant(claim, key)))
        } else {
            let term = Term(
                slot: key.name, place: claim.place, token: token, previousEnd: queue.previousEnd,
                previousValue: queue.previousValue)
            answer(claim.session, claim.number, .elected(term))
            effects.append(.leaderChanged(slot: key.name))
        }
    }

    func grant(_ claim: SpecifiedQueue.Claim, _ key: ObjectKey) -> LockGrant {
        LockGrant(
            name: key.name, mode: claim.mode, token: FencingToken(version),
            previousEnd: queues[key]!.previousEnd)
    }

    mutating func take(
        _ claim: SpecifiedQueue.Claim, _ key: ObjectKey
    ) -> SpecifiedQueue.Claim {
        touched.insert(key)
        if key.kind == .lock { lost.removeAll { $0.name == key.name } }
        var claim = claim
        claim.token = version.number
        claim.since = time
        claim.isOfSet = false
        if key.kind == .leaderSlot { claim.place = queues[key]!.freePlace }
        queues[key]!.holders.append(claim)
        note(.granted(holding(claim, key)), key)
        return claim
    }
}
