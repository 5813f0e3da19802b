import ConclaveBase
import ConclaveClientCore
import ConclaveWire

/// Takes locks one after the other, in any order, while it holds those before, mostly without a
/// bound on its waiting; lets go of all when it has enough, or when it is told that it would wait for
/// itself.
final class NestingProgram: ClientProgram {
    private struct Holding {
        var name: ObjectName
        var token: FencingToken
    }

    private struct Wish {
        var call: CallID
        var name: ObjectName
        var mode: LockMode
        var newestBefore: FencingToken
        /// When it loses patience and cancels.
        var cancelAt: Moment
    }

    private enum State {
        /// Whatever it holds.
        case idle(until: Moment)
        case waiting(Wish)
        case releasing(CallID, ObjectName)
        case ending
    }

    private let work: NestedWork
    private var state: State
    private var holdings: [Holding] = []
    private var isLettingGo = false
    private var isFinishing = false

    init(_ work: NestedWork, firstActAt moment: Moment) {
        self.work = work
        state = .idle(until: moment)
    }

    var nextAct: Moment {
        switch state {
        case .idle(let until): until
        case .waiting(let wish): wish.cancelAt
        case .releasing, .ending: .never
        }
    }

    func finish(at now: Moment) {
        isFinishing = true
        switch state {
        case .idle: state = .idle(until: now)
        case .waiting(var wish):
            wish.cancelAt = min(wish.cancelAt, now)
            state = .waiting(wish)
        case .releasing, .ending: break
        }
    }

    func act(_ client: ClientProcess, at now: Moment, world: ClientWorld) {
        switch state {
        case .idle:
            let hasEnough = isLettingGo || isFinishing || holdings.count == NestedWork.count
            if !holdings.isEmpty, hasEnough || client.random.chance(perMille: 300) {
                letGo(client, world: world)
            } else if isFinishing {
                state = .ending
                client.goodbye(world: world)
            } else {
                acquire(by: client, at: now, world: world)
            }
        case .waiting(var wish):
            client.cancel(wish.call, world: world)
            wish.cancelAt = .never
            state = .waiting(wish)
        case .releasing, .ending:
            break
        }
    }

    /// Once it has begun it lets go of everything.
    private func letGo(_ client: ClientProcess, world: ClientWorld) {
        isLettingGo = true
        let place = Int(client.random.below(UInt64(holdings.count)))
        let holding = holdings.remove(at: place)
        world.exclusion.letGo(.lock(holding.name), by: client)
        let call = client.call(
            .release(name: holding.name, token: holding.token), within: nil, world: world)
        state = .releasing(call, holding.name)
    }

    private func acquire(by client: ClientProcess, at now: Moment, world: ClientWorld) {
        let wanted = work.wish(&client.random, besides: holdings.map(\.name.text))
        let name = world.name(wanted.name)
        let isBounded = client.random.chance(perMille: 200)
        let losesPatience = client.random.chance(perMille: 200)
        let call = client.call(
            .acquire(name: name, mode: wanted.mode, isTry: false),
            within: isBounded ? world.pause(&client.random) : nil, world: world)
        state = .waiting(
            Wish(
                call: call, name: name, mode: wanted.mode,
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
            if holdings.isEmpty { isLettingGo = false }
        default:
            throw Violation(.exactlyOnce, "call \(call.number) was answered twice: \(answer)")
        }
        let now = world.timeline.now
        let goesOnAtOnce = isFinishing || isLettingGo
        state = .idle(
            until: goesOnAtOnce ? now : now.advanced(by: world.pause(&client.random)))
    }

    private func answered(
        _ answer: ClientCore.Answer, _ wish: Wish, _ client: ClientProcess, world: ClientWorld
    ) throws(Violation) {
        switch answer {
        case .reply(.granted(let grant)):
            guard grant.name == wish.name, grant.mode == wish.mode else {
                throw Violation(.exactlyOnce, "asked for \(wish.name), granted \(grant)")
            }
            holdings.append(Holding(name: wish.name, token: grant.token))
            try world.exclusion.granted(
                .lock(wish.name), to: client, mode: wish.mode, token: grant.token,
                newestBefore: wish.newestBefore)
        case .reply, .report:
            throw Violation(.exactlyOnce, "asked for \(wish.name), answered \(answer)")
        case .failed(.refused(let refusal)) where refusal.code == .deadlock:
            guard !holdings.isEmpty else {
                throw Violation(
                    .progress, "\(wish.name) was refused to who holds nothing: \(refusal)")
            }
            isLettingGo = true
        case .failed(let failure):
            try world.expectHarmless(failure, of: wish.name)
            isLettingGo = !holdings.isEmpty
        }
    }
}
