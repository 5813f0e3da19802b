import ConclaveBase
import ConclaveClientCore
import ConclaveWire

/// Puts, compares, deletes and reads keys, one at a time and several at once.
final class KeyProgram: ClientProgram {
    private struct Question {
        var query: KeyQuery
        var asked: Moment
        /// Acknowledged to somebody before it was asked.
        var newestBefore: Version
        /// Of the state, whoever had it.
        var versionBefore: Version
    }

    private static let callsAtOnce = 4

    private var actAt: Moment
    private var isFinishing = false
    private var pending: [CallID] = []
    private var questions: [CallID: Question] = [:]
    /// Questions that wait as long as it takes.
    private var endless: [CallID] = []
    /// The version at which this process has seen each key last; `nil`: absent.
    private var seen: [ObjectName: Version?] = [:]

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
        for _ in 0..<1 + client.random.below(3) { actOnce(client, world: world) }
        actAt = now.advanced(by: world.pause(&client.random))
    }

    private func actOnce(_ client: ClientProcess, world: ClientWorld) {
        guard pending.count < Self.callsAtOnce else {
            let givenUp = pending.first { !endless.contains($0) }
            if let givenUp, client.random.chance(perMille: 300) {
                client.cancel(givenUp, world: world)
            }
            return
        }
        let key = world.key(&client.random)
        switch client.random.below(12) {
        case 0, 1: write([put(key, client, world: world)], client, world: world)
        case 2: write([.delete(key)], client, world: world)
        case 3, 4:
            write(
                [put(key, client, world: world)], if: [compare(key, client)], client,
                world: world)
        case 5, 6: writeSeveral(client, world: world)
        case 7, 8: read(.key(key), client, world: world)
        default:
            let prefix = WorldShape.pick(ClientWorld.keyPrefixes, &client.random)
            let after = client.random.chance(perMille: 300) ? key : nil
            let limit = UInt32(1 + client.random.below(5))
            read(.prefix(prefix, after: after, limit: limit), client, world: world)
        }
    }

    /// Its value is like no other.
    private func put(
        _ key: ObjectName, _ client: ClientProcess, world: ClientWorld
    ) -> KeyOperation {
        world.valueCount += 1
        var writer = ByteWriter()
        writer.integer(world.valueCount)
        // Now and then what does not fit a slot.
        let length = client.random.chance(perMille: 20) ? 9_000 : client.random.below(60)
        writer.raw([UInt8](repeating: 7, count: Int(length)))
        let isEphemeral = client.random.chance(perMille: 300)
        return .put(key, value: writer.bytes, isEphemeral: isEphemeral)
    }

    private func compare(_ key: ObjectName, _ client: ClientProcess) -> KeyCompare {
        switch client.random.below(6) {
        case 0: return KeyCompare(key, .absent)
        case 1: return KeyCompare(key, .present)
        case 2: return KeyCompare(key, .version(Version(client.random.below(200))))
        default:
            guard let version = seen[key] ?? nil else { return KeyCompare(key, .absent) }
            return KeyCompare(key, .version(version))
        }
    }

    private func writeSeveral(_ client: ClientProcess, world: ClientWorld) {
        var operations: [KeyOperation] = []
        for _ in 0..<1 + client.random.below(4) {
            let key = world.key(&client.random)
            // A key that comes twice is refused: rarely is enough.
            if operations.contains(where: { $0.key == key }), client.random.chance(perMille: 950) {
                continue
            }
            operations.append(
                client.random.chance(perMille: 300)
                    ? .delete(key) : put(key, client, world: world))
        }
        let compares = (0..<client.random.below(3)).map { _ in
            compare(world.key(&client.random), client)
        }
        write(operations, if: compares, client, world: world)
    }

    private func write(
        _ operations: [KeyOperation], if compares: [KeyCompare] = [], _ client: ClientProcess,
        world: ClientWorld
    ) {
        let transaction = KeyTransaction(compares: compares, operations: operations)
        pending.append(
            client.call(
                .transact(transaction), within: world.pause(&client.random), world: world))
    }

    private func read(
        _ selection: KeyQuery.Selection, _ client: ClientProcess, world: ClientWorld
    ) {
        let moment: KeyMoment
        switch client.random.below(8) {
        case 0:
            let back = client.random.below(60)
            let number = world.order.version.number
            moment = .version(Version(number > back ? number - back : number))
        case 1:
            let back = client.random.below(20_000_000)
            let now = world.order.time.microseconds
            moment = .time(Timestamp(microseconds: now > back ? now - back : now))
        default: moment = .now
        }
        let query = KeyQuery(
            selection, at: moment, isLocal: client.random.chance(perMille: 250),
            namesOnly: client.random.chance(perMille: 150))
        let isEndless = client.random.chance(perMille: 250)
        let call = client.query(
            .readKeys(query), within: isEndless ? nil : world.pause(&client.random))
        pending.append(call)
        if isEndless { endless.append(call) }
        questions[call] = Question(
            query: query, asked: world.timeline.now,
            newestBefore: world.newestAcknowledged, versionBefore: world.order.version)
    }

    // MARK: - Answers

    func answered(
        _ answer: ClientCore.Answer, to call: CallID, _ client: ClientProcess, world: ClientWorld
    ) throws(Violation) {
        pending.removeAll { $0 == call }
        endless.removeAll { $0 == call }
        if let question = questions.removeValue(forKey: call) {
            return try take(answer, question, client, world: world)
        }
        switch answer {
        case .reply(.written), .reply(.mismatched): break
        case .failed(.refused(let refusal)): try check(refusal, world: world)
        case .failed: break
        case .reply, .report:
            throw Violation(.exactlyOnce, "a transaction was answered \(answer)")
        }
        if case .reply(.mismatched(let mismatch)) = answer {
            seen[mismatch.key] = mismatch.found?.modified
        }
    }

    private func check(_ refusal: Refusal, world: ClientWorld) throws(Violation) {
        switch refusal.code {
        // Too large, or one key twice.
        case .invalid, .sessionEnded, .unavailable: return
        case .quotaExceeded where world.hasQuotas || world.hasKeyQuotas: return
        default:
            throw Violation(.exactlyOnce, "a transaction was refused: \(refusal)")
        }
    }

    private func take(
        _ answer: ClientCore.Answer, _ question: Question, _ client: ClientProcess,
        world: ClientWorld
    ) throws(Violation) {
        switch answer {
        case .report(.keys(let report)):
            world.record(
                .read(
                    HistoryRead(
                        asked: question.asked.nanoseconds, query: question.query,
                        report: report)),
                by: client)
            try world.order.check(report, to: question.query)
            try check(report, question, world: world)
            note(report, question.query)
        case .failed(.refused(let refusal)): try check(refusal, question, world: world)
        case .failed: break
        case .reply, .report:
            throw Violation(.exactlyOnce, "a question about keys was answered \(answer)")
        }
    }

    /// C3: what was acknowledged before the question is in the answer.
    private func check(
        _ report: KeyReport, _ question: Question, world: ClientWorld
    ) throws(Violation) {
        if case .version(let version) = question.query.moment, version != report.version {
            throw Violation(
                .totalOrder, "asked for version \(version), told of \(report.version)")
        }
        guard question.query.moment == .now, !question.query.isLocal,
            report.version < question.newestBefore
        else { return }
        throw Violation(
            .nothingLost,
            "a read is of version \(report.version.counter), but \(question.newestBefore.counter) "
                + "was acknowledged before it was asked")
    }

    private func check(
        _ refusal: Refusal, _ question: Question, world: ClientWorld
    ) throws(Violation) {
        switch (refusal.code, question.query.moment) {
        case (.quotaExceeded, _), (.unavailable, _), (.sessionEnded, _): return
        case (.historyGone, .version(let version)):
            guard world.order.keepsChanges(after: version) else { return }
        case (.historyGone, .time): return
        // A daemon that is behind, or another history, has not come as far.
        case (.invalid, .version), (.invalid, .time): return
        default: break
        }
        throw Violation(
            .exactlyOnce, "\(question.query) was refused: \(refusal)")
    }

    private func note(_ report: KeyReport, _ query: KeyQuery) {
        guard query.moment == .now else { return }
        if case .key(let key) = query.selection { seen[key] = .some(nil) }
        for entry in report.entries { seen[entry.name] = entry.stamp.modified }
    }
}
