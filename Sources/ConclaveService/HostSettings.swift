package import ConclaveBase
package import ConclaveCoordination
package import ConclaveReplication
import ConclaveWire

/// Everything a host needs to know beforehand. Validated by whoever read it from outside.
package struct HostSettings: Sendable {
    package var replica: ReplicaSettings
    /// Where the configured machines are, for people to read.
    package var addresses: [NodeID: String]
    /// The same on all members.
    package var quotas: Quotas
    /// Told of everything that the state machine applies: in the simulator alone.
    package var witness: (any CoordinationWitness)?
    package var maximumConnections = 10_000
    package var maximumConnectionsPerUID = 1_000
    /// Slots of the validity page, the daemon's own included.
    package var validitySlotCount: UInt32 = 16 * 1024
    /// Keys, or changes of them, in one piece of what a watcher is told, at most: all that fit a
    /// frame but in the simulator, whose states are small.
    package var keysPerPiece = ClientLimits.listedKeys
    /// See `ServiceSettings`.
    package var toldByteCountOfTurn = 1 << 20

    /// The user beside root that may change the member list.
    package var administrator: UInt32 = 0
    /// See `ServiceSettings`.
    package var mayBeDisturbed = false
    /// An address of a new member as the group writes it, so that each has one spelling only; nil if
    /// the fabric could not reach a machine there. None: this daemon has no address for members
    /// itself.
    package var memberAddress: (@Sendable ([UInt8]) -> [UInt8]?)? = { $0 }

    package init(
        replica: ReplicaSettings, addresses: [NodeID: String] = [:], quotas: Quotas = Quotas()
    ) {
        self.replica = replica
        self.addresses = addresses
        self.quotas = quotas
    }
}
