import ConclaveBase
import ConclaveClientCore
import ConclaveWire

/// Campaigns for a slot, leads for a while with a value or two, resigns, and begins again.
final class CandidateProgram: ClientProgram {
    private struct Candidacy {
        var call: CallID
        var slot: ObjectName
        var newestBefore: FencingToken
        var cancelAt: Moment
    }

    private enum State {
        case idle(until: Moment)
        case waiting(Candidacy)
        case leading(Term, until: Moment, announcesLeft: Int)
        case announcing(CallID, Term, announcesLeft: Int)
        case resigning(CallID, ObjectName)
        case handingOver(CallID, Term)
        case ending
    }

    private var state: State
    private var isFinishing = false

    init(firstActAt moment: Moment) {
        state = .idle(until: moment)
    }

    var nextAct: Moment {
        switch state {
        case .idle(let until), .leading(_, let until, _): until
        case .waiting(let candidacy): candidacy.cancelAt
        case .announcing, .resigning, .handingOver, .ending: .never
        }
    }

    func finish(at now: Moment) {
        isFinishing = true
        switch state {
        case .idle: state = .idle(until: now)
        case .leading(let term, _, _):
            state = .leading(term, until: now, announcesLeft: 0)
        case .waiting(var candidacy):
            candidacy.cancelAt = min(candidacy.cancelAt, now)
            state = .waiting(candidacy)
        case .announcing, .resigning, .handingOver, .ending: break
        }
    }

    func act(_ client: ClientProcess, at now: Moment, world: ClientWorld) {
        switch state {
        case .idle:
            if isFinishing {
                state = .ending
                client.goodbye(world: world)
            } else {
                campaign(by: client, at: now, world: world)
            }
        case .waiting(var candidacy):
            client.cancel(candidacy.call, world: world)
            candidacy.cancelAt = .never
            state = .waiting(candidacy)
        case .leading(let term, _, let left) where left > 0 && !isFinishing:
            let call = client.call(
                .announce(slot: term.slot, token: term.token, value: value(&client.random)),
                within: nil, world: world)
            state = .announcing(call, term, announcesLeft: left - 1)
        case .leading(let term, _, _):
            world.exclusion.letGo(.slot(term.slot, place: term.place), by: client)
            if let standby = world.handOvers?.next(of: term.slot, order: world.order) {
                let call = client.call(
                    .handOver(slot: term.slot, token: term.token, to: standby), within: nil,
                    world: world)
                state = .handingOver(call, term)
            } else {
                resign(term, client, world: world)
            }
        case .announcing, .resigning, .handingOver, .ending:
            break
        }
    }

    private func resign(_ term: Term, _ client: ClientProcess, world: ClientWorld) {
        let call = client.call(
            .resign(slot: term.slot, token: term.token), within: nil, world: world)
        state = .resigning(call, term.slot)
    }

    private func value(_ random: inout SeededRandom) -> [UInt8] {
        Array(repeating: UInt8(random.below(256)), count: Int(random.below(60)))
    }

    private func campaign(by client: ClientProcess, at now: Moment, world: ClientWorld) {
        let slot = world.name(from: world.slotNames, &client.random)
        let isBounded = client.random.chance(perMille: 300)
        let losesPatience = client.random.chance(perMille: 200)
        let call = client.call(
            .campaign(
                slot: slot, value: value(&client.random),
                places: world.leaderPlaces?.next(for: slot)),
            within: isBounded ? world.pause(&client.random) : nil, world: world)
        state = .waiting(
            Candidacy(
                call: call, slot: slot,
                newestBefore: world.exclusion.newestToken(of: .slot(slot)),
                cancelAt: losesPatience
                    ? now.advanced(by: world.pause(&client.random)) : .never))
    }

    func answered(
        _ answer: ClientCore.Answer, to call: CallID, _ client: ClientProcess, world: ClientWorld
    ) throws(Violation) {
        switch state {
        case .waiting(let candidacy) where candidacy.call == call:
            try answered(answer, candidacy, client, world: world)
        case .announcing(call, let term, let left):
            try world.expectLettingGo(answer, of: term.slot)
            lead(term, announcesLeft: left, client, world: world)
        case .resigning(call, let slot):
            try world.expectLettingGo(answer, of: slot)
            rest(client, world: world)
        case .handingOver(call, let term):
            try handedOver(answer, term, client, world: world)
        default:
            throw Violation(.exactlyOnce, "call \(call.number) was answered twice: \(answer)")
        }
    }

    private func answered(
        _ answer: ClientCore.Answer, _ candidacy: Candidacy, _ client: ClientProcess,
        world: ClientWorld
    ) throws(Violation) {
        switch answer {
        case .reply(.elected(let term)):
            guard term.slot == candidacy.slot else {
                throw Violation(.exactlyOnce, "asked for \(candidacy.slot), elected \(term)")
            }
            try world.checkPlace(of: term)
            let announces = Int(client.random.below(3))
            lead(term, announcesLeft: announces, client, world: world)
            try world.exclusion.granted(
                .slot(term.slot, place: term.place), to: client, mode: .exclusive,
                token: term.token, newestBefore: candidacy.newestBefore)
        case .reply, .report:
            throw Violation(.exactlyOnce, "asked for \(candidacy.slot), answered \(answer)")
        case .failed(.refused(let refusal))
        where refusal.code == .invalid && world.leaderPlaces?.mayBeRefused == true:
            rest(client, world: world)
        case .failed(let failure):
            try world.expectHarmless(failure, of: candidacy.slot)
            rest(client, world: world)
        }
    }

    /// Who was named may not stand by any more, or would wait for itself: then it still leads.
    private func handedOver(
        _ answer: ClientCore.Answer, _ term: Term, _ client: ClientProcess, world: ClientWorld
    ) throws(Violation) {
        if case .failed(.refused(let refusal)) = answer,
            refusal.code == .refused || refusal.code == .deadlock
        {
            return resign(term, client, world: world)
        }
        try world.expectLettingGo(answer, of: term.slot)
        rest(client, world: world)
    }

    private func lead(
        _ term: Term, announcesLeft: Int, _ client: ClientProcess, world: ClientWorld
    ) {
        let now = world.timeline.now
        let until = isFinishing ? now : now.advanced(by: world.holdingTime(&client.random))
        state = .leading(term, until: until, announcesLeft: announcesLeft)
    }

    private func rest(_ client: ClientProcess, world: ClientWorld) {
        let now = world.timeline.now
        state = .idle(until: isFinishing ? now : now.advanced(by: world.pause(&client.random)))
    }
}
