import ConclaveBase
import ConclaveClientCore
import ConclaveWire

/// Follows a leader slot and asks this and that, without a session.
final class ObserverProgram: ClientProgram {
    private let slot: ObjectName
    private var subscription: CallID?
    private var question: CallID?
    private var asked: HistoryQuery?
    /// The version at which that was; `nil`: a copy may answer that is behind.
    private var askedAt: Version?
    private var historyCount: UInt64 = 0
    private var actAt: Moment
    private var isFinishing = false
    private(set) var newest: LeaderState?
    /// By place.
    private var newestTokens: [UInt32: FencingToken] = [:]
    private var doubt = FollowersDoubt()

    init(slot: ObjectName, firstActAt moment: Moment) {
        self.slot = slot
        actAt = moment
    }

    var isFollower: Bool { true }

    var nextAct: Moment { actAt }

    func finish(at now: Moment) {
        isFinishing = true
        actAt = now
    }

    func act(_ client: ClientProcess, at now: Moment, world: ClientWorld) {
        actAt = .never
        if isFinishing {
            client.goodbye(world: world)
            return
        }
        if subscription == nil {
            subscription = client.query(.objects(ObjectQuery(.leader(slot))), within: nil)
        } else if question == nil {
            question = client.query(
                question(&client.random, world: world), within: world.pause(&client.random))
        }
        actAt = now.advanced(by: world.pause(&client.random))
    }

    private func question(
        _ random: inout SeededRandom, world: ClientWorld
    ) -> ClientCore.Query {
        switch random.below(5) {
        case 0: return .status
        case 1: return .members
        case 2: return .views(follow: false)
        case 3:
            let isLocal = random.chance(perMille: 500)
            askedAt = isLocal ? nil : world.order.version
            return .objects(ObjectQuery(.history(historyQuestion(world)), isLocal: isLocal))
        default:
            let name = world.name(from: world.lockNames, &random)
            return .objects(ObjectQuery(.why(name), isLocal: random.chance(perMille: 500)))
        }
    }

    /// What it asks is counted, not drawn, so that a seed's other draws stay what they are: by turns
    /// of now, of a version and of a time, with names that locks, slots, barriers and leases have.
    private func historyQuestion(_ world: ClientWorld) -> HistoryQuery {
        historyCount += 1
        let names = world.lockNames + [slot.text] + LeaseTraffic.names + ["barrier/0"]
        let count = Int(historyCount)
        let name = world.name(names[count % names.count])
        let back = (historyCount * 7) % 40
        let (version, steps) = (world.order.version.number, world.order.time.microseconds / 50_000)
        let moment: KeyMoment =
            switch historyCount % 3 {
            case 0: .now
            case 1: .version(Version(max(back, version) - back))
            default: .time(Timestamp(microseconds: (max(back, steps) - back) * 50_000))
            }
        let query = HistoryQuery(
            name, kind: count % 5 == 0 ? .lock : nil, at: moment,
            limit: count % 4 == 0 ? 3 : UInt32(ClientLimits.listedHistory))
        asked = query
        return query
    }

    func answered(
        _ answer: ClientCore.Answer, to call: CallID, _ client: ClientProcess, world: ClientWorld
    ) throws(Violation) {
        if call == question {
            question = nil
            if case .reply = answer {
                throw Violation(.exactlyOnce, "a question was answered \(answer)")
            }
            if case .report(.why(let report)) = answer { try world.order.check(report) }
            if let asked { try check(answer, to: asked, world: world) }
            return
        }
        try take(answer, client, world: world)
    }

    private func check(
        _ answer: ClientCore.Answer, to query: HistoryQuery, world: ClientWorld
    ) throws(Violation) {
        switch answer {
        case .report(.history(let report)): try world.order.check(report, to: query)
        case .failed(.refused(let refusal)) where refusal.code == .historyGone:
            if let askedAt { try world.order.checkIsGone(query, since: askedAt) }
        default: break
        }
    }

    func event(
        _ answer: ClientCore.Answer, of call: CallID, _ client: ClientProcess, world: ClientWorld
    ) throws(Violation) {
        guard call == subscription else {
            throw Violation(.exactlyOnce, "an event of call \(call.number): \(answer)")
        }
        try take(answer, client, world: world)
    }

    /// States come in the order of their versions, and terms only grow.
    private func take(
        _ answer: ClientCore.Answer, _ client: ClientProcess, world: ClientWorld
    ) throws(Violation) {
        switch answer {
        case .report(.leader(let state)):
            world.record(.observed(HistoryObservation(state)), by: client)
            try world.order.check(state)
            if let newest, state.version < newest.version {
                throw Violation(
                    .totalOrder, "\(slot) was observed at \(newest.version), then \(state.version)")
            }
            for leader in state.leaders {
                let newest = newestTokens[leader.place] ?? FencingToken(0)
                guard leader.token >= newest else {
                    throw Violation(
                        .fencing, "\(slot) was led in term \(newest), then in \(leader.token)")
                }
                newestTokens[leader.place] = leader.token
            }
            newest = state
        case .report(.doubtful): try doubt.begins(of: slot)
        case .report(.assured): try doubt.ends(of: slot)
        case .failed:
            break
        case .reply, .report:
            throw Violation(.exactlyOnce, "an observer was told \(answer)")
        }
    }
}
