package import ConclaveBase
package import ConclaveWire

/// One member's part of a replicated state machine: recovery, membership, multicast, delivery.
///
/// It is told of frames, completions and ticks by `step`, and of the end of each turn, in which it
/// sends what the turn collected. It reads no clock and draws only from the generator it was given.
package final class Replica<Machine: StateMachine> {
    package private(set) var machine: Machine
    package private(set) var view: View
    package private(set) var lineage: Lineage
    /// Of the last applied command.
    package private(set) var version: Version
    package private(set) var appliedTime: Timestamp
    /// When `tick` wants to be called at the latest.
    package private(set) var nextTick: Instant

    /// Recovers from the disk. `blank` is the state before the first command.
    package init(
        settings: ReplicaSettings, blank: Machine, disk: any Disk, fabric: any Fabric,
        random: SeededRandom, now: Instant
    ) throws(FatalFault) {
        fatalError()
    }

    package var isServing: Bool { fatalError() }

    package func step(_ input: FabricInput, now: Instant) { fatalError() }
    package func step(_ input: DiskInput, now: Instant) { fatalError() }
    package func tick(now: Instant) { fatalError() }

    /// Queues a command for the order, to be sent at the end of the turn. False: this member
    /// serves nothing now, and nothing was queued.
    ///
    /// - Precondition: `command` is at most `maximumCommandByteCount` long.
    package func propose(_ command: [UInt8]) -> Bool { fatalError() }

    package var maximumCommandByteCount: Int { fatalError() }

    /// Sends and journals what this turn collected. Called once after the inputs of a turn; outputs
    /// may follow.
    package func endTurn(now: Instant, wallClock: Timestamp) { fatalError() }

    /// Hands over what happened since the last call, in order.
    package func takeOutputs() -> [ReplicaOutput<Machine.Effect>] { fatalError() }

    /// Asks the others for a view without this member, in good order.
    package func leave(now: Instant) { fatalError() }

    /// All configured machines as this member sees them.
    package func memberStates() -> [(node: NodeID, state: MemberState)] { fatalError() }

    /// Views that this member knows of, the newest last.
    package var knownViews: [(view: InstalledView, at: Timestamp)] { fatalError() }
}
