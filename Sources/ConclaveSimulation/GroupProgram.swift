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
        case adopt(FencingToken)
        case provide(ObjectName)

        /// Of a state that is handed on: it is seen through.
        var isOfState: Bool {
            switch self {
            case .adopt, .provide: true
            case .join, .leave, .evict, .send: false
            }
        }
    }

    private static let callsAtOnce = 4

    private var actAt: Moment
    private var isFinishing = false
    private var pending: [CallID: Wish] = [:]
    /// By group: the membership, until its end is told.
    private var tokens: [ObjectName: FencingToken] = [:]
    private var trackers: [CallID: GroupTracker] = [:]
    /// Of memberships that share in their group's state.
    private var states: [FencingToken: StateMember] = [:]
    /// Parts of states that are to be handed over, a few at a time: whoever has them may go before.
    private var owed: [(group: ObjectName, part: ProvidedState)] = []

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
        handStates(client, world: world)
        for _ in 0..<1 + client.random.below(3) { actOnce(client, world: world) }
        actAt = now.advanced(by: world.pause(&client.random))
    }

    private func actOnce(_ client: ClientProcess, world: ClientWorld) {
        let mine = pending.filter { !$0.value.isOfState }
        guard mine.count < Self.callsAtOnce else {
            if client.random.chance(perMille: 300), let oldest = mine.keys.min() {
                client.cancel(oldest, world: world)
            }
            return
        }
        let name = world.name(from: ClientWorld.groupNames, &client.random)
        if tokens[name] == nil, client.random.chance(perMille: 700) {
            return join(name, client, world: world)
        }
        if let token = tokens[name], states[token]?.isLost == true {
            return ask(.leave(name), .leaveGroup(name: name, member: token), client, world: world)
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
        let join = GroupJoin(
            name: name, attributes: attributes ?? .none,
            wantsState: world.sharesGroupStates && name.text.hasPrefix("g/"))
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
            if world.sharesGroupStates { states[joined.token] = StateMember(joined) }
            follow(GroupFollow(joined.name, withMessages: true, member: joined.token), client)
        case (.leave, .reply(.done)), (.evict, .reply(.done)), (.send, .reply(.sent)),
            (.adopt, .reply(.done)), (.provide, .reply(.done)):
            break
        case (.adopt(let token), .failed(.refused(let refusal))) where refusal.code == .refused:
            states[token]?.refused()
            ask(forStateOf: token, client, world: world)
        case (_, .failed(.refused(let refusal))): try check(refusal, of: wish, world: world)
        case (_, .failed): break
        default: throw Violation(.exactlyOnce, "\(wish) was answered \(answer)")
        }
    }

    private func follow(_ follow: GroupFollow, _ client: ClientProcess) {
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
        case (.leave, .notHeld), (.adopt, .notHeld), (.provide, .notHeld): return
        // Who wanted the state is gone.
        case (.provide, .refused): return
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
        let isOver = try trackers[call]!.take(answer, world: world)
        if case .report(.groupUpdates(let updates)) = answer {
            try handState(updates, trackers[call]!.follow, client, world: world)
        }
        guard isOver else { return }
        let follow = trackers.removeValue(forKey: call)!.follow
        if let member = follow.member { states[member] = nil }
        if tokens[follow.name] == follow.member { tokens[follow.name] = nil }
    }

    // MARK: - States

    private func handState(
        _ updates: [ClientCore.GroupUpdate], _ follow: GroupFollow, _ client: ClientProcess,
        world: ClientWorld
    ) throws(Violation) {
        guard let token = follow.member, states[token] != nil else { return }
        guard follow.start == nil else {
            for part in try states[token]!.follow(updates, world: world) {
                owed.append((follow.name, part))
            }
            return
        }
        if let start = try states[token]!.adopt(updates, world: world) {
            self.follow(
                GroupFollow(follow.name, withMessages: true, member: token, start: start), client)
        }
        // Some take their time to say that they have it.
        if token.number % 2 == 0 { ask(forStateOf: token, client, world: world) }
    }

    private func handStates(_ client: ClientProcess, world: ClientWorld) {
        for token in states.keys.sorted() { ask(forStateOf: token, client, world: world) }
        guard !owed.isEmpty else { return }
        for _ in 0..<1 + client.random.below(6) {
            guard !owed.isEmpty else { return }
            let (group, part) = owed.removeFirst()
            see(.provide(group), .provideState(name: group, part), client, world)
        }
    }

    private func ask(
        forStateOf token: FencingToken, _ client: ClientProcess, world: ClientWorld
    ) {
        guard let request = states[token]?.request() else { return }
        see(.adopt(token), request, client, world)
    }

    private func see(
        _ wish: Wish, _ operation: Operation, _ client: ClientProcess, _ world: ClientWorld
    ) {
        pending[client.call(operation, within: nil, world: world)] = wish
    }
}
