import ConclaveBase
import ConclaveClientCore

/// What a simulated process does with the client library, over and over, until it is told to come
/// to an end.
protocol ClientProgram: AnyObject {
    /// It only follows something, without a session.
    var isFollower: Bool { get }
    /// It may wait for what only certain others do.
    var needsOthers: Bool { get }
    /// When it wants to do something by itself.
    var nextAct: Moment { get }
    func act(_ client: ClientProcess, at now: Moment, world: ClientWorld) throws(Violation)
    func answered(
        _ answer: ClientCore.Answer, to call: CallID, _ client: ClientProcess, world: ClientWorld
    ) throws(Violation)
    func event(
        _ answer: ClientCore.Answer, of call: CallID, _ client: ClientProcess, world: ClientWorld
    ) throws(Violation)
    /// Nothing new is begun any more; what is held is let go, what is awaited given up, and the
    /// session ended.
    func finish(at now: Moment)
}

extension ClientProgram {
    var isFollower: Bool { false }

    var needsOthers: Bool { false }

    func event(
        _ answer: ClientCore.Answer, of call: CallID, _ client: ClientProcess, world: ClientWorld
    ) throws(Violation) {
        // A subscription that ended with its session.
        if case .failed = answer { return }
        throw Violation(.exactlyOnce, "an event of call \(call.number), which is no subscription")
    }
}
