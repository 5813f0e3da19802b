import ConclaveBase

/// Whether clients of a run take leases beside what else is done, and how long those last.
struct LeaseTraffic {
    static let names = ["lease/0", "lease/1", "other"]
    static let prefixes = ["", "lease/", "lease/1", "o"]

    /// Seats behind all others.
    var seatCount: Int
    /// For the seats.
    var random: SeededRandom

    /// From numbers of its own: runs without leases are as they were before there were any.
    static func drawn(seed: UInt64, workload: Workload) -> LeaseTraffic? {
        var random = SeededRandom(seed: seed ^ 0x6C65_6173_6573_2121)
        let isWanted = workload == .leases
        let isPossible = workload == .mixed && random.chance(perMille: 250)
        guard isWanted || isPossible else { return nil }
        return LeaseTraffic(seatCount: 1 + Int(random.below(3)), random: random.split())
    }
}
