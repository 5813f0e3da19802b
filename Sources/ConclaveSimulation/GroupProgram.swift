import ConclaveBase
import ConclaveClientCore
import ConclaveWire

/// Joins task groups, sends to them, leaves them and puts others out; follows each that it belongs
/// to.
final class GroupProgram: ClientProgram {
    private enum Wish {
        case join(ObjectName)
        case leave(ObjectName)
        case evict(ObjectName)
        case send(ObjectName)
    }

    private static let callsAtOnce = 4

    private var actAt: Moment
    private var isFinishing = false
    private var pending: [CallID: Wish] = [:]
    /// By group: the membership, until its end is told.
    private var tokens: [ObjectName: FencingToken] = [:]
    private var trackers: [CallID: GroupTracker] = [:]

    init(firstActAt moment: Moment) {
        actAt = moment
    }

    var nextAct: Moment { actAt }

    func finish(at now: Moment) {
        isFinishing = true
        actAt = now
    }

    func checkIsTold(upTo version: Version, world: ClientWorld) throws(Violation) {
        for call in trackers.keys.sorted() {
            try trackers[call]!.checkIsTold(upTo: version, world: world)
        }
    }

    func act(_ client: ClientProcess, at now: Moment, world: ClientWorld) {
        if isFinishing {
            actAt = .never
            return client.goodbye(world: world)
        }
        for _ in 0..<1 + client.random.below(3) { actOnce(client, world: world) }
        actAt = now.advanced(by: world.pause(&client.random))
    }

    private func actOnce(_ client: ClientProcess, world: ClientWorld) {
        guard pending.count < Self.callsAtOnce else {
            if client.random.chance(perMille: 300), let oldest = pending.keys.min() {
                client.cancel(oldest, world: world)
            }
            return
        }
        let name = world.name(from: ClientWorld.groupNames, &client.random)
        if tokens[name] == nil, client.random.chance(perMille: 700) {
            return join(name, client, world: world)
        }
        switch client.random.below(12) {
        case 0:
            guard let token = tokens[name] else { return }
            ask(.leave(name), .leaveGroup(name: name, member: token), client, world: world)
        case 1:
            let others = trackers.keys.sorted().filter { trackers[$0]!.follow.name == name }
                .flatMap { trackers[$0]!.members }
            guard !others.isEmpty else { return }
            let token = WorldShape.pick(others, &client.random).token
            ask(.evict(name), .evictMember(name: name, member: token), client, world: world)
        default: send(to: name, client, world: world)
        }
    }

    private func join(_ name: ObjectName, _ client: ClientProcess, world: ClientWorld) {
        let isAsked = pending.values.contains { wish in
            if case .join(name) = wish { true } else { false }
        }
        guard !isAsked else { return }
        let value = "\(client.random.below(4))"
        let attributes = try? GroupAttributes([.init(name: "gpu", value: value)])
        let join = GroupJoin(name: name, attributes: attributes ?? .none)
        ask(.join(name), .joinGroup(join), client, world: world)
    }

    /// Its payload is like no other.
    private func send(to name: ObjectName, _ client: ClientProcess, world: ClientWorld) {
        world.valueCount += 1
        var writer = ByteWriter()
        writer.integer(world.valueCount)
        // Now and then what does not fit a slot.
        let length = client.random.chance(perMille: 20) ? 9_000 : client.random.below(40)
        writer.raw([UInt8](repeating: 7, count: Int(length)))
        ask(
            .send(name), .sendToGroup(name: name, payload: writer.bytes), client, world: world)
    }

    private func ask(
        _ wish: Wish, _ operation: Operation, _ client: ClientProcess, world: ClientWorld
    ) {
        let wait = client.random.chance(perMille: 300) ? world.pause(&client.random) : nil
        pending[client.call(operation, within: wait, world: world)] = wish
    }

    // MARK: - Answers

    func answered(
        _ answer: ClientCore.Answer, to call: CallID, _ client: ClientProcess, world: ClientWorld
    ) throws(Violation) {
        guard let wish = pending.removeValue(forKey: call) else {
            return try event(answer, of: call, client, world: world)
        }
        switch (wish, answer) {
        case (.join(let name), .reply(.joined(let joined))):
            tokens[name] = joined.token
            follow(joined, client)
        case (.leave, .reply(.done)), (.evict, .reply(.done)), (.send, .reply(.sent)): break
        case (_, .failed(.refused(let refusal))): try check(refusal, of: wish, world: world)
        case (_, .failed): break
        default: throw Violation(.exactlyOnce, "\(wish) was answered \(answer)")
        }
    }

    private func follow(_ joined: GroupJoined, _ client: ClientProcess) {
        let follow = GroupFollow(joined.name, withMessages: true, member: joined.token)
        let call = client.query(.followGroup(follow), within: nil)
        trackers[call] = GroupTracker(follow)
    }

    private func check(
        _ refusal: Refusal, of wish: Wish, world: ClientWorld
    ) throws(Violation) {
        switch (wish, refusal.code) {
        case (_, .sessionEnded), (_, .unavailable): return
        case (_, .quotaExceeded) where world.hasQuotas || world.hasGroupQuotas: return
        // Who was put out finds out by asking, if it was not told yet.
        case (.leave, .notHeld): return
        // Of another user, or gone; nobody is there; what does not fit a slot.
        case (.evict, .refused), (.evict, .denied), (.send, .refused), (.send, .invalid): return
        default: throw Violation(.exactlyOnce, "\(wish) was refused: \(refusal)")
        }
    }

    func event(
        _ answer: ClientCore.Answer, of call: CallID, _ client: ClientProcess, world: ClientWorld
    ) throws(Violation) {
        guard trackers[call] != nil else {
            throw Violation(.exactlyOnce, "an event of call \(call.number): \(answer)")
        }
        world.trace { "client \(client.index) follows by call \(call.number): \(answer)" }
        guard try trackers[call]!.take(answer, world: world) else { return }
        let follow = trackers.removeValue(forKey: call)!.follow
        if tokens[follow.name] == follow.member { tokens[follow.name] = nil }
    }
}
