package import ConclaveBase
package import ConclaveReplication

extension Settings {
    /// What the replica is told of these.
    package func replica(own: Member) -> ReplicaSettings {
        ReplicaSettings(
            own: own, configured: configuredNodes, durability: durability,
            minimumMembers: minimumMembers, maximumSessionTTL: maximumSessionTTL,
            heartbeat: heartbeat, suspicion: suspicion, stall: stall, slotCount: slotCount,
            slotByteCount: slotByteCount, segmentByteCount: segmentByteCount,
            snapshotEveryByteCount: snapshotEveryByteCount,
            recentByteCount: keptForJoinersByteCount)
    }

    /// A number that is the same on all members that were told the same of what they must agree
    /// on (FNV-1a, 64 bits).
    package var groupDigest: UInt64 {
        let members = members.sorted { $0.node < $1.node }.map { "\($0.node)=\($0.address)" }
        let agreed: [SettingKey] = [
            .durability, .minimumMembers, .maxSessionTtl, .slotsPerSender, .slotSize,
        ]
        let text = (members + agreed.map(text)).joined(separator: "\n")
        return text.utf8.reduce(0xCBF2_9CE4_8422_2325) {
            ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3
        }
    }
}
