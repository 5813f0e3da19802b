package import ConclaveBase
package import ConclaveReplication

extension Settings {
    /// What the replica is told of these.
    package func replica(own: Member) -> ReplicaSettings {
        ReplicaSettings(
            own: own, configured: configuredNodes, addresses: listedAddresses,
            durability: durability, minimumMembers: followsMajority ? nil : minimumMembers,
            maximumSessionTTL: maximumSessionTTL,
            heartbeat: heartbeat, suspicion: suspicion, stall: stall, slotCount: slotCount,
            slotByteCount: slotByteCount, segmentByteCount: segmentByteCount,
            snapshotEveryByteCount: snapshotEveryByteCount,
            recentByteCount: keptForJoinersByteCount)
    }

    /// For the first view's member list.
    private var listedAddresses: [NodeID: [UInt8]] {
        var addresses: [NodeID: [UInt8]] = [:]
        for member in members { addresses[member.node] = Array("\(member.address)".utf8) }
        return addresses
    }

    /// A number that is the same on all members that were told the same of what they must agree
    /// on as long as they work together.
    package var groupDigest: UInt64 {
        Self.digest([.durability, .slotsPerSender, .slotSize].map(text))
    }

    /// The same of what those must agree on who found a group. Later the group's own settings
    /// count, which may have changed.
    package var foundingDigest: UInt64 {
        let members = members.sorted { $0.node < $1.node }.map { "\($0.node)=\($0.address)" }
        return Self.digest(members + [.minimumMembers, .maxSessionTtl].map(text))
    }

    /// FNV-1a, 64 bits.
    private static func digest(_ lines: [String]) -> UInt64 {
        lines.joined(separator: "\n").utf8.reduce(0xCBF2_9CE4_8422_2325) {
            ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3
        }
    }
}
