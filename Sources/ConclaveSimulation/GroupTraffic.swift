import ConclaveBase
import ConclaveCoordination

/// Whether clients of a run join task groups beside what else they do, and how little of a group's
/// past is kept.
struct GroupTraffic {
    /// Seats behind all others: so many join and send, and so many follow.
    var memberCount: Int
    var followerCount: Int
    var logCount: Int
    var desertedGroups: Int
    /// Bounds that some runs meet.
    var membersPerGroup: Int?
    var groupsPerSession: Int?
    /// What a follower is told comes in pieces of so many members or entries.
    var entriesPerPiece: Int
    /// Members of a group have a state in common.
    var sharesStates: Bool
    /// For the seats.
    var random: SeededRandom

    /// From numbers of its own: runs without groups are as they were before there were any.
    static func drawn(seed: UInt64, workload: Workload) -> GroupTraffic? {
        var random = SeededRandom(seed: seed ^ 0x6772_6F75_7073_2121)
        let isWanted = workload == .groups
        let isPossible = workload == .mixed && random.chance(perMille: 200)
        guard isWanted || isPossible else { return nil }
        var coin = SeededRandom(seed: seed ^ 0x7374_6174_6573_2121)
        let sharesStates = coin.chance(perMille: 600)
        var traffic = GroupTraffic(
            memberCount: 2 + Int(random.below(4)), followerCount: 1 + Int(random.below(2)),
            logCount: WorldShape.pick([2, 8, 60, 4_096], &random),
            desertedGroups: WorldShape.pick([0, 1, 2, 1_024], &random), membersPerGroup: nil,
            groupsPerSession: nil, entriesPerPiece: WorldShape.pick([1, 2, 1_000], &random),
            sharesStates: sharesStates,
            random: random.split())
        if random.chance(perMille: 150) {
            // Those who enter and leave together do so as members of a group.
            traffic.membersPerGroup = Int(DoubleBarrierProgram.parties) + Int(random.below(3))
        }
        if random.chance(perMille: 150) { traffic.groupsPerSession = 1 }
        return traffic
    }

    var seatCount: Int { memberCount + followerCount }

    var hasQuotas: Bool { membersPerGroup != nil || groupsPerSession != nil }

    func bound(_ quotas: inout Quotas) {
        quotas.groupLogCount = logCount
        quotas.desertedGroups = desertedGroups
        if let membersPerGroup { quotas.membersPerGroup = membersPerGroup }
        if let groupsPerSession { quotas.groupsPerSession = groupsPerSession }
    }
}
