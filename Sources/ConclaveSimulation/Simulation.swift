import ConclaveBase

/// One run from a seed to its report.
package enum Simulation {
    package static func run(_ options: RunOptions) -> RunReport {
        let workload = options.workload ?? drawn(by: options.seed)
        if workload == .group { return GroupWorld(options: options).run() }
        return ServiceWorld(options: options, workload: workload).run()
    }

    /// What came later than most seeds, each drawn from numbers of its own: the other seeds do what they
    /// did before.
    private static let later: [(workload: Workload, perMille: UInt64, number: UInt64)] = [
        (.configuration, 80, 0x636F_6E66_6967_0000),
        (.groups, 60, 0x6772_6F75_7073_0000),
        (.leases, 40, 0x6C65_6173_6573_0000),
        (.latches, 40, 0x6C61_7463_6865_7300),
    ]

    private static func drawn(by seed: UInt64) -> Workload {
        let own = later.first { candidate in
            var random = SeededRandom(seed: seed ^ candidate.number)
            return random.chance(perMille: candidate.perMille)
        }
        if let own { return own.workload }
        var random = SeededRandom(seed: ~seed)
        return WorldShape.pick(
            [.group, .group, .mixed, .mixed, .mixed, .locks, .elections, .barriers], &random)
    }
}
