package import ConclaveBase

/// One machine: its clocks, its disk, and the daemon that runs on it, if any.
package final class SimulatedHost<Daemon: SimulatedDaemon> {
    package let index: Int
    package let node: NodeID
    package let inbox: Inbox
    package let disk: SimulatedDisk
    package internal(set) var clock: SimulatedClock
    package internal(set) var member: Member
    package internal(set) var daemon: Daemon?
    package internal(set) var hasPower = true
    package internal(set) var bootCount = 0
    package internal(set) var startCount = 0
    /// While it is longer than nothing: the next turn is held back in its middle for so long.
    package var pauseInTurn = Interval.zero
    /// Nothing runs on it before.
    package internal(set) var suspendedUntil = Moment.start
    /// It was asked to leave in good order and has not ended yet.
    package var isLeaving = false
    /// Nobody starts a daemon here now.
    package var isRetired = false
    /// Its disk was replaced by an empty one at some time.
    package var wasErased = false
    /// How often its daemon was started before what was on its disk was damaged last, if it was.
    package var damagedAtStart: Int?
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
