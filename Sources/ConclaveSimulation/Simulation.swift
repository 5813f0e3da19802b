import ConclaveBase

/// One run from a seed to its report.
package enum Simulation {
    package static func run(_ options: RunOptions) -> RunReport {
        let workload = options.workload ?? drawn(by: options.seed)
        if workload == .group { return GroupWorld(options: options).run() }
        return ServiceWorld(options: options, workload: workload).run()
    }

    private static func drawn(by seed: UInt64) -> Workload {
        // From numbers of its own: most seeds do what they did before there were keys.
        var own = SeededRandom(seed: seed ^ 0x636F_6E66_6967_0000)
        if own.chance(perMille: 80) { return .configuration }
        var later = SeededRandom(seed: seed ^ 0x6772_6F75_7073_0000)
        if later.chance(perMille: 60) { return .groups }
        var random = SeededRandom(seed: ~seed)
        return WorldShape.pick(
            [.group, .group, .mixed, .mixed, .mixed, .locks, .elections, .barriers], &random)
    }
}
