import ConclaveBase
import ConclaveClientCore
import ConclaveWire

/// Counts latches down, waits for them, gives waiting up, removes and reads them.
final class LatchProgram: ClientProgram {
    private struct Wish {
        var operation: LatchOperation
        /// The history in which it was open when this was asked for.
        var openedIn: Int?
    }

    private struct Question {
        var query: ObjectQuery
        /// Acknowledged to somebody before it was asked.
        var newestBefore: Version
    }

    private static let callsAtOnce = 4

    private var actAt: Moment
    private var isFinishing = false
    private var wishes: [CallID: Wish] = [:]
    private var questions: [CallID: Question] = [:]

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
        if wishes.count + questions.count < Self.callsAtOnce {
            actOnce(client, world: world)
        } else if client.random.chance(perMille: 300), let oldest = wishes.keys.min() {
            client.cancel(oldest, world: world)
        }
        actAt = now.advanced(by: world.pause(&client.random))
    }

    private func actOnce(_ client: ClientProcess, world: ClientWorld) {
        let all = LatchTraffic.latches
        let (text, count) = all[Int(client.random.below(UInt64(all.count)))]
        let name = world.name(text)
        let isWrong = client.random.chance(perMille: 30)
        let named = isWrong ? count + 1 : count
        switch client.random.below(20) {
        case 0: call(LatchOperation(name, .remove), client, world: world)
        case 1...3: ask(name, client, world: world)
        case 4...9:
            call(LatchOperation(name, .wait(of: named)), client, world: world)
        default:
            call(
                LatchOperation(name, .countDown(of: named)), client, world: world)
        }
    }

    private func call(
        _ operation: LatchOperation, _ client: ClientProcess,
        world: ClientWorld
    ) {
        let history = world.latches.openedIn(operation.name)
        world.latches.asked(operation)
        let isBounded = client.random.chance(perMille: 600)
        let call = client.call(
            .latch(operation), within: isBounded ? world.pause(&client.random) * 2 : nil,
            world: world)
        wishes[call] = Wish(operation: operation, openedIn: history)
    }

    private func ask(_ name: ObjectName, _ client: ClientProcess, world: ClientWorld) {
        let prefix = WorldShape.pick(LatchTraffic.prefixes, &client.random)
        let after = client.random.chance(perMille: 300) ? name : nil
        let subject: ObjectQuery.Subject =
            switch client.random.below(3) {
            case 0: .latch(name)
            case 1: .why(name)
            default: .latches(prefix: prefix, after: after)
            }
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
        switch answer {
        case .reply(.counted(let state)) where wish.operation.canBring(state):
            try world.latches.told(state, openedIn: wish.openedIn)
        case .reply(.done) where wish.operation.action == .remove: break
        case .failed(.refused(let refusal)): try check(refusal, of: wish, world: world)
        case .failed: break
        case .reply, .report:
            throw Violation(.exactlyOnce, "\(wish.operation) was answered \(answer)")
        }
    }

    private func check(
        _ refusal: Refusal, of wish: Wish, world: ClientWorld
    ) throws(Violation) {
        switch (refusal.code, wish.operation.action) {
        case (.sessionEnded, _), (.unavailable, _): return
        // Removed meanwhile, or not there; another user's.
        case (.refused, .wait), (.refused, .remove), (.denied, .remove): return
        case (.quotaExceeded, _) where world.hasQuotas || world.hasLatchQuotas: return
        // Of two that name other counts the one that came first is right.
        case (.invalid, .countDown), (.invalid, .wait): return
        default: throw Violation(.exactlyOnce, "\(wish.operation) was refused: \(refusal)")
        }
    }

    /// C3: what was acknowledged before the question is in the answer.
    private func take(
        _ answer: ClientCore.Answer, _ question: Question, world: ClientWorld
    ) throws(Violation) {
        let version: Version
        switch answer {
        case .report(.latches(let page)):
            try world.order.check(page, to: question.query.subject)
            version = page.version
        case .report(.why(let report)):
            try world.order.check(report)
            version = report.version
        case .failed: return
        default: throw Violation(.exactlyOnce, "a question about latches was answered \(answer)")
        }
        guard !question.query.isLocal, version < question.newestBefore else { return }
        throw Violation(
            .nothingLost,
            "latches are told as of version \(version.counter), but "
                + "\(question.newestBefore.counter) was acknowledged before they were asked for")
    }
}

extension LatchOperation {
    fileprivate func canBring(_ state: LatchState) -> Bool {
        switch action {
        case .countDown(let count): state.count == count
        case .wait(let count): state.count == count && state.remaining == 0
        case .remove: false
        }
    }
}
