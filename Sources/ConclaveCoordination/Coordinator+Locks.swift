import ConclaveBase
import ConclaveWire

extension Coordinator {
    mutating func acquire(
        _ name: ObjectName, _ wish: ClaimTable.Wish, effects: inout [CoordinationEffect]
    ) {
        let request = wish.request
        if locks.index(of: name) == nil, !hasRoomForObject {
            refuse(request, .quotaExceeded, objectQuotaMessage, effects: &effects)
            return
        }
        guard hasRoomForClaim(of: request.session) else {
            refuse(request, .quotaExceeded, claimQuotaMessage, effects: &effects)
            return
        }
        let outcome = locks.claim(
            name, wish, isOpen: !grantsAreSuspended, maximumWaiters: quotas.waitersPerObject,
            at: now)
        switch outcome {
        case .granted(let claim):
            tellGranted(claim, effects: &effects)
        case .queued(let claim):
            wait(request, in: .lock(claim: claim), effects: &effects)
        case .busy where grantsAreSuspended:
            refuse(request, .unavailable, Self.suspendedMessage, effects: &effects)
        case .busy(let holder):
            let id = holder.map { sessions[locks.claims[$0].request.session].id }
            answer(request, .busy(holder: id), effects: &effects)
        case .alreadyClaimed:
            let message = "the session holds or awaits lock \(name) already"
            refuse(request, .alreadyHeld, message, effects: &effects)
        case .queueIsFull:
            let message = "\(quotas.waitersPerObject) requests wait for lock \(name) already"
            refuse(request, .quotaExceeded, message, effects: &effects)
        }
    }

    mutating func release(
        _ name: ObjectName, under token: FencingToken, _ request: RequestReference,
        effects: inout [CoordinationEffect]
    ) {
        guard let claim = locks.held(name, by: request.session, under: token) else {
            let message = "the session does not hold lock \(name) under token \(token)"
            refuse(request, .notHeld, message, effects: &effects)
            return
        }
        answer(request, .done, effects: &effects)
        giveUp(lock: claim, .released, effects: &effects)
    }

    /// Removes a holder or a waiter; whose turn it is then has the lock, at this very version.
    mutating func giveUp(
        lock claim: Int, _ end: PreviousEnd, effects: inout [CoordinationEffect]
    ) {
        let lock = locks.claims[claim].object
        let wasHeld = locks.claims[claim].isHeld
        locks.remove(claim, end: end)
        if wasHeld || plant != .leavingWaiterStopsQueue { grantNext(lock: lock, effects: &effects) }
        locks.removeIfUnused(lock)
    }

    mutating func grantNext(lock: Int, effects: inout [CoordinationEffect]) {
        guard !grantsAreSuspended else { return }
        for claim in locks.grantNext(lock, at: now) { tellGranted(claim, effects: &effects) }
    }

    private mutating func tellGranted(_ index: Int, effects: inout [CoordinationEffect]) {
        let claim = locks.claims[index]
        let lock = locks.objects[claim.object]
        let grant = LockGrant(
            name: lock.name, mode: claim.mode, token: claim.token, previousEnd: lock.previousEnd)
        answer(claim.request, .granted(grant), effects: &effects)
    }

    static let suspendedMessage = "state was lost; nothing is granted until old holders are over"

    var hasRoomForObject: Bool { objectCount < quotas.objects }

    var objectQuotaMessage: String { "there are \(quotas.objects) objects already" }

    func hasRoomForClaim(of session: Int) -> Bool {
        locks.claimCount(of: session) + slots.claimCount(of: session) < quotas.claimsPerSession
    }

    var claimQuotaMessage: String {
        "the session holds or awaits \(quotas.claimsPerSession) locks and leader slots already"
    }

    /// Whether values may grow by `byteCount`.
    func hasRoom(forValueBytes byteCount: Int) -> Bool {
        slots.valueByteCount + barriers.payloadByteCount + keys.valueByteCount + byteCount
            <= quotas.valueByteCount
    }

    var valueQuotaMessage: String { "there are \(quotas.valueByteCount) bytes of values already" }
}
