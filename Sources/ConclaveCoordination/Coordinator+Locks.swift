import ConclaveBase
import ConclaveWire

extension Coordinator {
    mutating func acquire(
        _ name: ObjectName, _ wish: ClaimTable.Wish, effects: inout [CoordinationEffect]
    ) {
        let request = wish.request
        if locks.index(of: name) == nil, !hasRoomForObject {
            return refuseObject(request, effects: &effects)
        }
        guard hasRoomForClaims(of: request.session) else {
            return refuseClaims(request, effects: &effects)
        }
        let outcome = locks.claim(
            name, wish, isOpen: !grantsAreSuspended, maximumWaiters: quotas.waitersPerObject,
            at: now)
        switch outcome {
        case .granted(let claim):
            tellGranted(claim, effects: &effects)
        case .queued(let claim):
            if let reason = reasonNotToWait(claim, of: .lock) {
                let lock = locks.claims[claim].object
                locks.remove(claim, end: .none)
                locks.removeIfUnused(lock, at: now)
                answer(request, .refused(reason), effects: &effects)
                return
            }
            wait(request, in: .lock(claim: claim), effects: &effects)
        case .busy where grantsAreSuspended:
            refuse(request, .unavailable, Self.suspendedMessage, effects: &effects)
        case .busy(let holder):
            let id = holder.map { sessions[locks.claims[$0].request.session].id }
            answer(request, .busy(holder: id), effects: &effects)
        case .alreadyClaimed:
            refuse(request, .alreadyHeld, Self.alreadyHeldMessage(name), effects: &effects)
        case .queueIsFull: refuseWaiter(request, of: name, effects: &effects)
        case .isOther(let limit):
            let message = Self.mistake(about: name, wish.mode, limit: limit)
            refuse(request, .invalid, message, effects: &effects)
        }
    }

    /// `limit`: the lock's; `nil`: it is no semaphore, or is not there.
    static func mistake(
        about name: ObjectName, _ mode: LockMode, limit: UInt32?
    ) -> String {
        switch (mode, limit) {
        case (.permits(let count, _), let limit?) where count > limit:
            "semaphore \(name) has \(limit) permits, not the \(count) that are asked for"
        case (.permits(_, let named?), let limit?):
            "semaphore \(name) has a limit of \(limit), not of \(named)"
        case (.permits(_, _?), nil): "lock \(name) is no semaphore"
        case (.permits, _):
            "lock \(name) is no semaphore, or has no limit yet, since nobody has it: name one"
        case (.exclusive, _), (.shared, _):
            "lock \(name) is a semaphore" + (limit.map { " of \($0) permits" } ?? "")
        }
    }

    /// Sets how many permits a semaphore gives out. What is given out stays so; those who wait must
    /// all still come to their turn.
    mutating func setLimit(
        of name: ObjectName, to limit: UInt32, _ request: RequestReference,
        effects: inout [CoordinationEffect]
    ) {
        guard let lock = locks.index(of: name), let before = locks.objects[lock].limit else {
            let message = "nobody holds or awaits a semaphore \(name)"
            refuse(request, .refused, message, effects: &effects)
            return
        }
        let wanted = locks.largestWish(for: lock)
        guard wanted <= limit else {
            let message = "somebody waits for \(wanted) permits of semaphore \(name)"
            refuse(request, .refused, message, effects: &effects)
            return
        }
        locks.setLimit(of: lock, to: limit)
        if before != limit {
            noteLimit(of: name, from: before, to: limit, by: request.session)
        }
        answer(request, .done, effects: &effects)
        if plant != .limitServesNobody {
            grantNext(lock: lock, isNewlyOpen: true, effects: &effects)
        }
    }

    mutating func release(
        _ name: ObjectName, under token: FencingToken, _ request: RequestReference,
        effects: inout [CoordinationEffect]
    ) {
        guard let claim = locks.held(name, by: request.session, under: token) else {
            refuseAsNotHeld(name, under: token, request, effects: &effects)
            return
        }
        answer(request, .done, effects: &effects)
        refuseUpgrade(of: claim, effects: &effects)
        giveUp(lock: claim, .released, effects: &effects)
    }

    /// Removes a holder or a waiter; whose turn it is then has the lock, at this very version.
    mutating func giveUp(
        lock claim: Int, _ ending: HoldingEnd, effects: inout [CoordinationEffect]
    ) {
        let left = leave(lock: claim, ending, effects: &effects)
        serveNext(left, effects: &effects)
        removeIfUnused(left)
    }

