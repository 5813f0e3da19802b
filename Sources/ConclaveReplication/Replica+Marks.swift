import ConclaveBase
import ConclaveGroup

extension Replica {
    /// Tells `marked(upTo: number)` when everything that was acknowledged anywhere before this call is
    /// applied here. It is lost with the epoch: whoever asks, asks again when the next view is told.
    ///
    /// - Precondition: `number` is larger than in any call before.
    package func mark(_ number: UInt64) {
        guard isServing else { return }
        epoch?.marks.want(number)
    }

    /// After what this turn has delivered, and before it sends.
    func passMarks(in state: EpochState, now: Instant) {
        guard !state.marks.isEmpty else { return }
        state.marks.confirm { heartbeat in
            state.pulse.isConfirmed(heartbeat) || settings.plant == .markWithoutEcho
        }
        let passed =
            settings.plant == .markBeforeDelivery
            ? state.marks.passAll() : state.marks.pass(order.delivered)
        if let passed, !order.isDivided { tell(mark: passed) }
        guard state.marks.needsHeartbeat else { return }
        state.pulse.beat(now: now, wallClock: wallClock)
        let vector = state.view.members.indices.map { sender in
            state.multicast.acknowledged(by: state.own.index, of: sender)
        }
        state.marks.begin(at: state.pulse.heartbeat, acknowledged: vector)
        // Who is a majority by itself waits for nobody.
        if state.view.quorum == 1 { passMarks(in: state, now: now) }
    }

    // Not inlined, like `tell`.
    @inline(never)
    private func tell(mark number: UInt64) { tell(.marked(upTo: number)) }
}
