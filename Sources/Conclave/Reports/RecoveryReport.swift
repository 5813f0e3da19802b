public import ConclaveBase
package import ConclaveWire

/// What became of a group's history when one member was told to go on with it alone.
public struct RecoveryReport: Hashable, Sendable {
    /// The view with which the new history begins. Its only member is the daemon that was asked.
    public let epoch: Epoch
    /// Of that moment: all later versions and tokens are larger, also than any that were lost.
    public let version: Version
    /// The era that these versions are of.
    public var era: UInt16 { version.era }
    /// Messages that the daemon had received, and did not know to be delivered.
    public let appliedMessageCount: Int
    /// Who may be a member from now on.
    public let keptMembers: [NodeID]
    /// Who was taken off the member list, since the daemon did not reach it.
    public let removedMembers: [NodeID]
    /// For how long nothing is granted: what the lost history granted may still be valid.
    public let quietFor: Duration
    /// No member that was reached had a state, and none can come back from a disk: it begins empty.
    public let stateWasLost: Bool

    package init(_ report: RecoverReport) {
        epoch = report.epoch
        version = report.version
        appliedMessageCount = Int(clamping: report.appliedCount)
        keptMembers = report.kept
        removedMembers = report.removed
        stateWasLost = report.stateWasLost
        quietFor = .nanoseconds(report.quietFor.nanoseconds)
    }
}
