public import ConclaveBase
package import ConclaveWire

/// How it stands with the group, as the local daemon sees it.
public struct GroupStatus: Hashable, Sendable {
    public let node: NodeID
    public let epoch: Epoch
    /// The daemon's position in the installed view; `nil`: it is in none.
    public let rank: Int?
    /// Whether the daemon answers requests now.
    public let isServing: Bool
    /// Why not, in a sentence; empty while it serves.
    public let reason: String
    /// Whether acknowledged requests survive the power loss of every host at once.
    public let isDurable: Bool
    public let members: [MemberStatus]
    public let version: Version
    /// How far the daemon's own copy, which answers what is asked for as `local`, may be behind at most;
    /// `nil`: nobody knows, since it was outside the majority ever since it began.
    public let age: Duration?
    public let sessionCount: Int
    public let objectCount: Int
    public let timing: GroupTiming
    /// What goes wrong at the local daemon by order (see `Conclave.disturb`), and for how long still.
    public let disturbances: [OrderedDisturbance]

    package init(_ report: StatusReport) {
        node = report.node
        epoch = report.epoch
        rank = report.rank.map { Int($0) }
        isServing = report.serving.isServing
        reason = report.serving.reason
        isDurable = report.isDurable
        members = report.members.map(MemberStatus.init)
        version = report.version
        age = report.age.map { .nanoseconds($0.nanoseconds) }
        sessionCount = Int(report.sessions)
        objectCount = Int(report.objects)
        timing = GroupTiming(report.timing)
        disturbances = report.disturbances.map(OrderedDisturbance.init)
    }
}
