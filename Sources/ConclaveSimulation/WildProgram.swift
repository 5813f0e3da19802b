import ConclaveBase
import ConclaveClientCore
import ConclaveWire

/// Does many things at once, and not only what is sensible: it asks twice for what it has, lets go of
/// what it does not have, cancels what is over, and comes to barriers with other counts and ranks.
/// In some runs it asks for more at once than the group keeps of it. While all heals it keeps nothing
/// for ever: what it has held longest goes first. What it is answered is judged by the order and by
/// the history, not by itself.
final class WildProgram: ClientProgram {
    private struct Holding {
        var key: ExclusionChecker.Key
        var name: ObjectName
        var token: FencingToken
    }

    private struct Wish {
        var key: ExclusionChecker.Key
        var mode: LockMode
        var newestBefore: FencingToken
        /// What it would have alone instead.
        var replacing: FencingToken?
    }

    private static let callsAtOnce = 6
    private static let barrierNames = ["barrier/wild", "barrier/wilder", "barrier/wildest"]

    private var actAt: Moment
    private var isFinishing = false
    private var pending: [CallID] = []
    private var wishes: [CallID: Wish] = [:]
    /// What it asked for as one.
    private var setWishes: [CallID: [Wish]] = [:]
    /// What it asked to let go of.
    private var goingHoldings: [CallID: Holding] = [:]
    private var holdings: [Holding] = []
    private var pastTokens: [FencingToken] = [FencingToken(1)]
    private var generations: [UInt64] = [1]

    init(firstActAt moment: Moment) {
        actAt = moment
    }

    var nextAct: Moment { actAt }

    func finish(at now: Moment) {
        isFinishing = true
        actAt = now
    }

    /// What it holds and awaits goes with its session.
    func act(_ client: ClientProcess, at now: Moment, world: ClientWorld) {
        if isFinishing {
            actAt = .never
            world.exclusion.letGoOfEverything(client)
            return client.goodbye(world: world)
        }
        if world.isHealing, !holdings.isEmpty { letGo(of: 0, client, world: world) }
        if let bursts = world.bursts, client.random.chance(perMille: 200) {
            burst(bursts, client, world: world)
        } else {
            for _ in 0..<1 + client.random.below(3) { actOnce(client, world: world) }
        }
        actAt = now.advanced(by: world.pause(&client.random))
    }

    /// Takes many locks at once, or lets go of all that it has.
    private func burst(_ bursts: ClientBursts, _ client: ClientProcess, world: ClientWorld) {
        guard pending.count <= Self.callsAtOnce else { return }
        if holdings.count > Int(bursts.callCount) / 2 {
            while !holdings.isEmpty { letGo(of: holdings.count - 1, client, world: world) }
        } else {
            for place in 0..<bursts.callCount {
                acquire(world.name("lock/burst/\(place)"), client, world: world)
            }
        }
    }

    private func actOnce(_ client: ClientProcess, world: ClientWorld) {
        let choice = client.random.below(12)
        switch choice {
        case 0 where !pending.isEmpty:
            client.cancel(WorldShape.pick(pending, &client.random), world: world)
        case 2: cancelByNumber(client, world: world)
        case 3, 4, 5:
            if world.modeChanges?.isNext() == true {
                changeMode(client, world: world)
            } else {
                letGo(client, world: world)
            }
        default:
            guard pending.count < Self.callsAtOnce else {
                return client.cancel(pending[0], world: world)
            }
            switch choice {
            case 6, 7, 8:
                if let semaphores = world.semaphores, client.random.chance(perMille: 400) {
                    return useSemaphore(semaphores, client, world: world)
                }
                if let nesting = world.nesting, client.random.chance(perMille: 500) {
                    return nest(nesting, client, world: world)
                }
                let name = world.name(from: world.lockNames, &client.random)
                acquire(name, client, world: world)
            case 9: campaign(client, world: world)
            case 10: announce(client, world: world)
            default: arriveSomewhere(client, world: world)
            }
        }
    }

