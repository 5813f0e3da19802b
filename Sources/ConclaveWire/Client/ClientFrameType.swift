/// What a frame between client and daemon is about; a reply carries its request's type.
package enum ClientFrameType: UInt16, Sendable, CaseIterable {
    case hello = 1
    case open = 2
    case resume = 3
    case goodbye = 4
    case confirm = 5
    case cancel = 6
    /// Event without a request: whether this daemon serves now, and if not, why.
    case serving = 7
    /// Event without a request: the session is over, and why.
    case sessionEnded = 8
    /// Event without a request: the client is asked to let go of something.
    case letGo = 9

    case acquire = 16
    case release = 17
    case limit = 18
    /// Of a held lock: from exclusive to shared, and back.
    case downgrade = 19
    case upgrade = 20
    /// Several locks as one, and letting go of them.
    case acquireAll = 21
    case releaseAll = 22

    case campaign = 32
    case announce = 33
    case resign = 34
    /// Subscribes to a slot: the present state as a reply, then each change as an event.
    case observeLeader = 35
    /// From the leader to a standby that it names.
    case handOver = 36

    case arrive = 48

    case status = 64
    case members = 65
    /// Known views; with `follow`, later ones as events.
    case views = 66
    case locks = 67
    case why = 68
    /// Ends the subscription whose request number is in the body.
    case unsubscribe = 69
    /// A page of sessions; the reply is a `SessionPage`.
    case sessions = 70
    /// What happened to the objects of a name, a page at a time; the reply is a `HistoryReport`.
    case history = 71

    /// Administration: a machine more in the member list, or one less. The reply is the epoch of
    /// the view since which it is so.
    case addMember = 80
    case removeMember = 81
    /// Administration: go on without the members that are gone. The body is the lowest era that
    /// versions may go on in, the reply a `RecoverReport`.
    case recover = 82
    /// Administration: ask a session to let go of something, or end it.
    case revoke = 83

    /// Administration: something goes wrong at this daemon for a while, or nothing any more. The reply is
    /// empty.
    case disturb = 84

    /// Changes keys of the configuration, all at one version or none.
    case transact = 96
    /// Asks for one key, or a page of those with a prefix; the reply is a `KeyReport`.
    case readKeys = 97
    /// Subscribes to a key or a prefix: `KeyNews`, the first as a reply, then as events.
    case watchKeys = 98

    /// Grants, renews, releases or transfers a lease.
    case lease = 112
    /// Asks for one lease, or a page of those with a prefix; the reply is a `LeasePage`.
    case readLeases = 113

    /// Makes the session a member of a task group, and ends that.
    case joinGroup = 128
    case leaveGroup = 129
    /// Ends the membership of another session.
    case evictMember = 130
    /// A message to all members.
    case sendToGroup = 131
    /// Subscribes to a group: `GroupNews`, the first as a reply, then as events.
    case followGroup = 132
    /// Hands a part of the group's state to a member that wants it.
    case provideState = 133
    /// Says that the session has the group's state.
    case adoptState = 134

    /// Counts a latch down, waits until it is open, or removes it.
    case latch = 144
    /// Asks for one latch, or a page of those with a prefix; the reply is a `LatchPage`.
    case readLatches = 145
}
