import ConclaveBase

/// One machine: its clocks, its disk, and the daemon that runs on it, if any.
final class SimulatedHost<Daemon: SimulatedDaemon> {
    let index: Int
    let node: NodeID
    let inbox: Inbox
    let disk: SimulatedDisk
    var clock: SimulatedClock
    var member: Member
    var daemon: Daemon?
    var hasPower = true
    var bootCount = 0
    var startCount = 0
    /// While it is longer than nothing: the next turn is held back in its middle for so long.
    var pauseInTurn = Interval.zero
    /// Nothing runs on it before.
    var suspendedUntil = Moment.start
    /// It was asked to leave in good order and has not ended yet.
    var isLeaving = false
    /// Nobody starts a daemon here now.
    var isRetired = false
    /// Its disk was replaced by an empty one at some time.
    var wasErased = false
    /// What was done to what was on its disk, until its daemon has made up for it.
    var damage: Damage?
    /// The newest segment that its daemon has recorded, or should have.
    var recordedSegment = ""
    /// The segment that was written to at the end of the last turn.
    var writtenSegment = ""
    /// How many segments had lost their names then.
    var lostSegmentCount = 0
    /// What was on its disk is there, or its daemon has made up for it.
    var isIntact: Bool { !wasErased && damage == nil }
    var fabric: SimulatedFabric
    /// Makes overtaken starts stale.
    var startStamp: UInt32 = 0

    init(
        index: Int, node: NodeID, inbox: Inbox, disk: SimulatedDisk, clock: SimulatedClock,
        fabric: SimulatedFabric
    ) {
        self.index = index
        self.node = node
        self.inbox = inbox
        self.disk = disk
        self.clock = clock
        self.fabric = fabric
        member = Member(node: node, incarnation: Incarnation(0))
    }
}