    private func call(
        _ operation: Operation, _ client: ClientProcess, world: ClientWorld
    ) -> CallID {
        let call = client.call(operation, within: world.pause(&client.random), world: world)
        pending.append(call)
        return call
    }

    private func acquire(_ name: ObjectName, _ client: ClientProcess, world: ClientWorld) {
        let key = ExclusionChecker.Key.lock(name)
        let mode: LockMode = client.random.chance(perMille: 500) ? .exclusive : .shared
        let wish = Wish(
            key: key, mode: mode, newestBefore: world.exclusion.newestToken(of: key))
        let isTry = client.random.chance(perMille: 400)
        let operation = Operation.acquire(
            name: name, mode: mode, isTry: isTry, lockDelay: world.lockDelays?.next() ?? .zero,
            task: tag(client, world: world))
        wishes[call(operation, client, world: world)] = wish
    }

    /// One like the others, or one whose limit changes.
    private func useSemaphore(
        _ semaphores: SemaphoreWork, _ client: ClientProcess, world: ClientWorld
    ) {
        if client.random.chance(perMille: 300) {
            let limit = semaphores.changingLimit(&client.random)
            _ = call(
                .limit(name: world.name(SemaphoreWork.changingName), limit: limit), client,
                world: world)
            return
        }
        let permits = semaphores.wish(&client.random)
        let key = ExclusionChecker.Key(kind: .lock, name: permits.name)
        let wish = Wish(
            key: key, mode: permits.known, newestBefore: world.exclusion.newestToken(of: key))
        let isTry = client.random.chance(perMille: 400)
        let operation = Operation.acquire(
            name: world.name(permits.name), mode: permits.mode, isTry: isTry,
            priority: semaphores.priority(&client.random, endsByItself: isTry, world: world),
            task: tag(client, world: world))
        wishes[call(operation, client, world: world)] = wish
    }

    /// What others take while they hold some. Who stands by for the slot and waits for a lock as well,
    /// all by one task, may be named when its leader hands over, and then wait for itself.
    private func nest(_ nesting: NestedWork, _ client: ClientProcess, world: ClientWorld) {
        let task = tag(client, world: world)
        if world.lockSets?.isNext() == true {
            return nestSet(nesting, by: task, client, world: world)
        }
        nest(nesting.wish(&client.random), by: task, client, world: world)
        if nesting.hasSlot, client.random.chance(perMille: 500) {
            nest(nesting.slot, by: task, client, world: world)
        }
    }

    private func nestSet(
        _ nesting: NestedWork, by task: TaskTag, _ client: ClientProcess, world: ClientWorld
    ) {
        let wanted = nesting.several(&world.lockSets!, besides: [])
        let parts = wanted.map { LockSet.Part(world.name($0.name), $0.mode) }
        let set = LockSet(
            parts, isTry: world.lockSets!.isTry(), lockDelay: world.lockDelays?.next() ?? .zero,
            task: task)
        let newWishes = set.parts.map { part in
            let key = ExclusionChecker.Key.lock(part.name)
            return Wish(
                key: key, mode: part.mode, newestBefore: world.exclusion.newestToken(of: key))
        }
        setWishes[call(.acquireAll(set), client, world: world)] = newWishes
    }

    private func nest(
        _ wanted: NestedWork.Wish, by task: TaskTag, _ client: ClientProcess, world: ClientWorld
    ) {
        let key = ExclusionChecker.Key(kind: wanted.kind, name: wanted.name)
        let wish = Wish(
            key: key, mode: wanted.mode, newestBefore: world.exclusion.newestToken(of: key))
        let name = world.name(wanted.name)
        let operation: Operation =
            wanted.kind == .leaderSlot
            ? .campaign(slot: name, value: value(client), task: task)
            : .acquire(name: name, mode: wanted.mode, isTry: false, task: task)
        wishes[call(operation, client, world: world)] = wish
    }

    private func tag(_ client: ClientProcess, world: ClientWorld) -> TaskTag {
        guard let nesting = world.nesting else { return TaskTag() }
        let other = world.order.anySession(&client.random)?.0
        return nesting.tag(&client.random, other: other)
    }

