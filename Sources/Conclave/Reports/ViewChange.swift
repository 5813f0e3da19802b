public import ConclaveBase
package import ConclaveWire

/// An installed view, with who came, and who went and why.
public struct ViewChange: Hashable, Sendable {
    public struct Departed: Hashable, Sendable {
        public let node: NodeID
        public let reason: DepartureReason
        /// Who noticed.
        public let by: NodeID
        /// For how long at least it had been silent.
        public let silent: Duration
    }

    public let epoch: Epoch
    public let at: Timestamp
    /// By rank.
    public let members: [NodeID]
    public let joined: [NodeID]
    public let departed: [Departed]
    /// With this view the state began empty, since no member had one any more.
    public let stateWasLost: Bool
    /// An operator had one member go on alone: what only the others had is lost, and all sessions
    /// ended.
    public let historyWasGivenUp: Bool

    package init(_ report: ViewReport) {
        epoch = report.epoch
        at = report.at
        members = report.members
        joined = report.joined
        stateWasLost = report.stateWasLost
        historyWasGivenUp = report.historyWasGivenUp
        departed = report.departed.map { departed in
            Departed(
                node: departed.node, reason: departed.reason, by: departed.by,
                silent: Duration(departed.silent))
        }
    }
}
