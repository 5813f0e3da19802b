/// A bug planted on purpose, so that the simulator can show that it would be found. Settings carry
/// one only in the simulator; a daemon never has one.
public enum Plant: String, CaseIterable, Sendable {
    /// V8: a message is acknowledged when it arrives, not when it is synced.
    case acknowledgeBeforeSync
    /// V17: the trim is the maximum of those who lived through the epoch, and nothing is sent.
    case trimByMaximum
    /// V2: rows are written to a peer that has not said `ready`.
    case rowsBeforeReady
    /// V16: a value accepted at a lower ballot is forgotten when a higher one is promised.
    case forgetAcceptedValue
    /// V15: a wedged member goes on echoing heartbeats.
    case echoWhileWedged
    /// V4: a slot is reused before everybody has delivered what was in it.
    case reuseSlotEarly
    /// K4: others do not wait for the old validity to end.
    case grantBeforeValidityEnds
    /// V20, K2: an expiry that was not delivered is sent again in the next epoch.
    case resendExpiry
    /// V5: a message that looks like a null, since it was lost, is passed.
    case deliverPastFalseNull
    /// V13: a member without an intact view journal votes.
    case blankMemberVotes
    /// V14: a restarted member has forgotten which ballots it promised.
    case ballotReusedAfterRestart
    /// V18: the silence vouched for is taken as endless.
    case silenceIgnored
    /// V26: an empty state is proposed when only a majority has none.
    case emptyStateByMajority
    /// What is applied takes the time from the own clock, not from the message.
    case localTime
    /// A digest is made of the state as it is later, not of the version that it is told for.
    case digestAtAnotherVersion
    /// A state in the minority goes on.
    case differingStateGoesOn
    /// V19: a view is taken for decided when a majority of *its* members has accepted it.
    case quorumOfNewView
    /// V22: a joiner is let in before it is level.
    case joinerNotLevel
    /// V23: a node that the list does not name is taught and let in.
    case strangerLetIn
    /// C1: the asker of a change of the list is told that it is done when the next view comes, whatever
    /// list that has.
    case changeTakenForDone
    /// C1: a change of the list that was made stays wanted, and is made again when it is undone.
    case changeStaysWanted
    /// The list of the file is proposed, not that of the present view.
    case listFromFile
    /// K10: a request that is cancelled stays in its queue.
    case cancelLeavesWaiter
    /// C8: when a waiter goes, those behind it who could go in stay where they are.
    case leavingWaiterStopsQueue
    /// C8: when a semaphore gets a higher limit, those who wait stay where they are.
    case limitServesNobody
    /// C8: a request that closes a cycle of waiting waits.
    case deadlockWaits
    /// C8: a request for several locks waits for itself where it has come to.
    case setWaitsForItself
    /// C8: who waits for permits is taken to wait for all who hold some.
    case everyPermitBlocks
    /// C8: when a lock is shared that was held alone, those who wait stay where they are.
    case downgradeServesNobody
    /// C6: who has a lock alone that was shared keeps the token that it had.
    case upgradeKeepsToken
    /// K4: a lock is opened as soon as its holder was lost, whatever delay that had asked for.
    case lockDelayIgnored
    /// How a lock was lost is forgotten when nobody waits for it.
    case lossForgotten
    /// C3: the history leaves out how locks are lost.
    case historySkipsLoss
    /// C3: the history leaves out changes of a semaphore's limit.
    case historySkipsLimits
    /// C3: who held something at a moment that is past is told as who holds it now.
    case historyHoldersOfNow
    /// C5: whoever is elected when another leader goes has the first place, whoever else has it.
    case placeGivenTwice
    /// C5: a lease ends at the time that its first grant said, however often it is renewed.
    case renewalIgnored
    /// C6: whoever a lease is transferred to has it under the old holder's token.
    case transferKeepsToken
    /// C5: leases go on when the history that granted them is given up.
    case leasesOutliveHistory
    /// C5: the time of a lease runs on when it is renewed.
    case leaseClockKept
    /// K6: an administrator's force ends a session at once, whatever its holder believes.
    case forcedAtOnce
    /// K6: a daemon says that a session is withdrawn that an administrator ends, and has not done it.
    case forcedNotWithdrawn
    /// C8: a daemon withdraws a session that an administrator ends, and does not say so.
    case forcedNotOrdered
    /// C8: nobody times a lease that was learned with the state.
    case learnedLeaseUntimed
    /// C8: a leader hands over to a standby that waits for itself then.
    case handOverClosesCycle
    /// C5: a leader hands over to the standby whose turn it is, whichever it has named.
    case handOverToFirst
    /// K9: an open that comes again opens a second session.
    case openTwice
    /// K7: a process that resumes another one's session has it at once.
    case takeOverAtOnce
    /// C7: of a generation that breaks the first party is not told.
    case breakUntold
    /// Observers are not told when nobody leads any more.
    case vacancyUntold
    /// V26: a state from a snapshot grants, though old holders may not be over.
    case snapshotGrants
    /// C3: a goodbye is answered before the group has ended the session.
    case goodbyeAnsweredEarly
    /// K3: a session is shown to be valid for its full ttl.
    case fullTTLShown
    /// V20: what a session wanted is proposed anew in the wrong order.
    case anewBackwards
    /// V13: a member that set its journal aside votes before it has joined a view.
    case setAsideMemberVotes
    /// V30: what was synced and is bad at the end of the journal is cut off, as if it had never been
    /// written whole.
    case cutOffSyncedTail
    /// V30: a write that no sync has covered, and that a crash left unfinished, is taken for damage.
    case holeIsDamage
    /// V29: what a file holds of the segment that it was before is taken for new.
    case staleBatchIsNew
    /// V31: a member whose disk is full acknowledges all the same.
    case acknowledgeOnFullDisk
    /// V27: sessions go on though the history that they were in was given up.
    case sessionsOutliveHistory
    /// V26: what begins where a history was given up grants at once.
    case givenUpHistoryGrants
    /// V15: a promise says what was received before all of it is synced.
    case frozenBeforeSync
    /// V8: with a sync everything received counts as synced, also what was written after it began.
    case markPastBatch
    /// V19: an acceptance is told before its record is synced.
    case acceptedBeforeSync
    /// K9: what is held for a client that does not read is not told when it reads again.
    case heldForgotten
    /// C7: of the barriers that a session waits at, only one breaks with its end.
    case oneBarrierBreaks
    /// K7: what the daemon's run before this one has shown counts for nothing when a session that was
    /// just resumed is wanted by another process.
    case shownBeforeForgotten
    /// K7: and so for a session that the daemon learns of with a whole state.
    case learnedShownForgotten
    /// K7: the connection of a process that has lost its session to another one stays bound to it.
    case lostSessionStaysBound
    /// K7: a session that its own process resumes while it is given up for another one ends at once,
    /// whatever was shown before.
    case resumedEndsEarly
    /// V16: who has promised a ballot waits for its coordinator for ever.
    case promisedForEver
    /// V15: the next view waits for all members of this one, not for a majority.
    case waitsForAll
    /// A removed member goes when one of the others knows so.
    case farewellToOne
    /// A state that half of the members do not have is told to others, and written down.
    case dividedIsTold
    /// The mark that questions wait for is lost with its epoch, and not made again.
    case markNotMadeAnew
    /// C3: a mark is passed though no majority says that the epoch goes on.
    case markWithoutEcho
    /// C3: a mark is passed though not everything that was received before it is applied.
    case markBeforeDelivery
    /// V22: a member that was sent a state as a whole does not say that it has another one.
    case snapshotUntold
    /// The member that is told to have a wrong state is the next one in the view.
    case neighbourAccused
    /// A transaction happens whatever its compares find.
    case compareIgnored
    /// A key that goes with a session stays when that ends.
    case keyOutlivesSession
    /// A watch that is resumed begins with what changes from then on.
    case resumedWatchSkips
    /// A read is answered from the own copy before it is known to be new enough.
    case readAnsweredEarly
    /// V26: after a loss of state grants wait for the longest ttl of the own file, not the group's.
    case waitsForOwnLongestTTL
    /// V30: that there is a new segment is recorded with the next promise or view only.
    case segmentNotRecorded
    /// V30: a segment is removed before it is recorded that nothing of it is needed.
    case removedBeforeRecorded
    /// C5: the end of a lease is proposed when its time has passed on the own clock, which may be fast.
    case leaseEndsAtTTL
    /// C8: a member that has lost what all others have delivered is waited for.
    case lossWaitedFor
    /// V29: the segment with the newest synced batch is given up as soon as a snapshot covers it.
    case newestGivenUp
    /// V30: a batch that does not follow the last one of the segment before is taken for the next.
    case gapIsNext
    /// V31: what a start has read back is synced and not written again, though a failed sync may have
    /// left it in the page cache alone.
    case recoveredNotRewritten
    /// V28: what goes on alone does so in the era that others may have used.
    case sameEraAlone
    /// A member of a task group stays when its session ends.
    case memberOutlivesSession
    /// A member founds a group's state although another one has it.
    case foundsBesideHolder
    /// A newcomer adopts what a member that is gone has handed it, though somebody began anew since.
    case staleStateAdopted
    /// A newcomer goes on from where it joined, not from where its state ends.
    case adopterStartsEarly
    /// A member that follows its group anew is told what happens from then on.
    case resumedMemberSkips
    /// A latch vanishes when it opens: whoever comes later waits for another one.
    case openLatchForgotten
    /// Of those who wait for a latch the last one is not told that it is open.
    case latchWaiterUntold
    /// C7: a member that is gone from its group is still awaited at the group's barriers.
    case departureAwaited
    /// C7: a barrier of some members of a group awaits all of them.
    case namedAreAll
    /// K6: what a process is to be stopped for is given away before that can have happened.
    case stopNotWaitedFor
    /// C5: a daemon at which a session is resumed does not know what its process is to be stopped for.
    case resumedNotStopped
}