    private func campaign(_ client: ClientProcess, world: ClientWorld) {
        let slot = world.name(from: world.slotNames, &client.random)
        let key = ExclusionChecker.Key.slot(slot)
        let wish = Wish(
            key: key, mode: .exclusive, newestBefore: world.exclusion.newestToken(of: key))
        let operation = Operation.campaign(
            slot: slot, value: value(client), places: world.leaderPlaces?.next(for: slot),
            task: tag(client, world: world))
        wishes[call(operation, client, world: world)] = wish
    }

    private func value(_ client: ClientProcess) -> [UInt8] {
        (0..<client.random.below(20)).map { _ in UInt8(client.random.below(256)) }
    }

    /// Of something that it holds, or does not hold, or not under that token.
    private func letGo(_ client: ClientProcess, world: ClientWorld) {
        if !holdings.isEmpty, client.random.chance(perMille: 700) {
            let index = Int(client.random.below(UInt64(holdings.count)))
            return letGo(of: index, client, world: world)
        }
        guard pending.count < Self.callsAtOnce else { return }
        let token = FencingToken(
            WorldShape.pick(pastTokens, &client.random).number + client.random.below(2))
        // Not what it has, or is about to be given, by chance: it would not know that it had let go.
        guard !holdings.contains(where: { $0.token == token }),
            (wishes.isEmpty && setWishes.isEmpty) || pastTokens.contains(token)
        else { return }
        if client.random.chance(perMille: 500) {
            let name = world.name(from: world.lockNames, &client.random)
            _ = call(.release(name: name, token: token), client, world: world)
        } else {
            let slot = world.name(from: world.slotNames, &client.random)
            _ = call(.resign(slot: slot, token: token), client, world: world)
        }
    }

    private func letGo(of index: Int, _ client: ClientProcess, world: ClientWorld) {
        let holding = holdings.remove(at: index)
        world.exclusion.letGo(holding.key, by: client)
        goingHoldings[call(lettingGo(of: holding, world: world), client, world: world)] = holding
    }

    private func lettingGo(of holding: Holding, world: ClientWorld) -> Operation {
        guard holding.key.kind == .leaderSlot else {
            return .release(name: holding.name, token: holding.token)
        }
        guard world.nesting?.hasSlot == true,
            let standby = world.handOvers?.next(of: holding.name, order: world.order)
        else { return .resign(slot: holding.name, token: holding.token) }
        return .handOver(slot: holding.name, token: holding.token, to: standby)
    }

    /// Of something that it holds, or does not hold, whatever its mode is.
    private func changeMode(_ client: ClientProcess, world: ClientWorld) {
        guard pending.count < Self.callsAtOnce else { return }
        let held = holdings.filter { $0.key.kind == .lock }
        let holding = held.isEmpty ? nil : WorldShape.pick(held, &client.random)
        let name = holding?.name ?? world.name(from: world.lockNames, &client.random)
        let token = holding?.token ?? WorldShape.pick(pastTokens, &client.random)
        let key = ExclusionChecker.Key.lock(name)
        if client.random.chance(perMille: 500) {
            world.exclusion.downgraded(key, by: client)
            _ = call(.downgrade(name: name, token: token), client, world: world)
        } else {
            wishes[call(.upgrade(name: name, token: token), client, world: world)] = Wish(
                key: key, mode: .exclusive,
                newestBefore: world.exclusion.newestToken(of: key), replacing: token)
        }
    }

    private func announce(_ client: ClientProcess, world: ClientWorld) {
        let token =
            holdings.last { $0.key.kind == .leaderSlot }?.token
            ?? WorldShape.pick(pastTokens, &client.random)
        let slot = world.name(from: world.slotNames, &client.random)
        _ = call(
            .announce(slot: slot, token: token, value: value(client)), client, world: world)
    }

    /// At one barrier, or at all of them: a session may wait at several.
    private func arriveSomewhere(_ client: ClientProcess, world: ClientWorld) {
        if client.random.chance(perMille: 300) {
            for name in Self.barrierNames { arrive(at: name, client, world: world) }
        } else {
            let name = WorldShape.pick(Self.barrierNames, &client.random)
            arrive(at: name, client, world: world)
        }
    }

