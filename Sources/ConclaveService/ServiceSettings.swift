package import ConclaveBase
import ConclaveWire

/// What bounds a daemon's service. Sizes in bytes.
package struct ServiceSettings: Sendable {
    package var own: Member
    package var isDurable: Bool
    package var heartbeat: Interval
    package var suspicion: Interval
    package var stall: Interval
    package var maximumSessionTTL: Interval
    package var maximumConnections: Int
    package var maximumConnectionsPerUID: Int
    /// Slots of the validity page, the daemon's own included.
    package var validitySlotCount: UInt32
    /// Slots that one session has given up and that stay out of use until it ends: with so many, no
    /// other process takes it over here. The sessions that one user may have (`Quotas.sessionsPerUID`)
    /// use little more than half of the page with them.
    package var maximumRetiredSlotsPerSession = 8
    /// The largest command that the replica takes.
    package var maximumCommandByteCount: Int
    /// Where the configured machines are, for people to read.
    package var addresses: [NodeID: String]
    /// The user beside root that may change the member list.
    package var administrator: UInt32 = 0
    /// Administrators may have things go wrong here.
    package var mayBeDisturbed = false
    /// An address of a new member as the group writes it, so that each has one spelling only; nil if
    /// the fabric could not reach a machine there. None: this daemon has no address for members
    /// itself.
    package var memberAddress: (@Sendable ([UInt8]) -> [UInt8]?)? = { $0 }
    /// Keys, or changes of them, in one piece of what a watcher is told, at most; and of a group's
    /// members, views and messages.
    package var keysPerPiece = ClientLimits.listedKeys
    /// What one turn answers at most, and what it tells of what was held, read and watched; about.
    package var toldByteCountOfTurn = 1 << 20
    /// Watches of keys, followers of groups and of views, and observers of leaders of one user on this
    /// host.
    package var maximumWatchesPerUID = 20_000
    /// A bug for the simulator to find; a daemon has none.
    package var plant: Plant?

    package init(
        own: Member, isDurable: Bool, heartbeat: Interval, suspicion: Interval, stall: Interval,
        maximumSessionTTL: Interval,
        maximumCommandByteCount: Int, maximumConnections: Int = 10_000,
        maximumConnectionsPerUID: Int = 1_000, validitySlotCount: UInt32 = 16 * 1024,
        addresses: [NodeID: String] = [:]
    ) {
        self.own = own
        self.isDurable = isDurable
        self.heartbeat = heartbeat
        self.suspicion = suspicion
        self.stall = stall
        self.maximumSessionTTL = maximumSessionTTL
        self.maximumCommandByteCount = maximumCommandByteCount
        self.maximumConnections = maximumConnections
        self.maximumConnectionsPerUID = maximumConnectionsPerUID
        self.validitySlotCount = validitySlotCount
        self.addresses = addresses
    }

    /// The shortest ttl of a session: less, and a view change would cost healthy sessions (K8).
    var minimumSessionTTL: Interval { suspicion * 3 }
}
