import ConclaveBase

/// In some runs an administrator ends other processes' sessions.
struct Revocations {
    /// For the seat, which is behind all others.
    var random: SeededRandom

    /// From numbers of its own: runs without an administrator are as they were before.
    static func drawn(seed: UInt64, workload: Workload) -> Revocations? {
        var random = SeededRandom(seed: seed ^ 0x7265_766F_6B65_2121)
        switch workload {
        case .locks, .elections, .barriers, .mixed: break
        case .group, .configuration, .leases, .groups, .latches: return nil
        }
        guard random.chance(perMille: 200) else { return nil }
        return Revocations(random: random.split())
    }
}
