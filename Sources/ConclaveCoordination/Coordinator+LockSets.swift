import ConclaveBase
import ConclaveWire
import DequeModule

/// Several locks as one: all are granted at one version, or none.
///
/// A request comes to its locks by their names, and is in one queue at a time, with the ticket that it
/// drew when it was made; those it has come past are reserved for it. So whoever takes the same locks
/// one by one in that order, and other requests for several, wait for it as for one of them, and never
/// in a circle.
extension Coordinator {
    mutating func acquireAll(
        _ set: LockSet, _ request: RequestReference, effects: inout [CoordinationEffect]
    ) {
        let wishes = set.parts.map { part in
            let wish = wish(
                part.mode, set.task, request, isTry: set.isTry, priority: set.priority,
                lockDelay: set.lockDelay)
            return (name: part.name, wish: wish)
        }
        guard hasRoomForClaims(of: request.session, growth: wishes.count) else {
            return refuseClaims(request, growth: wishes.count, effects: &effects)
        }
        if let refusal = refusal(of: wishes, by: request.session) {
            return answer(request, .refused(refusal), effects: &effects)
        }
        if set.isTry, let busy = answerIfBusy(wishes) {
            return answer(request, busy, effects: &effects)
        }
        locks.addSet(wishes, at: now)
        if grantsAreSuspended {
            _ = locks.comeToNext(request)
        } else {
            advance([request], effects: &effects)
        }
        guard !locks.set(request).isEmpty else { return }
        let byteCount = Reply.keptByteCount(ofGrants: set.parts.map(\.name))
        wait(request, in: .lockSet(replyByteCount: byteCount), effects: &effects)
    }

    private func refusal(
        of wishes: [(name: ObjectName, wish: ClaimTable.Wish)], by session: Int
    ) -> Refusal? {
        let newCount = wishes.count { locks.index(of: $0.name) == nil }
        guard objectCount + newCount <= quotas.objects else {
            return Refusal(.quotaExceeded, Self.objectQuotaMessage(quotas.objects))
        }
        for (name, wish) in wishes {
            let known = locks.index(of: name)
            let limit = known.map { locks.objects[$0].limit } ?? wish.mode.limit
            guard wish.mode.isOf(limit: limit) else {
                return Refusal(.invalid, Self.mistake(about: name, wish.mode, limit: limit))
            }
            guard let known else { continue }
            guard locks.claim(of: session, on: known) == nil else {
                return Refusal(.alreadyHeld, Self.alreadyHeldMessage(name))
            }
            guard locks.objects[known].waiterCount < quotas.waitersPerObject else {
                return Refusal(.quotaExceeded, queueQuotaMessage(name))
            }
        }
        return nil
    }

    /// What a try is answered if it cannot have all of them now.
    private func answerIfBusy(
        _ wishes: [(name: ObjectName, wish: ClaimTable.Wish)]
    ) -> Reply? {
        if grantsAreSuspended {
            return .refused(Refusal(.unavailable, Self.suspendedMessage))
        }
        guard let busy = wishes.first(where: { !locks.isFree($0.name, for: $0.wish) }),
            let lock = locks.index(of: busy.name)
        else { return nil }
        let first = locks.objects[lock].holders.first
        return .busy(holder: first.map { sessions[locks.claims[$0].request.session].id })
    }

    /// Has requests come to what they may have now. One that would wait for itself where it has come to
    /// is refused, and what was reserved for it goes on.
    ///
    /// - Precondition: grants are not suspended, and none of them is queued anywhere.
    mutating func advance(
        _ requests: [RequestReference], effects: inout [CoordinationEffect]
    ) {
        var requests = Deque(requests)
        while let request = requests.popFirst() {
            guard let claim = locks.comeToNext(request) else {
                grantSet(request, effects: &effects)
                continue
            }
            requests += serveQueue(of: locks.claims[claim].object, effects: &effects)
            guard locks.claims[claim].standing == .queued,
                plant != .setWaitsForItself, let reason = reasonNotToWait(claim, of: .lock)
            else { continue }
            for lock in remove(set: request) {
                requests += serve(lock, isNewlyOpen: false, effects: &effects)
            }
            answer(request, .refused(reason), effects: &effects)
        }
    }

    /// Where it waits now; 0 if it has come to all.
    func positionOfSet(_ request: RequestReference) -> UInt32 {
        let queued = locks.set(request).first { locks.claims[$0].standing == .queued }
        return queued.map { locks.position(of: $0) } ?? 0
    }

    mutating func grantSet(
        _ request: RequestReference, effects: inout [CoordinationEffect]
    ) {
        guard let claims = locks.grantSet(request, at: now) else { return }
        for claim in claims { noteGranted(lock: claim) }
        answer(request, .grantedAll(claims.map(grant)), effects: &effects)
    }

    /// Complete requests that one of the reserved locks had kept waiting, since it was not open.
    mutating func grantSets(reservedAt lock: Int, effects: inout [CoordinationEffect]) {
        for claim in locks.objects[lock].reserved.all(in: locks.claims) {
            grantSet(locks.claims[claim].request, effects: &effects)
        }
    }

    /// Returns the locks that it had come to, or was to; nobody is granted them yet.
    private mutating func remove(set request: RequestReference) -> [Int] {
        let claims = locks.set(request)
        let objects = claims.map { locks.claims[$0].object }
        for claim in claims { locks.remove(claim, end: .none) }
        deserted += objects.map { locks.objects[$0].name }
        return objects
    }

    /// What nobody has or awaits any more, since a request for several was refused, is gone.
    mutating func removeDeserted() {
        guard !deserted.isEmpty else { return }
        for name in deserted {
            if let lock = locks.index(of: name) { locks.removeIfUnused(lock, at: now) }
        }
        deserted.removeAll()
    }

    /// A request for several is given up.
    mutating func withdraw(set request: RequestReference, effects: inout [CoordinationEffect]) {
        giveUp(locks: locks.set(request), .released, effects: &effects)
    }

    /// Of what is held under one token: all of it or nothing.
    mutating func releaseAll(
        _ names: [ObjectName], under token: FencingToken, _ request: RequestReference,
        effects: inout [CoordinationEffect]
    ) {
        var claims: [Int] = []
        for name in names {
            guard let claim = locks.held(name, by: request.session, under: token) else {
                return refuseAsNotHeld(name, under: token, request, effects: &effects)
            }
            claims.append(claim)
        }
        answer(request, .done, effects: &effects)
        for claim in claims { refuseUpgrade(of: claim, effects: &effects) }
        giveUp(locks: claims, .released, effects: &effects)
    }
}
