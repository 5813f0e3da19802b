import ConclaveBase
import ConclaveCoordination

/// Whether clients of a run wait for each other as members of task groups, beside what else is done.
struct MemberPartyTraffic {
    static let groups = ["party/a", "party/b"]
    static let barriers = ["meet/0", "meet/1", "barrier/0"]

    /// Seats behind all others.
    var seatCount: Int
    /// They enter and leave together in pairs.
    var isDouble: Bool
    /// A bound that some runs meet.
    var barriersPerGroup: Int?
    /// For the seats.
    var random: SeededRandom

    /// From numbers of its own: runs without it are as they were before there was any.
    static func drawn(seed: UInt64, workload: Workload) -> MemberPartyTraffic? {
        var random = SeededRandom(seed: seed ^ 0x6D65_6D62_6572_7321)
        let chance: UInt64 =
            switch workload {
            case .barriers: 500
            case .mixed: 120
            default: 0
            }
        guard chance > 0, random.chance(perMille: chance) else { return nil }
        let isDouble = random.chance(perMille: 350)
        let seatCount = 2 + Int(random.below(4))
        var traffic = MemberPartyTraffic(
            seatCount: seatCount, isDouble: isDouble, random: random.split())
        if random.chance(perMille: 200), !isDouble { traffic.barriersPerGroup = 1 }
        return traffic
    }

    func bound(_ quotas: inout Quotas) {
        if let barriersPerGroup { quotas.barriersPerGroup = barriersPerGroup }
    }
}
