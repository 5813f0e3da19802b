package import ConclaveBase

/// Whether a message is acknowledged in memory or after the sync (V8).
package enum Durability: UInt8, Sendable, CaseIterable {
    case memory = 1
    case disk = 2
}

/// Everything a replica needs to know beforehand. Validated by whoever read it from outside.
package struct ReplicaSettings: Sendable {
    package var own: Member
    /// All configured members, this one included, by id: who founds, and whom to ask before it is
    /// known whom the group lists.
    package var configured: [NodeID]
    /// Where the configured members are, for the fabric.
    package var addresses: [NodeID: [UInt8]]
    package var durability: Durability
    /// Nil: the majority of the member list.
    package var minimumMembers: Int?
    package var maximumSessionTTL: Interval
    package var heartbeat: Interval
    package var suspicion: Interval
    package var stall: Interval
    /// Slots of one member's ring, and the payload bytes of one.
    package var slotCount: Int
    package var slotByteCount: Int
    /// Size of one journal segment, and how much journal calls for a snapshot.
    package var segmentByteCount: Int
    package var snapshotEveryByteCount: Int
    /// Size of a file of the view journal, as long as that is enough; the same at each start.
    package var viewJournalByteCount = 64 * 1024
    /// How much of a snapshot one turn makes; the turn takes longer by that.
    package var snapshotPartByteCount = 32 * 1024
    /// When the members compare their states; the same on all of them.
    package var digestPace = DigestPace(versionCount: 10_000, versionsPerRow: 16)
    /// How many bytes of delivered messages are kept in memory for members that come back.
    package var recentByteCount: Int
    /// The smallest era of versions (V28).
    package var minimumEra: UInt16
    /// A bug for the simulator to find; a daemon has none.
    package var plant: Plant?

    package init(
        own: Member, configured: [NodeID], addresses: [NodeID: [UInt8]] = [:],
        durability: Durability = .disk,
        minimumMembers: Int? = nil, maximumSessionTTL: Interval = .seconds(60),
        heartbeat: Interval = .milliseconds(100), suspicion: Interval = .seconds(1),
        stall: Interval = .seconds(5), slotCount: Int = 128, slotByteCount: Int = 8 * 1024,
        segmentByteCount: Int = 64 << 20, snapshotEveryByteCount: Int = 64 << 20,
        recentByteCount: Int = 8 << 20, minimumEra: UInt16 = 1,
        plant: Plant? = nil
    ) {
        self.own = own
        self.configured = configured.sorted()
        self.addresses = addresses
        self.durability = durability
        self.minimumMembers = minimumMembers
        self.maximumSessionTTL = maximumSessionTTL
        self.heartbeat = heartbeat
        self.suspicion = suspicion
        self.stall = stall
        self.slotCount = slotCount
        self.slotByteCount = slotByteCount
        self.segmentByteCount = segmentByteCount
        self.snapshotEveryByteCount = snapshotEveryByteCount
        self.recentByteCount = recentByteCount
        self.minimumEra = minimumEra
        self.plant = plant
    }
}
