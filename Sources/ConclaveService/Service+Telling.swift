package import ConclaveBase
package import ConclaveCoordination

/// What connections are told when they take it and the turn has room: what is held for them, answers
/// to what they read, and news of what they watch and follow.
extension Service {
    /// Whether `tellMore` may have something to tell.
    // Inlined, like `nextTick`.
    @inline(__always)
    package var mayTellMore: Bool {
        !heldLine.isEmpty || !reads.line.isEmpty || !keyWatchers.isStill
            || !groupFollowers.line.isEmpty || !leaderObservers.line.isEmpty
    }

    /// Called once a turn; returns whether more can be told at once. Each kind has a share of what one
    /// turn tells, and what the one before it has left.
    package mutating func tellMore(
        machine: Coordinator, now: Instant, effects: inout [ServiceEffect]
    ) -> Bool {
        let share = settings.toldByteCountOfTurn / 5
        var left = share
        tellHeld(&left, effects: &effects)
        left = max(left, 0) + share
        answerReads(&left, machine: machine, now: now, effects: &effects)
        left = max(left, 0) + share
        if !keyWatchers.isStill { tellThoseBehind(&left, machine: machine, effects: &effects) }
        left = max(left, 0) + share
        tellGroupFollowers(&left, machine: machine, effects: &effects)
        left = max(left, 0) + share
        tellLeaderObservers(&left, machine: machine, effects: &effects)
        return mayTellMore
    }
}
