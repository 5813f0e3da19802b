import ConclaveBase
import ConclaveWire

extension Coordinator {
    mutating func campaign(
        for name: ObjectName, _ wish: ClaimTable.Wish, effects: inout [CoordinationEffect]
    ) {
        let request = wish.request
        if slots.index(of: name) == nil, !hasRoomForObject {
            refuse(
                request, .quotaExceeded, Self.objectQuotaMessage(quotas.objects), effects: &effects)
            return
        }
        guard hasRoomForClaims(of: request.session) else {
            return refuseClaims(request, effects: &effects)
        }
        guard hasRoomForValue(wish.value.count, of: request.session) else {
            return refuseValue(wish.value.count, request, effects: &effects)
        }
        let outcome = slots.claim(
            name, wish, isOpen: !grantsAreSuspended, maximumWaiters: quotas.waitersPerObject,
            at: now)
        switch outcome {
        case .granted(let claim):
            tellElected(claim, effects: &effects)
        case .queued(let claim):
            if let reason = reasonNotToWait(claim, of: .leaderSlot) {
                let slot = slots.claims[claim].object
                slots.remove(claim, end: .none)
                slots.removeIfUnused(slot, at: now)
                answer(request, .refused(reason), effects: &effects)
                return
            }
            wait(request, in: .slot(claim: claim), effects: &effects)
        case .alreadyClaimed:
            let message = "the session leads or is a candidate in slot \(name) already"
            refuse(request, .alreadyHeld, message, effects: &effects)
        case .isOther(let limit):
            let message = "slot \(name) has \(Self.places(limit ?? 1)), not as many as were named"
            refuse(request, .invalid, message, effects: &effects)
        case .busy, .queueIsFull:
            let message =
                "slot \(name) has \(quotas.waitersPerObject) candidates already: try again later"
            refuse(request, .quotaExceeded, message, effects: &effects)
        }
    }

    /// How a candidate asks for one of a slot's places. They are as many as its first one has named.
    func modeOfPlace(in slot: ObjectName, of places: UInt32?) -> LockMode {
        .permits(1, of: places ?? (slots.index(of: slot) == nil ? 1 : nil))
    }

    private static func places(_ count: UInt32) -> String {
        count == 1 ? "1 place" : "\(count) places"
    }

    mutating func announce(
        _ value: [UInt8], in name: ObjectName, under token: FencingToken,
        _ request: RequestReference, effects: inout [CoordinationEffect]
    ) {
        guard let claim = slots.held(name, by: request.session, under: token) else {
            refuseAsNotLeading(name, under: token, request, effects: &effects)
            return
        }
        let growth = value.count - slots.claims[claim].value.count
        guard hasRoomForValue(growth, of: request.session) else {
            return refuseValue(growth, request, effects: &effects)
        }
        slots.setValue(of: claim, to: value)
        answer(request, .done, effects: &effects)
        effects.append(.leaderChanged(slot: name))
    }

    mutating func resign(
        _ name: ObjectName, under token: FencingToken, _ request: RequestReference,
        effects: inout [CoordinationEffect]
    ) {
        guard let claim = slots.held(name, by: request.session, under: token) else {
            refuseAsNotLeading(name, under: token, request, effects: &effects)
            return
        }
        answer(request, .done, effects: &effects)
        giveUp(slot: claim, .released, effects: &effects)
    }

    /// The leader's place goes to the standby that it names, at this very version.
    mutating func handOver(
        _ name: ObjectName, under token: FencingToken, to standby: SessionID,
        _ request: RequestReference, effects: inout [CoordinationEffect]
    ) {
        guard let claim = slots.held(name, by: request.session, under: token) else {
            return refuseAsNotLeading(name, under: token, request, effects: &effects)
        }
        guard !grantsAreSuspended else {
            return refuse(request, .unavailable, Self.suspendedMessage, effects: &effects)
        }
        guard let index = sessions.index(of: standby),
            let heir = slots.claim(of: index, on: slots.claims[claim].object),
            !slots.claims[heir].isHeld
        else {
            let message = "session \(standby) does not stand by for slot \(name)"
            return refuse(request, .refused, message, effects: &effects)
        }
        let given = holding(of: claim, in: slots)
        // Where nothing else is waited for, nothing can lead back, and no copy is needed.
        let task = slots.claims[heir].task
        let before = locks.waitCount(of: task) + slots.waitCount(of: task) > 1 ? slots : nil
        slots.remove(claim, end: .released)
        let isPassedOver = plant == .handOverToFirst
        let next = isPassedOver ? slots.waiters(of: slots.claims[heir].object)[0] : heir
        slots.grant(next, at: now)
        if let before, plant != .handOverClosesCycle, let cycle = deadlock(withLeader: next) {
            slots = before
            return refuse(request, .deadlock, cycle, effects: &effects)
        }
        answer(request, .done, effects: &effects)
        note(.ended(given, .handedOver), of: .leaderSlot, name)
        tellElected(next, effects: &effects)
    }

    private mutating func refuseAsNotLeading(
        _ name: ObjectName, under token: FencingToken, _ request: RequestReference,
        effects: inout [CoordinationEffect]
    ) {
        let message = "the session does not lead slot \(name) in term \(token)"
        refuse(request, .notHeld, message, effects: &effects)
    }

    /// Removes a leader or a candidate; the next candidate leads at this very version.
    mutating func giveUp(
        slot index: Int, _ end: HoldingEnd, effects: inout [CoordinationEffect]
    ) {
        let claim = slots.claims[index]
        let name = slots.objects[claim.object].name
        if claim.isHeld { noteEnded(slot: index, end) }
        slots.remove(index, end: end.previousEnd)
        let isElected = electNext(slot: claim.object, effects: &effects)
        slots.removeIfUnused(claim.object, at: now)
        guard plant != .vacancyUntold else { return }
        if claim.isHeld, !isElected { effects.append(.leaderChanged(slot: name)) }
    }

    @discardableResult
    mutating func electNext(slot: Int, effects: inout [CoordinationEffect]) -> Bool {
        guard !grantsAreSuspended else { return false }
        let elected = slots.grantNext(slot, at: now)
        if plant == .placeGivenTwice {
            for claim in elected { slots.setPlace(of: claim, to: 0) }
        }
        for claim in elected { tellElected(claim, effects: &effects) }
        return !elected.isEmpty
    }

    private mutating func tellElected(_ index: Int, effects: inout [CoordinationEffect]) {
        let claim = slots.claims[index]
        let slot = slots.objects[claim.object]
        noteElected(index)
        let term = Term(
            slot: slot.name, place: claim.place, token: claim.token, previousEnd: slot.previousEnd,
            previousValue: slot.previousValue)
        answer(claim.request, .elected(term), effects: &effects)
        effects.append(.leaderChanged(slot: slot.name))
    }
}
