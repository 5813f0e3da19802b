import ConclaveBase
import ConclaveClientCore
import ConclaveWire

/// Takes locks one after the other, in any order, while it holds those before, mostly without a
/// bound on its waiting; in some runs changes how it has them, or leads a slot beside them; lets go of
/// all when it has enough, or when it is told that it would wait for itself.
final class NestingProgram: ClientProgram {
    private struct Holding {
        var key: ExclusionChecker.Key
        var name: ObjectName
        var mode: LockMode
        var token: FencingToken

        var isSlot: Bool { key.kind == .leaderSlot }
    }

    private struct Wish {
        var call: CallID
        var key: ExclusionChecker.Key
        var name: ObjectName
        var mode: LockMode
        /// Which of those that it has it would have alone.
        var upgraded: Int?
        var newestBefore: FencingToken
        /// What it asks for as one; else empty.
        var parts: [Part] = []
        var isTry = false
        /// When it loses patience and cancels.
        var cancelAt: Moment
    }

    private struct Part {
        var key: ExclusionChecker.Key
        var name: ObjectName
        var mode: LockMode
        var newestBefore: FencingToken
    }

    private enum State {
        /// Whatever it holds.
        case idle(until: Moment)
        case waiting(Wish)
        case downgrading(CallID, Int)
        case releasing(CallID, ObjectName)
        case handingOver(CallID, Holding)
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
        case .downgrading, .releasing, .handingOver, .ending: .never
        }
    }

    func finish(at now: Moment) {
        isFinishing = true
        switch state {
        case .idle: state = .idle(until: now)
        case .waiting(var wish):
            wish.cancelAt = min(wish.cancelAt, now)
            state = .waiting(wish)
        case .downgrading, .releasing, .handingOver, .ending: break
        }
    }

    func act(_ client: ClientProcess, at now: Moment, world: ClientWorld) {
        switch state {
        case .idle:
            let hasEnough = isLettingGo || isFinishing || holdings.count == work.count
            if !holdings.isEmpty, hasEnough || client.random.chance(perMille: 300) {
                letGo(client, world: world)
            } else if isFinishing {
                state = .ending
                client.goodbye(world: world)
            } else if !holdings.isEmpty, world.modeChanges?.isNext() == true {
                convert(client, at: now, world: world)
            } else {
                acquire(by: client, at: now, world: world)
            }
        case .waiting(var wish):
            client.cancel(wish.call, world: world)
            wish.cancelAt = .never
            state = .waiting(wish)
        case .downgrading, .releasing, .handingOver, .ending:
            break
        }
    }

    /// Once it has begun it lets go of everything.
    private func letGo(_ client: ClientProcess, world: ClientWorld) {
        isLettingGo = true
        let place = Int(client.random.below(UInt64(holdings.count)))
        if letGoOfSet(with: holdings[place], client, world: world) { return }
        let holding = holdings.remove(at: place)
        world.exclusion.letGo(holding.key, by: client)
        if holding.isSlot,
            let standby = world.handOvers?.next(of: holding.name, order: world.order)
        {
            let call = client.call(
                .handOver(slot: holding.name, token: holding.token, to: standby), within: nil,
                world: world)
            state = .handingOver(call, holding)
        } else {
            release(holding, client, world: world)
        }
    }

    private func release(_ holding: Holding, _ client: ClientProcess, world: ClientWorld) {
        let call = client.call(
            holding.isSlot
                ? .resign(slot: holding.name, token: holding.token)
                : .release(name: holding.name, token: holding.token), within: nil, world: world)
        state = .releasing(call, holding.name)
    }

    /// Of all that it was granted together with one of them; false if that was not several.
    private func letGoOfSet(
        with one: Holding, _ client: ClientProcess, world: ClientWorld
    ) -> Bool {
        let set = holdings.filter { !$0.isSlot && $0.token == one.token }
        guard set.count > 1, world.lockSets?.isLetGoOfWhole() == true else { return false }
        holdings.removeAll { !$0.isSlot && $0.token == one.token }
        for holding in set { world.exclusion.letGo(holding.key, by: client) }
        let names = set.map(\.name).sorted { $0 < $1 }
        let call = client.call(
            .releaseAll(names: names, token: one.token), within: nil, world: world)
        state = .releasing(call, names[0])
        return true
    }

    /// Shares what it has alone, or would have alone what it shares.
    private func convert(_ client: ClientProcess, at now: Moment, world: ClientWorld) {
        let place = Int(client.random.below(UInt64(holdings.count)))
        let holding = holdings[place]
        switch holding.mode {
        case .exclusive where holding.isSlot: acquireOrLetGo(client, at: now, world: world)
        case .exclusive:
            world.exclusion.downgraded(holding.key, by: client)
            let call = client.call(
                .downgrade(name: holding.name, token: holding.token), within: nil, world: world)
            state = .downgrading(call, place)
        case .shared:
            let operation = Operation.upgrade(name: holding.name, token: holding.token)
            wait(
                for: operation, holding.key, holding.name, .exclusive, upgraded: place, client,
                at: now, world)
        case .permits: acquireOrLetGo(client, at: now, world: world)
        }
    }

    private func acquireOrLetGo(_ client: ClientProcess, at now: Moment, world: ClientWorld) {
        if holdings.count < work.count {
            acquire(by: client, at: now, world: world)
        } else {
            letGo(client, world: world)
        }
    }

    private func acquire(by client: ClientProcess, at now: Moment, world: ClientWorld) {
        if world.lockSets?.isNext() == true, acquireSet(by: client, at: now, world: world) {
            return
        }
        let wanted = work.wish(&client.random, besides: holdings.map(\.name.text))
        let name = world.name(wanted.name)
        let operation: Operation =
            wanted.kind == .leaderSlot
            ? .campaign(slot: name, value: [])
            : .acquire(
                name: name, mode: wanted.mode, isTry: false,
                lockDelay: world.lockDelays?.next() ?? .zero)
        let key = ExclusionChecker.Key(kind: wanted.kind, name: wanted.name)
        wait(for: operation, key, name, wanted.mode, client, at: now, world)
    }

    /// False if there are not several left.
    private func acquireSet(
        by client: ClientProcess, at now: Moment, world: ClientWorld
    ) -> Bool {
        let wishes = work.several(&world.lockSets!, besides: holdings.map(\.name.text))
        guard !wishes.isEmpty else { return false }
        let parts = wishes.map { wish in
            let key = ExclusionChecker.Key(kind: .lock, name: wish.name)
            return Part(
                key: key, name: world.name(wish.name), mode: wish.mode,
                newestBefore: world.exclusion.newestToken(of: key))
        }.sorted { $0.name < $1.name }
        let isTry = world.lockSets!.isTry()
        let set = LockSet(
            parts.map { LockSet.Part($0.name, $0.mode) }, isTry: isTry,
            lockDelay: world.lockDelays?.next() ?? .zero)
        wait(
            for: .acquireAll(set), parts[0].key, parts[0].name, parts[0].mode, client, at: now,
            world)
        guard case .waiting(var wish) = state else { return true }
        wish.parts = parts
        wish.isTry = isTry
        state = .waiting(wish)
        return true
    }

    private func wait(
        for operation: Operation, _ key: ExclusionChecker.Key, _ name: ObjectName,
        _ mode: LockMode, upgraded: Int? = nil, _ client: ClientProcess, at now: Moment,
        _ world: ClientWorld
    ) {
        let isBounded = client.random.chance(perMille: 200)
        let losesPatience = client.random.chance(perMille: 200)
        let call = client.call(
            operation, within: isBounded ? world.pause(&client.random) : nil, world: world)
        state = .waiting(
            Wish(
                call: call, key: key, name: name, mode: mode, upgraded: upgraded,
                newestBefore: world.exclusion.newestToken(of: key),
                cancelAt: losesPatience
                    ? now.advanced(by: world.pause(&client.random)) : .never))
    }

    func answered(
        _ answer: ClientCore.Answer, to call: CallID, _ client: ClientProcess, world: ClientWorld
    ) throws(Violation) {
        switch state {
        case .waiting(let wish) where wish.call == call:
            try answered(answer, wish, client, world: world)
        case .downgrading(call, let place):
            try world.expectLettingGo(answer, of: holdings[place].name)
            if case .reply = answer { holdings[place].mode = .shared }
        case .releasing(call, let name):
            try world.expectLettingGo(answer, of: name)
            if holdings.isEmpty { isLettingGo = false }
        case .handingOver(call, let holding):
            if try isStillLeading(after: answer, holding, world: world) {
                return release(holding, client, world: world)
            }
            if holdings.isEmpty { isLettingGo = false }
        default:
            throw Violation(.exactlyOnce, "call \(call.number) was answered twice: \(answer)")
        }
        let now = world.timeline.now
        let goesOnAtOnce = isFinishing || isLettingGo
        state = .idle(
            until: goesOnAtOnce ? now : now.advanced(by: world.pause(&client.random)))
    }

    /// Who was named may not stand by any more, or would wait for itself.
    private func isStillLeading(
        after answer: ClientCore.Answer, _ holding: Holding, world: ClientWorld
    ) throws(Violation) -> Bool {
        if case .failed(.refused(let refusal)) = answer,
            refusal.code == .refused || refusal.code == .deadlock
        {
            return true
        }
        try world.expectLettingGo(answer, of: holding.name)
        return false
    }

    private func answered(
        _ answer: ClientCore.Answer, _ wish: Wish, _ client: ClientProcess, world: ClientWorld
    ) throws(Violation) {
        switch answer {
        case .reply(.granted(let grant)):
            guard grant.name == wish.name, grant.mode == wish.mode else {
                throw Violation(.exactlyOnce, "asked for \(wish.name), granted \(grant)")
            }
            if let place = wish.upgraded {
                holdings[place].mode = grant.mode
                holdings[place].token = grant.token
                return try world.exclusion.upgraded(
                    wish.key, by: client, token: grant.token,
                    newestBefore: wish.newestBefore)
            }
            try hold(wish, under: grant.token, client, world: world)
        case .reply(.grantedAll(let grants)) where !wish.parts.isEmpty:
            try hold(wish, as: grants, client, world: world)
        case .reply(.busy) where wish.isTry: isLettingGo = !holdings.isEmpty
        case .reply(.elected(let term)) where wish.key == .slot(term.slot):
            try world.checkPlace(of: term)
            try hold(wish, under: term.token, client, world: world)
        case .reply, .report:
            throw Violation(.exactlyOnce, "asked for \(wish.name), answered \(answer)")
        case .failed(.refused(let refusal)) where refusal.code == .deadlock:
            // Some of several may have been reserved for it.
            guard !holdings.isEmpty || !wish.parts.isEmpty else {
                throw Violation(
                    .progress, "\(wish.name) was refused to who holds nothing: \(refusal)")
            }
            isLettingGo = !holdings.isEmpty
        case .failed(let failure):
            try world.expectHarmless(failure, of: wish.name)
            isLettingGo = !holdings.isEmpty
        }
    }

    private func hold(
        _ wish: Wish, as grants: [LockGrant], _ client: ClientProcess, world: ClientWorld
    ) throws(Violation) {
        guard grants.map(\.name) == wish.parts.map(\.name),
            grants.map(\.mode) == wish.parts.map(\.mode),
            grants.allSatisfy({ $0.token == grants[0].token })
        else { throw Violation(.exactlyOnce, "asked for \(wish.parts), granted \(grants)") }
        for (part, grant) in zip(wish.parts, grants) {
            holdings.append(
                Holding(key: part.key, name: part.name, mode: part.mode, token: grant.token))
            try world.exclusion.granted(
                part.key, to: client, mode: part.mode, token: grant.token,
                newestBefore: part.newestBefore)
        }
    }

    private func hold(
        _ wish: Wish, under token: FencingToken, _ client: ClientProcess, world: ClientWorld
    ) throws(Violation) {
        holdings.append(
            Holding(key: wish.key, name: wish.name, mode: wish.mode, token: token))
        try world.exclusion.granted(
            wish.key, to: client, mode: wish.mode, token: token,
            newestBefore: wish.newestBefore)
    }
}
