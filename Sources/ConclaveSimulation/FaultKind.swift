/// What can go wrong, by the names that `--faults` takes.
package enum FaultKind: String, Sendable, CaseIterable {
    /// A daemon's process is killed, and starts again after a while.
    case kill
    /// A host loses power.
    case power
    /// All daemons, or hosts, or all but one.
    case killAll, powerAll
    /// A process does not run for a while, at any point of its turn; its clock goes on.
    case pause
    /// The hosts fall into two parts.
    case partition
    /// One direction between two hosts is cut.
    case oneWay
    /// Two hosts cannot reach each other.
    case cutPair
    /// One host reaches nobody, or nobody reaches it, or both.
    case isolate
    /// A connection is reset.
    case reset
    /// A direction becomes slow.
    case slow
    /// Two hosts lose and find each other quickly.
    case flap
    /// A disk does nothing for a while.
    case stall
    /// A sync fails: the daemon must end.
    case failedSync
    /// A disk has no room for new files, nor for old ones to grow.
    case fullDisk
    /// What was synced comes back changed, or not at all: a few sectors of one host's journal, of
    /// both copies of its view journal, or a whole file that is deleted while the daemon is down.
    case rot, unreadable, loseFile
    /// What was synced last to one host's journal comes back changed, and the host loses power.
    case rotNewest
    /// A wall clock jumps.
    case wallClock
    /// A daemon leaves in good order and comes back.
    case leave
    /// A host comes back with an empty disk.
    case erase
    /// The disk that a host had before it got an empty one is put back.
    case olderDisk
    /// Another machine has a member's number, and takes its connections for a moment. It says nothing
    /// more than who it is.
    case namesake
    /// Row writes get lost though their connection goes on: nothing that a transport does, but
    /// something that V5 has to notice.
    case loseRows
    /// A client process dies, hangs, or ends its work.
    case clientKill, clientPause, clientQuit
    /// A client's socket breaks though both ends live.
    case clientCut
    /// Somebody sends a daemon what it was never meant to get.
    case clientGarbage
    /// An operator adds machines to the group, removes and replaces them.
    case members
    /// A majority of the members is lost for good, with their disks, and an operator has one that is
    /// left go on without them.
    case loseMajority
    /// Another process resumes a client's session (K7), on its host or on another one.
    case clientTakeover
    /// A bit of one member's state flips in its memory.
    case corrupt
    /// A host sleeps, its daemon and its clients at once; its clocks go on.
    case suspend
}
