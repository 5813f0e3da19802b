import ConclaveBase
import ConclaveClientCore
import ConclaveWire

/// An administrator's process: it asks holders to let go, and ends sessions by force.
final class RevokingProgram: ClientProgram {
    private var actAt: Moment
    private var isFinishing = false
    private var pending: Set<CallID> = []
    private var question: CallID?

    init(firstActAt moment: Moment) {
        actAt = moment
    }

    var nextAct: Moment { actAt }

    func finish(at now: Moment) {
        isFinishing = true
        actAt = now
    }

    func act(_ client: ClientProcess, at now: Moment, world: ClientWorld) {
        if isFinishing {
            actAt = .never
            return client.goodbye(world: world)
        }
        if pending.isEmpty, question == nil {
            // While all heals, others are to come to something.
            let asks = world.isHealing && !client.random.chance(perMille: 100)
            if asks { ask(client, world: world) } else { revoke(client, world: world) }
        }
        actAt = now.advanced(by: world.pause(&client.random) * 4)
    }

    /// Whose sessions there are: that is answered whatever they are.
    private func ask(_ client: ClientProcess, world: ClientWorld) {
        let query = ObjectQuery(.sessions(after: nil))
        question = client.query(.objects(query), within: world.pause(&client.random))
    }

    private func revoke(_ client: ClientProcess, world: ClientWorld) {
        guard let revocation = drawn(client, world: world) else { return }
        pending.insert(
            client.call(.revoke(revocation), within: world.pause(&client.random), world: world))
    }

    private func drawn(_ client: ClientProcess, world: ClientWorld) -> Revocation? {
        let holdings = world.order.holdings
        if holdings.isEmpty || client.random.chance(perMille: 200) {
            guard let (session, _) = world.order.anySession(&client.random) else { return nil }
            return Revocation(session, .session, .force)
        }
        let holding = WorldShape.pick(holdings, &client.random)
        // Now and then what is not held.
        let token =
            client.random.chance(perMille: 50) ? FencingToken(1) : holding.token
        let target = Revocation.Target.holding(holding.key.kind, holding.key.name, token)
        guard client.random.chance(perMille: 400) else {
            return Revocation(holding.session, target, .force)
        }
        let standbys = world.order.standbys(of: holding.key.name)
        let heirs: [SessionID?] = [nil, holding.session] + standbys
        return Revocation(
            holding.session, target,
            .notice(within: .seconds(1), heir: WorldShape.pick(heirs, &client.random)))
    }

    func answered(
        _ answer: ClientCore.Answer, to call: CallID, _ client: ClientProcess, world: ClientWorld
    ) throws(Violation) {
        if call == question {
            question = nil
            if case .reply = answer {
                throw Violation(.exactlyOnce, "a question was answered \(answer)")
            }
            return
        }
        guard pending.remove(call) != nil else { return }
        switch answer {
        case .reply(.done), .failed(.timedOut), .failed(.cancelled),
            .failed(.outcomeUnknown),
            .failed(.unavailable), .failed(.sessionLost):
            return
        case .failed(.refused(let refusal)):
            switch refusal.code {
            case .notHeld, .refused, .sessionEnded: return
            case .quotaExceeded where world.hasQuotas: return
            default: break
            }
        case .reply, .report: break
        }
        throw Violation(.exactlyOnce, "an administrator's request was answered \(answer)")
    }
}