    private func arrive(at name: String, _ client: ClientProcess, world: ClientWorld) {
        world.arrivalCount += 1
        var writer = ByteWriter()
        writer.integer(world.arrivalCount)
        let parties = 1 + UInt32(client.random.below(3))
        let hasRank = client.random.chance(perMille: 400)
        let isLate = client.random.chance(perMille: 200)
        let arrival = BarrierArrival(
            name: world.name(name), parties: parties,
            rank: hasRank ? UInt32(client.random.below(UInt64(parties))) : nil,
            generation: isLate ? WorldShape.pick(generations, &client.random) : nil,
            payload: writer.bytes)
        _ = call(.arrive(arrival), client, world: world)
    }

    /// The library does not count what it leads to.
    private func cancelByNumber(_ client: ClientProcess, world: ClientWorld) {
        guard world.bursts?.isKnown != true else { return }
        client.mayGiveUp(world: world)
        let number = 1 + client.random.below(client.newestNumber + 2)
        _ = client.call(.cancel(number: number, reason: .gaveUp), within: nil, world: world)
    }

    func answered(
        _ answer: ClientCore.Answer, to call: CallID, _ client: ClientProcess, world: ClientWorld
    ) throws(Violation) {
        pending.removeAll { $0 == call }
        let wish = wishes.removeValue(forKey: call)
        let set = setWishes.removeValue(forKey: call)
        let going = goingHoldings.removeValue(forKey: call)
        switch answer {
        case .reply(.granted(let grant)):
            try take(wish, grant.name, grant.token, client, world: world)
        case .reply(.grantedAll(let grants)):
            for (place, grant) in grants.enumerated() {
                try take(
                    set.flatMap { place < $0.count ? $0[place] : nil }, grant.name, grant.token,
                    client, world: world)
            }
        case .reply(.elected(let term)):
            try world.checkPlace(of: term)
            var wish = wish
            wish?.key.place = term.place
            try take(wish, term.slot, term.token, client, world: world)
        case .reply(.tripped(let result)): generations.append(result.generation)
        case .reply(.broken(let report)): generations.append(report.generation)
        case .failed(let failure):
            try checkQuota(failure, world: world)
            // The letting go was given up: it has it still. What it had become another grant
            // of meanwhile it does not have under that token.
            if let going, !failure.isNotHeld { holdings.append(going) }
        case .reply: break
        case .report: throw Violation(.exactlyOnce, "an operation was answered \(answer)")
        }
    }

    /// A library that knows how much the group keeps of a session asks for no more.
    private func checkQuota(
        _ failure: ClientCore.ClientFailure, world: ClientWorld
    ) throws(Violation) {
        guard world.bursts?.isKnown == true, !world.hasQuotas,
            case .refused(let refusal) = failure, refusal.code == .quotaExceeded
        else { return }
        throw Violation(.exactlyOnce, "the library has run into a quota: \(refusal)")
    }

    private func take(
        _ wish: Wish?, _ name: ObjectName, _ token: FencingToken, _ client: ClientProcess,
        world: ClientWorld
    ) throws(Violation) {
        guard let wish, wish.key.name == name.text else {
            throw Violation(.exactlyOnce, "\(name) was granted, but not asked for")
        }
        if let replaced = wish.replacing {
            holdings.removeAll { $0.key == wish.key && $0.token == replaced }
            world.exclusion.letGo(wish.key, by: client)
        }
        holdings.append(Holding(key: wish.key, name: name, token: token))
        pastTokens.append(token)
        // What comes after the goodbye goes with it.
        guard !isFinishing else { return }
        try world.exclusion.granted(
            wish.key, to: client, mode: wish.mode, token: token, newestBefore: wish.newestBefore)
    }
}

extension ClientCore.ClientFailure {
    fileprivate var isNotHeld: Bool {
        if case .refused(let refusal) = self { refusal.code == .notHeld } else { false }
    }
}