    /// Removes several, of one session: whose turn it is then has all of them.
    mutating func giveUp(
        locks claims: [Int], _ ending: HoldingEnd, effects: inout [CoordinationEffect]
    ) {
        let left = claims.map { leave(lock: $0, ending, effects: &effects) }
        for lock in left { serveNext(lock, effects: &effects) }
        for lock in left { removeIfUnused(lock) }
    }

    private struct Left {
        var lock: Int
        var wasHeld: Bool
        var wasOpen: Bool
    }

    private mutating func leave(
        lock claim: Int, _ ending: HoldingEnd, effects: inout [CoordinationEffect]
    ) -> Left {
        let end = ending.previousEnd
        let lock = locks.claims[claim].object
        let left = Left(
            lock: lock, wasHeld: locks.claims[claim].isHeld, wasOpen: locks.isOpen(lock))
        let delay = locks.claims[claim].lockDelay
        if left.wasHeld { noteEnded(lock: claim, ending) }
        locks.remove(claim, end: end)
        if left.wasHeld, end.isUnclean, delay > .zero {
            locks.close(left.lock, for: delay, at: version)
            if let closed = locks.closedLock(left.lock) {
                note(.closed(closed.delay), of: .lock, closed.name)
                effects.append(.lockClosed(closed))
            }
        }
        return left
    }

    private mutating func serveNext(_ left: Left, effects: inout [CoordinationEffect]) {
        guard left.wasHeld || plant != .leavingWaiterStopsQueue else { return }
        grantNext(
            lock: left.lock, isNewlyOpen: left.wasHeld && !left.wasOpen, effects: &effects)
    }

    private mutating func removeIfUnused(_ left: Left) {
        let name = plant == .lossForgotten ? locks.objects[left.lock].name : nil
        locks.removeIfUnused(left.lock, at: now)
        if let name { locks.forgetEnd(of: name) }
    }

    /// The delay after a loss is over.
    mutating func open(
        _ name: ObjectName, since: Version, effects: inout [CoordinationEffect]
    ) {
        guard let lock = locks.index(of: name), locks.objects[lock].closure?.since == since
        else { return }
        locks.open(lock)
        note(.opened, of: .lock, name)
        grantNext(lock: lock, isNewlyOpen: true, effects: &effects)
        locks.removeIfUnused(lock, at: now)
    }

    mutating func grantNext(
        lock: Int, isNewlyOpen: Bool = false, effects: inout [CoordinationEffect]
    ) {
        guard !grantsAreSuspended else { return }
        let sets = serve(lock, isNewlyOpen: isNewlyOpen, effects: &effects)
        if !sets.isEmpty { advance(sets, effects: &effects) }
    }

    /// Grants a lock to those whose turn it is, alone or as one of several that are reserved already. What
    /// is complete waits only for a lock that is closed, or has too many permits given out: so nobody looks
    /// for that unless it may have one more now. Returns the requests for several that it is reserved now
    /// for one.
    ///
    /// - Precondition: grants are not suspended.
    mutating func serve(
        _ lock: Int, isNewlyOpen: Bool, effects: inout [CoordinationEffect]
    ) -> [RequestReference] {
        grantUpgrade(lock: lock, effects: &effects)
        if isNewlyOpen, locks.objects[lock].closure == nil {
            grantSets(reservedAt: lock, effects: &effects)
        }
        return serveQueue(of: lock, effects: &effects)
    }

    /// The same where only the queue has changed: nothing was given up, opened or made more.
    mutating func serveQueue(
        of lock: Int, effects: inout [CoordinationEffect]
    ) -> [RequestReference] {
        var sets: [RequestReference] = []
        for claim in locks.grantNext(lock, at: now) {
            if locks.claims[claim].standing == nil {
                tellGranted(claim, effects: &effects)
            } else {
                sets.append(locks.claims[claim].request)
            }
        }
        return sets
    }

    private mutating func tellGranted(_ claim: Int, effects: inout [CoordinationEffect]) {
        noteGranted(lock: claim)
        answer(locks.claims[claim].request, .granted(grant(claim)), effects: &effects)
    }

    func grant(_ claim: Int) -> LockGrant {
        let lock = locks.claims[claim].object
        return LockGrant(
            name: locks.objects[lock].name, mode: locks.claims[claim].mode,
            token: locks.claims[claim].token, previousEnd: locks.objects[lock].previousEnd)
    }

    static func alreadyHeldMessage(_ name: ObjectName) -> String {
        "the session holds or awaits lock \(name) already"
    }

