import ConclaveBase
import ConclaveClientCore
import ConclaveWire

/// Enters with another and leaves with it, as the library does: joins a group, arrives with its
/// token, and leaves at a barrier of those who entered.
final class DoubleBarrierProgram: ClientProgram {
    private enum State {
        case outside
        case joining(CallID)
        case joined(FencingToken)
        case entering(CallID, FencingToken)
        case inside(FencingToken, generation: UInt64)
        case leaving(CallID, FencingToken, generation: UInt64)
        case left(FencingToken)
        case parting(CallID)
    }

    static let parties: UInt32 = 2

    private var actAt: Moment
    private var isFinishing = false
    private var state = State.outside

    init(firstActAt moment: Moment) {
        actAt = moment
    }

    var needsOthers: Bool { true }

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
        let group = world.name("phase/inside")
        switch state {
        case .outside:
            state = .joining(
                client.call(.joinGroup(GroupJoin(name: group)), within: nil, world: world))
        case .joined(let token):
            var writer = ByteWriter()
            writer.integer(token.number)
            let arrival = BarrierArrival(
                name: world.name("phase/enter"), parties: Self.parties, payload: writer.bytes)
            let wait = client.random.chance(perMille: 100) ? world.pause(&client.random) * 4 : nil
            state = .entering(client.call(.arrive(arrival), within: wait, world: world), token)
        case .inside(let token, let generation):
            world.doubleBarriers.leaves(token)
            let arrival = BarrierArrival(
                name: world.name("phase/leave/\(generation)"),
                group: BarrierGroup(
                    group, among: world.doubleBarriers.inside(generation)),
                member: token)
            state = .leaving(
                client.call(.arrive(arrival), within: nil, world: world), token,
                generation: generation)
        case .left(let token):
            state = .parting(
                client.call(
                    .leaveGroup(name: group, member: token), within: nil, world: world))
        case .joining, .entering, .leaving, .parting: break
        }
        actAt = now.advanced(by: world.pause(&client.random))
    }

    // MARK: - Answers

    func answered(
        _ answer: ClientCore.Answer, to call: CallID, _ client: ClientProcess, world: ClientWorld
    ) throws(Violation) {
        switch (state, answer) {
        case (.joining, .reply(.joined(let joined))): state = .joined(joined.token)
        case (.joining, .failed): state = .outside
        case (.entering(_, let token), .reply(.tripped(let result))):
            try world.doubleBarriers.entered(result)
            state = .inside(token, generation: result.generation)
        case (.entering(_, let token), .reply(.broken)), (.entering(_, let token), .failed):
            state = .left(token)
        case (.leaving(_, let token, let generation), .reply(.tripped(let result))):
            try world.doubleBarriers.left(
                result, generation: generation,
                members: world.members(of: world.name("phase/inside")))
            state = .left(token)
        case (.leaving(_, let token, _), .reply(.broken)), (.leaving(_, let token, _), .failed):
            state = .left(token)
        case (.parting, _): state = .outside
        default: throw Violation(.exactlyOnce, "\(state) was answered \(answer)")
        }
    }
}
