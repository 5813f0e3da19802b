import ConclaveBase
import ConclaveWire

/// A session changes the mode of a lock that it holds.
extension Coordinator {
    /// The token stays: nothing is granted to who shares what it had alone.
    mutating func downgrade(
        _ name: ObjectName, under token: FencingToken, _ request: RequestReference,
        effects: inout [CoordinationEffect]
    ) {
        guard let claim = locks.held(name, by: request.session, under: token) else {
            return refuseAsNotHeld(name, under: token, request, effects: &effects)
        }
        guard locks.claims[claim].mode == .exclusive else {
            let message = "lock \(name) is not held alone"
            return refuse(request, .refused, message, effects: &effects)
        }
        locks.downgrade(claim)
        note(.downgraded(holding(of: claim, in: locks)), of: .lock, name)
        answer(request, .done, effects: &effects)
        guard plant != .downgradeServesNobody else { return }
        grantNext(lock: locks.claims[claim].object, effects: &effects)
    }

    /// Having it alone is a new grant, with a new token: others may have had larger ones meanwhile.
    mutating func upgrade(
        _ name: ObjectName, under token: FencingToken, _ request: RequestReference,
        effects: inout [CoordinationEffect]
    ) {
        guard let claim = locks.held(name, by: request.session, under: token) else {
            return refuseAsNotHeld(name, under: token, request, effects: &effects)
        }
        guard locks.claims[claim].mode == .shared else {
            let message = "lock \(name) is not held together with others"
            return refuse(request, .refused, message, effects: &effects)
        }
        let shared = locks.claims[claim]
        let outcome = locks.upgrade(
            claim, by: request.number, isOpen: !grantsAreSuspended, at: momentOfUpgrade(claim))
        switch outcome {
        case .granted:
            tellUpgraded(claim, from: shared, request, effects: &effects)
        case .queued:
            if let reason = reasonNotToWait(claim, of: .lock) {
                locks.cancelUpgrade(of: claim)
                return answer(request, .refused(reason), effects: &effects)
            }
            wait(request, in: .upgrade(claim: claim), effects: &effects)
        case .isWanted(by: claim):
            let message = "the session waits to have lock \(name) alone already"
            refuse(request, .alreadyHeld, message, effects: &effects)
        case .isWanted(let other):
            refuse(
                request, .deadlock, describeUpgrades(of: claim, and: other), effects: &effects)
        }
    }

    /// Whoever waits to have a lock alone has it now, if the others have let go.
    mutating func grantUpgrade(lock: Int, effects: inout [CoordinationEffect]) {
        guard let upgrading = locks.objects[lock].upgrading else { return }
        let shared = locks.claims[upgrading]
        guard
            let (claim, number) = locks.grantUpgrade(of: lock, at: momentOfUpgrade(upgrading))
        else { return }
        let session = locks.claims[claim].request.session
        tellUpgraded(
            claim, from: shared, RequestReference(session: session, number: number),
            effects: &effects)
    }

    /// For the simulator: as if the token that it was shared under would do.
    private func momentOfUpgrade(_ claim: Int) -> Moment {
        guard plant == .upgradeKeepsToken else { return now }
        return Moment(version: Version(locks.claims[claim].token.number), time: time)
    }

    private mutating func tellUpgraded(
        _ index: Int, from shared: Claim, _ request: RequestReference,
        effects: inout [CoordinationEffect]
    ) {
        let claim = locks.claims[index]
        let lock = locks.objects[claim.object]
        let event = ObjectEvent.upgraded(
            holding(of: index, in: locks), token: shared.token, since: shared.since)
        note(event, of: .lock, lock.name)
        answer(request, .granted(grant(index)), effects: &effects)
    }

    /// The lock that it waits for is not held any more.
    mutating func refuseUpgrade(of claim: Int, effects: inout [CoordinationEffect]) {
        guard let number = locks.claims[claim].upgrade else { return }
        let request = RequestReference(
            session: locks.claims[claim].request.session, number: number)
        locks.cancelUpgrade(of: claim)
        let name = locks.objects[locks.claims[claim].object].name
        refuse(request, .notHeld, "lock \(name) was given up", effects: &effects)
    }

    mutating func withdrawUpgrade(of claim: Int, effects: inout [CoordinationEffect]) {
        locks.cancelUpgrade(of: claim)
        grantNext(lock: locks.claims[claim].object, effects: &effects)
    }

    mutating func refuseAsNotHeld(
        _ name: ObjectName, under token: FencingToken, _ request: RequestReference,
        effects: inout [CoordinationEffect]
    ) {
        let message = "the session does not hold lock \(name) under token \(token)"
        refuse(request, .notHeld, message, effects: &effects)
    }
}
