package import ConclaveBase
import ConclaveWire

/// Hard bounds of the replicated state. They decide what is refused, so they must be the same on
/// all members.
package struct Quotas: Hashable, Sendable {
    package var sessions = 10_000
    package var sessionsPerUID = 1_000
    /// Locks, leader slots, barriers, latches, keys, leases and task groups together.
    package var objects = 1_000_000
    package var waitersPerObject = 10_000
    /// Locks that nobody has any more of which it is remembered that their last holder was lost.
    package var rememberedEnds = 10_000
    /// Requests that wait within one task, whoever makes them.
    package var waitsPerTask = 2_048
    /// Steps of the search for a cycle of waiting that a request would close: so many holders,
    /// waiters or waits, or about 900 tasks that wait. One that would have to look at more waits.
    package var deadlockSteps = 16_384
    /// Steps of all such searches of one command together: one that lets go of much may have many wait for
    /// something else.
    package var deadlockStepsPerCommand = 65_536
    /// Locks and leader slots that one session holds or awaits. Its end gives them up at one
    /// version, and the group stands still as long: 0.25 s at this bound.
    package var claimsPerSession = 100_000
    /// The same of all sessions of one user, who may end them all at once. As with keys and barriers,
    /// root is bound by what there is for all.
    package var claimsPerUID = 100_000
    /// Barriers that processes of one user came to first.
    package var barriersPerUID = 10_000
    /// Leaders' and candidates' values, barrier payloads and the values of keys together.
    package var valueByteCount = 256 << 20
    /// Values of keys that processes of one user have put; the same for what its leaders and candidates
    /// announce, and for payloads at barriers that its processes came to first.
    package var valueByteCountPerUID = 64 << 20
    /// Keys that processes of one user have put: they outlive those.
    package var keysPerUID = 200_000
    /// Leases that processes of one user were granted: they outlive those.
    package var leasesPerUID = 100_000
    /// Latches that processes of one user named first: they outlive those.
    package var latchesPerUID = 10_000
    /// Keys that go with one session, all at one version.
    package var ephemeralKeysPerSession = 10_000
    /// Changes of keys that are kept for those who read or watch from an earlier version, and the
    /// bytes that only they hold.
    package var keyHistoryCount = 65_536
    package var keyHistoryByteCount = 32 << 20
    /// What happened to locks, leader slots, barriers and leases is kept so far back: so many things
    /// together, so many of one object, and their bytes.
    package var historyCount = 65_536
    package var historyCountPerObject = 1_024
    package var historyByteCount = 16 << 20
    package var membersPerGroup = ClientLimits.groupMembers
    /// Groups that one session belongs to: each has a view without it at the version that ends it.
    package var groupsPerSession = 1_000
    /// Barriers at which members of one group wait for each other, and members that these name
    /// together: who leaves the group is looked for at all of them, at one version.
    package var barriersPerGroup = 1_000
    package var barrierNamesPerGroup = 8_192
    /// Views and messages of one group that are kept for those who are behind, and their bytes.
    package var groupLogCount = 4_096
    package var groupLogByteCount = 4 << 20
    /// Members and logs of all groups together, and what processes of one user have brought.
    package var groupByteCount = 128 << 20
    package var groupByteCountPerUID = 32 << 20
    /// Groups that nobody belongs to any more whose last views are kept.
    package var desertedGroups = 1_024
    /// Waiting requests and unconfirmed replies of one session. What lets go of something is taken
    /// up to twice that; beyond it nothing is kept, and every request is refused for good.
    package var requestsPerSession = ClientLimits.requestsInFlight
    /// What such replies of one session name, and the values that they bring, in bytes; of a request
    /// that waits, what its reply may. What lets go of something is taken beyond it.
    package var replyByteCountPerSession = 4 << 20
    /// The same of all sessions of one user.
    package var replyByteCountPerUID = 64 << 20
    /// Sessions that ended are remembered for `endedFor`, but not more of them than `ended`, with
    /// not more replies than `endedReplies` together, and not more bytes of these.
    package var endedFor = Interval.seconds(600)
    package var ended = 10_000
    package var endedReplies = 65_536
    package var endedReplyByteCount = 64 << 20
    /// How many entries of a list one row of a snapshot takes; states are compared by their rows.
    package var entriesPerRow = 128
    package var maximumTTL = Interval.seconds(3_600)

    package init() {}
}
