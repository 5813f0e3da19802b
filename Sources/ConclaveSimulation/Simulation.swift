import ConclaveBase

/// One run from a seed to its report.
package enum Simulation {
    package static func run(_ options: RunOptions) -> RunReport {
        let workload = options.workload ?? drawn(by: options.seed)
        if workload == .group { return GroupWorld(options: options).run() }
        return ServiceWorld(options: options, workload: workload).run()
    }

    private static func drawn(by seed: UInt64) -> Workload {
        var random = SeededRandom(seed: ~seed)
        return WorldShape.pick(
            [.group, .group, .mixed, .mixed, .mixed, .locks, .elections, .barriers], &random)
    }
}
