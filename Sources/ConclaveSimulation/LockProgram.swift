import ConclaveBase
import ConclaveClientCore
import ConclaveWire

/// Takes a lock, holds it for a while, releases it, and begins again.
final class LockProgram: ClientProgram {
    private struct Wish {
        var call: CallID
        var name: ObjectName
        var mode: LockMode
        /// Of a semaphore.
        var permits: SemaphoreWork.Wish?
        var isTry: Bool
        var newestBefore: FencingToken
        /// When it loses patience and cancels.
        var cancelAt: Moment
    }

    private enum State {
        case idle(until: Moment)
        case waiting(Wish)
        case holding(ObjectName, FencingToken, until: Moment)
        case releasing(CallID, ObjectName)
        case ending
    }

    private var state: State
    private var isFinishing = false

    init(firstActAt moment: Moment) {
        state = .idle(until: moment)
    }

    var nextAct: Moment {
        switch state {
        case .idle(let until), .holding(_, _, let until): until
        case .waiting(let wish): wish.cancelAt
        case .releasing, .ending: .never
        }
    }

    func finish(at now: Moment) {
        isFinishing = true
        switch state {
        case .idle: state = .idle(until: now)
        case .holding(let name, let token, _): state = .holding(name, token, until: now)
        case .waiting(var wish):
            wish.cancelAt = min(wish.cancelAt, now)
            state = .waiting(wish)
        case .releasing, .ending: break
        }
    }

    func act(_ client: ClientProcess, at now: Moment, world: ClientWorld) {
        switch state {
        case .idle:
            if isFinishing {
                state = .ending
                client.goodbye(world: world)
            } else {
                acquire(by: client, at: now, world: world)
            }
        case .waiting(var wish):
            client.cancel(wish.call, world: world)
            wish.cancelAt = .never
            state = .waiting(wish)
        case .holding(let name, let token, _):
            world.exclusion.letGo(.lock(name), by: client)
            let call = client.call(
                .release(name: name, token: token), within: nil, world: world)
            state = .releasing(call, name)
        case .releasing, .ending:
            break
        }
    }

    private func acquire(by client: ClientProcess, at now: Moment, world: ClientWorld) {
        let semaphores = world.semaphores
        var permits: SemaphoreWork.Wish?
        if let semaphores, client.random.chance(perMille: 400) {
            permits = semaphores.wish(&client.random)
        }
        let name =
            permits.map { world.name($0.name) }
            ?? world.name(from: world.lockNames, &client.random)
        let mode: LockMode =
            permits?.mode ?? (client.random.chance(perMille: 700) ? .exclusive : .shared)
        let isTry = client.random.chance(perMille: 200)
        let isBounded = client.random.chance(perMille: 400)
        let priority =
            semaphores?.priority(
                &client.random, endsByItself: isTry || isBounded, world: world) ?? 0
        let losesPatience = client.random.chance(perMille: 200)
        let call = client.call(
            .acquire(
                name: name, mode: mode, isTry: isTry, priority: priority,
                lockDelay: world.lockDelays?.next() ?? .zero),
            within: isBounded ? world.pause(&client.random) : nil, world: world)
        state = .waiting(
            Wish(
                call: call, name: name, mode: mode, permits: permits, isTry: isTry,
                newestBefore: world.exclusion.newestToken(of: .lock(name)),
                cancelAt: losesPatience
                    ? now.advanced(by: world.pause(&client.random)) : .never))
    }

    func answered(
        _ answer: ClientCore.Answer, to call: CallID, _ client: ClientProcess, world: ClientWorld
    ) throws(Violation) {
        switch state {
        case .waiting(let wish) where wish.call == call:
            try answered(answer, wish, client, world: world)
        case .releasing(call, let name):
            try world.expectLettingGo(answer, of: name)
            rest(client, world: world)
        default:
            throw Violation(.exactlyOnce, "call \(call.number) was answered twice: \(answer)")
        }
    }

    private func answered(
        _ answer: ClientCore.Answer, _ wish: Wish, _ client: ClientProcess, world: ClientWorld
    ) throws(Violation) {
        switch answer {
        case .reply(.granted(let grant)):
            guard grant.name == wish.name, grant.mode == wish.mode else {
                throw Violation(.exactlyOnce, "asked for \(wish.name), granted \(grant)")
            }
            let now = world.timeline.now
            let until = isFinishing ? now : now.advanced(by: world.holdingTime(&client.random))
            state = .holding(wish.name, grant.token, until: until)
            try world.exclusion.granted(
                .lock(wish.name), to: client, mode: wish.permits?.known ?? wish.mode,
                token: grant.token,
                newestBefore: wish.newestBefore)
        case .reply(.busy) where wish.isTry:
            rest(client, world: world)
        case .reply, .report:
            throw Violation(.exactlyOnce, "asked for \(wish.name), answered \(answer)")
        case .failed(.refused(let refusal))
        where refusal.code == .invalid && wish.permits?.mayBeRefused == true:
            rest(client, world: world)
        case .failed(let failure):
            try world.expectHarmless(failure, of: wish.name)
            rest(client, world: world)
        }
    }

    private func rest(_ client: ClientProcess, world: ClientWorld) {
        let now = world.timeline.now
        state = .idle(until: isFinishing ? now : now.advanced(by: world.pause(&client.random)))
    }
}
