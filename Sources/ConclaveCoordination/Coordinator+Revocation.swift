import ConclaveBase
import ConclaveWire

/// What an administrator does to somebody else's session.
extension Coordinator {
    mutating func revoke(
        _ revocation: Revocation, _ request: RequestReference,
        effects: inout [CoordinationEffect]
    ) {
        guard let index = sessions.index(of: revocation.session) else {
            let message = "session \(revocation.session) is over, or was never known"
            return refuse(request, .refused, message, effects: &effects)
        }
        if case .holding(let kind, let name, let token) = revocation.target {
            guard table(kind).held(name, by: index, under: token) != nil else {
                let message =
                    "session \(revocation.session) does not hold \(name) under token \(token)"
                return refuse(request, .notHeld, message, effects: &effects)
            }
            if case .notice(let within, let heir) = revocation.manner {
                if let heir, kind != .leaderSlot || !standsBy(heir, for: name) {
                    let message = "session \(heir) does not stand by for slot \(name)"
                    return refuse(request, .refused, message, effects: &effects)
                }
                answer(request, .done, effects: &effects)
                let notice = LetGoNotice(
                    kind: kind, name: name, token: token, within: within, heir: heir)
                effects.append(.letGoAsked(session: revocation.session, notice))
                return
            }
        }
        answer(request, .done, effects: &effects)
        force(index, effects: &effects)
    }

    private func standsBy(_ id: SessionID, for slot: ObjectName) -> Bool {
        guard let session = sessions.index(of: id), let object = slots.index(of: slot),
            let claim = slots.claim(of: session, on: object)
        else { return false }
        return !slots.claims[claim].isHeld
    }

    /// K6: it ends when its daemon has withdrawn its validity, or that is over by itself. Nobody
    /// takes it over or resumes it any more.
    private mutating func force(_ index: Int, effects: inout [CoordinationEffect]) {
        if plant == .forcedAtOnce { return finish(index, reason: .forced, effects: &effects) }
        sessions[index].isForced = true
        dropTakeover(
            of: index, Refusal(.sessionEnded, Self.forcedMessage), effects: &effects)
        requestDetach(index, effects: &effects)
    }

    static let forcedMessage = "an administrator has ended the session"

    func table(_ kind: ObjectKind) -> ClaimTable { kind == .lock ? locks : slots }
}
