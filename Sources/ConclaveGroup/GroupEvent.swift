package import ConclaveBase

/// What the group core tells the world about itself.
///
/// The one list of what can be observed: the node turns each case into a log line, a test compares
/// them, the simulator prints them.
package enum GroupEvent: Equatable, Sendable {
    /// `late`: by how much the accuser's own loop was late when it judged.
    case suspected(NodeID, reason: DepartureReason, silent: Interval, late: Interval)
    case accused(by: NodeID, whom: NodeID, reason: DepartureReason, silent: Interval)
    case wedged(Epoch)
    case promised(Epoch, Ballot)
    case proposed(Epoch, Ballot, memberCount: Int)
    case accepted(Epoch, Ballot)
    case overtaken(Epoch, by: Ballot)
    case installed(InstalledView)
    /// This member is not in the view that the others installed.
    case leftOut(Epoch)
    /// A promise was asked of a member that must not vote (V13).
    case withoutVote(Epoch)
    case waiting(for: [NodeID], purpose: WaitPurpose)
    case founding(Lineage)
    case joining(through: NodeID)
    case learning(from: NodeID, byteCount: Int)
    case teaching(NodeID, withSnapshot: Bool)
    case pathBroken(NodeID, reason: String)
    case refused(NodeID, what: String)
    case recovered(Epoch, version: Version, messageCount: Int)
    case snapshotWritten(version: Version, byteCount: Int)
    /// Acknowledged data may be missing: this member begins again as a blank one.
    case journalSetAside(reason: String)
    /// One copy of the view journal was bad and is made anew from the other.
    case viewJournalRepaired(file: String, reason: String)
    /// The disk has no room for a file; what needs it waits.
    case diskFull(file: String)
    case diskHasRoom
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
