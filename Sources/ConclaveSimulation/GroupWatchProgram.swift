import ConclaveBase
import ConclaveClientCore
import ConclaveWire

/// Follows a task group from outside, without a session, and knows by that who belongs to it.
final class GroupWatchProgram: ClientProgram {
    private var tracker: GroupTracker
    private var subscription: CallID?
    private var actAt: Moment
    private var isFinishing = false
    private var newestBefore = Version.zero

    init(_ follow: GroupFollow, firstActAt moment: Moment) {
        tracker = GroupTracker(follow)
        actAt = moment
    }

    var isFollower: Bool { true }

    var nextAct: Moment { actAt }

    func finish(at now: Moment) {
        isFinishing = true
        actAt = now
    }

    func checkIsTold(upTo version: Version, world: ClientWorld) throws(Violation) {
        try tracker.checkIsTold(upTo: version, world: world)
    }

    func act(_ client: ClientProcess, at now: Moment, world: ClientWorld) {
        actAt = .never
        if isFinishing { return client.goodbye(world: world) }
        guard subscription == nil else { return }
        newestBefore = world.newestAcknowledged
        subscription = client.query(.followGroup(tracker.follow), within: nil)
    }

    func answered(
        _ answer: ClientCore.Answer, to call: CallID, _ client: ClientProcess, world: ClientWorld
    ) throws(Violation) {
        try event(answer, of: call, client, world: world)
        guard let last = tracker.last, last < newestBefore else { return }
        throw Violation(
            .nothingLost,
            "a follower begins at version \(last.counter), but \(newestBefore.counter) was "
                + "acknowledged before it asked")
    }

    func event(
        _ answer: ClientCore.Answer, of call: CallID, _ client: ClientProcess, world: ClientWorld
    ) throws(Violation) {
        guard subscription == nil || call == subscription else {
            throw Violation(.exactlyOnce, "an event of call \(call.number): \(answer)")
        }
        world.trace { "client \(client.index) follows \(tracker.follow.name): \(answer)" }
        _ = try tracker.take(answer, world: world)
    }
}