    /// A room of its own for what hardly ever happens.
    @inline(never)
    private mutating func refuseWaiter(
        _ request: RequestReference, of name: ObjectName, effects: inout [CoordinationEffect]
    ) {
        refuse(request, .quotaExceeded, queueQuotaMessage(name), effects: &effects)
    }

    func queueQuotaMessage(_ name: ObjectName) -> String {
        "\(quotas.waitersPerObject) requests wait for lock \(name) already: try again when there are "
            + "fewer, or do not wait"
    }

    static let suspendedMessage = "state was lost; nothing is granted until old holders are over"

    var hasRoomForObject: Bool { objectCount < quotas.objects }

    @inline(never)
    private mutating func refuseObject(
        _ request: RequestReference, effects: inout [CoordinationEffect]
    ) {
        refuse(request, .quotaExceeded, Self.objectQuotaMessage(quotas.objects), effects: &effects)
    }

    static func objectQuotaMessage(_ count: Int) -> String {
        "there are \(count) locks, slots, barriers, latches, keys, leases and groups already: "
            + "remove what nobody needs first"
    }

    /// Whether a session may have so many more claims, and its user's sessions together.
    func hasRoomForClaims(of session: Int, growth: Int = 1) -> Bool {
        let count = locks.claimCount(of: session) + slots.claimCount(of: session)
        let countOfUser =
            locks.claimCount(ofUserOf: session) + slots.claimCount(ofUserOf: session)
        return count + growth <= quotas.claimsPerSession
            && (countOfUser + growth <= quotas.claimsPerUID || sessions[session].process.uid == 0)
    }

    @inline(never)
    mutating func refuseClaims(
        _ request: RequestReference, growth: Int = 1, effects: inout [CoordinationEffect]
    ) {
        let session = request.session
        let count = locks.claimCount(of: session) + slots.claimCount(of: session)
        let isOfSession = count + growth > quotas.claimsPerSession
        let countOfUser =
            locks.claimCount(ofUserOf: session) + slots.claimCount(ofUserOf: session)
        let message =
            isOfSession
            ? "the session holds or awaits \(count) locks and leader slots, of "
                + "\(quotas.claimsPerSession) that one may: let go of some first"
            : "processes of uid \(sessions[session].process.uid) have or want \(countOfUser) locks "
                + "and leader slots, of \(quotas.claimsPerUID) that one user's may: let go of some "
                + "first"
        refuse(request, .quotaExceeded, message, effects: &effects)
    }

    /// Whether values may grow by `byteCount`.
    func hasRoom(forValueBytes byteCount: Int) -> Bool {
        slots.valueByteCount + barriers.payloadByteCount + keys.valueByteCount + byteCount
            <= quotas.valueByteCount
    }

    /// Why a leader's or candidate's value, or a payload at a barrier, may not be added: none may if one user
    /// would have too much with it.
    @inline(never)
    func valueRefusal(_ growth: Int, ofUser byteCount: Int, uid: UInt32) -> Refusal? {
        guard hasRoom(forValueBytes: growth) else {
            return Refusal(.quotaExceeded, Self.valueQuotaMessage(quotas.valueByteCount))
        }
        guard uid != 0, growth > 0, byteCount + growth > quotas.valueByteCountPerUID else {
            return nil
        }
        return Refusal(
            .quotaExceeded,
            "values and payloads of uid \(uid) have \(byteCount) bytes already, of "
                + "\(quotas.valueByteCountPerUID) that one user's may: let go of some first")
    }

    /// Whether a session's values may grow so much.
    @inline(__always)
    func hasRoomForValue(_ growth: Int, of session: Int) -> Bool {
        hasRoom(forValueBytes: growth)
            && (growth <= 0
                || slots.valueByteCount(ofUserOf: session) + growth <= quotas.valueByteCountPerUID
                || sessions[session].process.uid == 0)
    }

    @inline(never)
    mutating func refuseValue(
        _ growth: Int, _ request: RequestReference, effects: inout [CoordinationEffect]
    ) {
        let session = request.session
        let refusal = valueRefusal(
            growth, ofUser: slots.valueByteCount(ofUserOf: session),
            uid: sessions[session].process.uid)
        if let refusal { answer(request, .refused(refusal), effects: &effects) }
    }

    static func valueQuotaMessage(_ byteCount: Int) -> String {
        "there are \(byteCount) bytes of values already: delete keys that nobody needs "
            + "first"
    }
}
