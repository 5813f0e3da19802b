package import ConclaveBase

/// What the group core tells the world about itself.
///
/// The one list of what can be observed: the node turns each case into a log line, a test compares
/// them, the simulator prints them.
package enum GroupEvent: Equatable, Sendable {
    /// `late`: by how much the accuser's own loop was late when it judged.
    case suspected(NodeID, reason: DepartureReason, silent: Interval, late: Interval)
    /// Its last suspicions were wrong: it keeps this one to itself for a while (V12).
    case suspicionHeld(NodeID, reason: DepartureReason, pause: Interval)
    case accused(by: NodeID, whom: NodeID, reason: DepartureReason, silent: Interval)
    case wedged(Epoch)
    case promised(Epoch, Ballot)
    /// This member asks for acceptance of `value`, after it was promised the ballot by a quorum.
    indirect case proposed(Ballot, value: NextView)
    case accepted(Epoch, Ballot)
    case overtaken(Epoch, by: Ballot)
    indirect case installed(InstalledView)
    /// The member list that came with a view, and what was changed in it.
    indirect case listed(MemberList, in: Epoch, after: MemberChange?)
    /// A member was asked to have the list changed.
    indirect case changeWanted(MemberChange, through: NodeID)
    /// The list does not name this member any more.
    case removed(Epoch)
    /// This member is not in the view that the others installed.
    case leftOut(Epoch)
    /// A promise was asked of a member that must not vote (V13).
    case withoutVote(Epoch)
    case waiting(for: [NodeID], purpose: WaitPurpose)
    case founding(Lineage)
    case joining(through: NodeID)
    /// It was left out again soon after it had joined, so often in a row (V23).
    case joinsLater(after: Interval, leftOutCount: Int)
    case learning(from: NodeID, withSnapshot: Bool)
    case teaching(NodeID, withSnapshot: Bool)
    /// A learner was not level in time when it was to be let in.
    case heldBack(NodeID, pause: Interval)
    case pathBroken(NodeID, reason: String)
    case refused(NodeID, what: String)
    case recovered(Epoch, version: Version, messageCount: Int)
    case snapshotWritten(version: Version, byteCount: Int)
    /// Acknowledged data may be missing: this member begins again as a blank one.
    case journalSetAside(reason: String)
    /// By an operator's hand this member goes on in another history, in which it has begun a view of
    /// its own (V27).
    indirect case historyGivenUp(Lineage, for: Lineage, in: Epoch, by: String)
    /// One copy of the view journal was bad and is made anew from the other.
    case viewJournalRepaired(file: String, reason: String)
    /// The disk has no room for a file; what needs it waits.
    case diskFull(file: String)
    case diskHasRoom
    /// A majority of the view has one state at that version, and this member another.
    case stateDiffers(NodeID, version: Version)
    /// No state at that version has a majority: nothing is granted any more.
    case stateDivided(version: Version)
    /// What was ordered there is nothing that this daemon knows, and changed nothing.
    case commandNotUnderstood(version: Version)
    /// This machine's wall clock is far from the median of the members', which is used instead.
    case wallClockIsFar(ahead: Interval)
    /// It is near again, or there are too few members to compare it with.
    case wallClockIsNear
}

/// What a member that does not serve is waiting for.
package enum WaitPurpose: String, Equatable, Sendable {
    /// The first view needs all configured members (V24).
    case founding
    /// A majority of the newest view (V25).
    case quorum
    /// State that only an absent member may still have (V26).
    case state
    /// To be let into the view.
    case joining
    /// More members, so that the view is adequate (V21).
    case members
}
