import ConclaveBase
import ConclaveClientCore
import ConclaveWire

/// Arrives at a barrier with the others, over and over.
final class PartyProgram: ClientProgram {
    private enum State {
        case idle(until: Moment)
        case waiting(CallID, payload: [UInt8], cancelAt: Moment)
        case ending
    }

    private let name: ObjectName
    private let parties: UInt32
    private let rank: UInt32?
    private var state: State
    private var isFinishing = false

    init(name: ObjectName, parties: UInt32, rank: UInt32?, firstActAt moment: Moment) {
        self.name = name
        self.parties = parties
        self.rank = rank
        state = .idle(until: moment)
    }

    var needsOthers: Bool { true }

    var nextAct: Moment {
        switch state {
        case .idle(let until): until
        case .waiting(_, _, let cancelAt): cancelAt
        case .ending: .never
        }
    }

    func finish(at now: Moment) {
        isFinishing = true
        switch state {
        case .idle: state = .idle(until: now)
        case .waiting(let call, let payload, let cancelAt):
            state = .waiting(call, payload: payload, cancelAt: min(cancelAt, now))
        case .ending: break
        }
    }

    func act(_ client: ClientProcess, at now: Moment, world: ClientWorld) {
        switch state {
        case .idle:
            if isFinishing {
                state = .ending
                client.goodbye(world: world)
            } else {
                arrive(by: client, at: now, world: world)
            }
        case .waiting(let call, let payload, _):
            client.cancel(call, world: world)
            state = .waiting(call, payload: payload, cancelAt: .never)
        case .ending:
            break
        }
    }

    private func arrive(by client: ClientProcess, at now: Moment, world: ClientWorld) {
        world.arrivalCount += 1
        var writer = ByteWriter()
        writer.integer(world.arrivalCount)
        let isBounded = client.random.chance(perMille: 300)
        let losesPatience = client.random.chance(perMille: 100)
        let call = client.call(
            .arrive(
                BarrierArrival(name: name, parties: parties, rank: rank, payload: writer.bytes)),
            within: isBounded ? world.pause(&client.random) * 4 : nil, world: world)
        let cancelAt = now.advanced(by: world.pause(&client.random) * 4)
        state = .waiting(
            call, payload: writer.bytes, cancelAt: losesPatience ? cancelAt : .never)
    }

    func answered(
        _ answer: ClientCore.Answer, to call: CallID, _ client: ClientProcess, world: ClientWorld
    ) throws(Violation) {
        guard case .waiting(call, let payload, _) = state else {
            throw Violation(.exactlyOnce, "call \(call.number) was answered twice: \(answer)")
        }
        switch answer {
        case .reply(.tripped(let result)):
            try world.barriers.tripped(result, payload: payload, parties: parties)
        case .reply(.broken(let report)):
            try world.barriers.broken(report)
        case .reply, .report:
            throw Violation(.exactlyOnce, "arrived at \(name), answered \(answer)")
        case .failed(let failure):
            try world.expectHarmless(failure, of: name)
        }
        let now = world.timeline.now
        state = .idle(until: isFinishing ? now : now.advanced(by: world.pause(&client.random)))
    }
}
