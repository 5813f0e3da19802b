import ConclaveBase
import ConclaveClientCore
import ConclaveWire

/// Takes, renews, transfers and releases leases, and lets some of them end by themselves.
final class LeaseProgram: ClientProgram {
    private struct Wish {
        var operation: LeaseOperation
        /// By the clock of its host.
        var asked: Instant
    }

    private struct Question {
        var query: ObjectQuery
        /// Acknowledged to somebody before it was asked.
        var newestBefore: Version
    }

    private static let callsAtOnce = 3

    private let ttls: ClosedRange<Interval>
    private var actAt: Moment
    private var isFinishing = false
    private var wishes: [CallID: Wish] = [:]
    private var questions: [CallID: Question] = [:]
    /// What it can prove to have had, the newest of each name.
    private var held: [ObjectName: LeaseGrant] = [:]

    init(ttls: ClosedRange<Interval>, firstActAt moment: Moment) {
        self.ttls = ttls
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
        if wishes.count + questions.count < Self.callsAtOnce { actOnce(client, world: world) }
        actAt = now.advanced(by: world.pause(&client.random))
    }

    private func actOnce(_ client: ClientProcess, world: ClientWorld) {
        let name = world.name(from: LeaseTraffic.names, &client.random)
        let ttl = client.random.interval(in: ttls)
        let holder = "client \(client.number)"
        let drawn = client.random.below(12)
        guard drawn > 1 else { return ask(name, client, world: world) }
        // Now and then what was never granted.
        let guessed = FencingToken(1 + client.random.below(1 << 20))
        let isGuessed = client.random.chance(perMille: 30)
        guard let token = isGuessed ? guessed : held[name]?.token else {
            return call(
                LeaseOperation(name, .grant(ttl: ttl, holder: holder)), client, world: world)
        }
        switch drawn {
        case 2, 3: call(LeaseOperation(name, .release(token: token)), client, world: world)
        case 4, 5:
            let other = client.random.chance(perMille: 500) ? ttl : nil
            let heir = "heir of client \(client.number)"
            call(
                LeaseOperation(name, .transfer(token: token, holder: heir, ttl: other)), client,
                world: world)
        case 6:
            call(LeaseOperation(name, .grant(ttl: ttl, holder: holder)), client, world: world)
        default: call(LeaseOperation(name, .renew(token: token)), client, world: world)
        }
    }

    private func call(_ operation: LeaseOperation, _ client: ClientProcess, world: ClientWorld) {
        switch operation.action {
        case .release(let token), .transfer(let token, _, _):
            world.leases.giveUp(token, of: operation.name)
        case .grant, .renew: break
        }
        let call = client.call(
            .lease(operation), within: world.pause(&client.random), world: world)
        wishes[call] = Wish(operation: operation, asked: client.hostTime(world: world))
    }

    private func ask(_ name: ObjectName, _ client: ClientProcess, world: ClientWorld) {
        let prefix = WorldShape.pick(LeaseTraffic.prefixes, &client.random)
        let after = client.random.chance(perMille: 300) ? name : nil
        let subject: ObjectQuery.Subject =
            client.random.chance(perMille: 500)
            ? .lease(name) : .leases(prefix: prefix, after: after)
        let query = ObjectQuery(subject, isLocal: client.random.chance(perMille: 250))
        let call = client.query(.objects(query), within: world.pause(&client.random))
        questions[call] = Question(query: query, newestBefore: world.newestAcknowledged)
    }

    // MARK: - Answers

    func answered(
        _ answer: ClientCore.Answer, to call: CallID, _ client: ClientProcess, world: ClientWorld
    ) throws(Violation) {
        if let question = questions.removeValue(forKey: call) {
            return try take(answer, question, world: world)
        }
        guard let wish = wishes.removeValue(forKey: call) else { return }
        let name = wish.operation.name
        switch answer {
        case .reply(.leased(let grant)):
            held[name] = grant
            let end = wish.asked.advanced(by: ClockDrift.shortened(grant.ttl))
            let until = world.clock(client).moment(of: end)
            try world.leases.note(grant, until: until, now: world.timeline.now)
        case .reply(.leaseTaken): break
        case .reply(.done): held[name] = nil
        case .failed(.refused(let refusal)):
            if refusal.code == .notHeld { held[name] = nil }
            try check(refusal, of: wish.operation, world: world)
        case .failed: break
        case .reply, .report:
            throw Violation(.exactlyOnce, "a request about a lease was answered \(answer)")
        }
    }

    private func check(
        _ refusal: Refusal, of operation: LeaseOperation, world: ClientWorld
    ) throws(Violation) {
        switch (refusal.code, operation.action) {
        case (.sessionEnded, _), (.unavailable, .grant): return
        case (.notHeld, .renew), (.notHeld, .release), (.notHeld, .transfer): return
        // A guess hit what another user has.
        case (.denied, .renew), (.denied, .release), (.denied, .transfer): return
        case (.quotaExceeded, _) where world.hasQuotas: return
        default: throw Violation(.exactlyOnce, "\(operation) was refused: \(refusal)")
        }
    }

    /// C3: what was acknowledged before the question is in the answer.
    private func take(
        _ answer: ClientCore.Answer, _ question: Question, world: ClientWorld
    ) throws(Violation) {
        guard case .report(.leases(let page)) = answer else {
            if case .failed = answer { return }
            throw Violation(.exactlyOnce, "a question about leases was answered \(answer)")
        }
        try world.order.check(page, to: question.query.subject)
        guard !question.query.isLocal, page.version < question.newestBefore else { return }
        throw Violation(
            .nothingLost,
            "leases are told as of version \(page.version.counter), but "
                + "\(question.newestBefore.counter) was acknowledged before they were asked for")
    }
}
