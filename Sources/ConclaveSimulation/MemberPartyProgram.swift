import ConclaveBase
import ConclaveClientCore
import ConclaveWire

/// Joins a task group and arrives at its barriers with whoever belongs to it, for itself or now and
/// then for another member; leaves, also while it waits, and gives up.
final class MemberPartyProgram: ClientProgram {
    private enum Wish {
        case join
        case leave
        case arrive(payload: [UInt8])
    }

    private static let callsAtOnce = 3

    private let group: ObjectName
    private var actAt: Moment
    private var isFinishing = false
    private var pending: [CallID: Wish] = [:]
    private var token: FencingToken?

    init(group: ObjectName, firstActAt moment: Moment) {
        self.group = group
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
        actOnce(client, world: world)
        actAt = now.advanced(by: world.pause(&client.random))
    }

    private func actOnce(_ client: ClientProcess, world: ClientWorld) {
        guard pending.count < Self.callsAtOnce else {
            if client.random.chance(perMille: 200), let oldest = pending.keys.min() {
                client.cancel(oldest, world: world)
            }
            return
        }
        guard let token else {
            let isAsked = pending.values.contains { if case .join = $0 { true } else { false } }
            guard !isAsked else { return }
            return ask(.join, .joinGroup(GroupJoin(name: group)), client, world: world)
        }
        if client.random.chance(perMille: 150) {
            return ask(.leave, .leaveGroup(name: group, member: token), client, world: world)
        }
        arrive(as: token, client, world: world)
    }

    private func arrive(
        as token: FencingToken, _ client: ClientProcess, world: ClientWorld
    ) {
        world.arrivalCount += 1
        var writer = ByteWriter()
        writer.integer(world.arrivalCount)
        let name = world.name(from: MemberPartyTraffic.barriers, &client.random)
        let isForOther = client.random.chance(perMille: 100) && !world.members(of: group).isEmpty
        let member = isForOther ? WorldShape.pick(world.members(of: group), &client.random) : token
        let isPart = client.random.chance(perMille: 150)
        let among = isPart ? Array(Set(world.members(of: group) + [member])).sorted() : []
        let arrival = BarrierArrival(
            name: name, group: BarrierGroup(group, among: among), member: member,
            payload: writer.bytes)
        ask(.arrive(payload: writer.bytes), .arrive(arrival), client, world: world)
    }

    private func ask(
        _ wish: Wish, _ operation: Operation, _ client: ClientProcess, world: ClientWorld
    ) {
        let wait = client.random.chance(perMille: 500) ? world.pause(&client.random) * 4 : nil
        pending[client.call(operation, within: wait, world: world)] = wish
    }

    // MARK: - Answers

    func answered(
        _ answer: ClientCore.Answer, to call: CallID, _ client: ClientProcess, world: ClientWorld
    ) throws(Violation) {
        guard let wish = pending.removeValue(forKey: call) else {
            throw Violation(.exactlyOnce, "call \(call.number) was answered twice: \(answer)")
        }
        switch (wish, answer) {
        case (.join, .reply(.joined(let joined))): token = joined.token
        case (.leave, .reply(.done)): token = nil
        case (.arrive(let payload), .reply(.tripped(let result))):
            guard result.view != nil else {
                throw Violation(.barriers, "\(result) is of no view, but of a group")
            }
            try world.barriers.tripped(result, payload: payload, parties: nil)
        case (.arrive, .reply(.broken(let report))): try world.barriers.broken(report)
        case (_, .failed(.refused(let refusal))): try check(refusal, of: wish, world: world)
        case (_, .failed): break
        default: throw Violation(.exactlyOnce, "\(wish) was answered \(answer)")
        }
    }

    private func check(
        _ refusal: Refusal, of wish: Wish, world: ClientWorld
    ) throws(Violation) {
        switch (wish, refusal.code) {
        case (_, .sessionEnded), (_, .unavailable): return
        case (_, .quotaExceeded) where world.hasQuotas || world.hasGroupQuotas: return
        case (.arrive, .quotaExceeded) where world.hasMemberPartyQuotas: return
        case (.join, .alreadyHeld): return
        case (.leave, .notHeld): token = nil
        // Who is gone meanwhile, or is another user's; it came already.
        case (.arrive, .notHeld), (.arrive, .denied), (.arrive, .alreadyHeld): return
        default: throw Violation(.exactlyOnce, "\(wish) was refused: \(refusal)")
        }
    }
}
