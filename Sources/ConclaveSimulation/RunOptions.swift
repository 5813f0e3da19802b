package import ConclaveBase

/// What is asked of one run; together with the build it decides everything that happens.
package struct RunOptions: Sendable {
    package var seed: UInt64
    /// How long things go wrong; then everything heals.
    package var duration: Interval
    /// `nil`: what the seed draws.
    package var workload: Workload?
    /// What may go wrong.
    package var faults: [FaultKind]
    package var plant: Plant?
    package var wantsTrace: Bool

    package init(
        seed: UInt64, duration: Interval = .seconds(60), workload: Workload? = nil,
        faults: [FaultKind] = FaultKind.allCases, plant: Plant? = nil, wantsTrace: Bool = false
    ) {
        self.seed = seed
        self.duration = duration
        self.workload = workload
        self.faults = faults
        self.plant = plant
        self.wantsTrace = wantsTrace
    }
}

/// What is done with the group while things go wrong.
package enum Workload: String, Sendable, CaseIterable {
    /// Replicas alone, with a state machine that hashes everything.
    case group
    /// Whole daemons with clients that take locks, campaign and observe, wait at barriers, or do
    /// all of it, often with keys and task groups beside.
    case locks, elections, barriers, mixed
    /// Whole daemons with clients that change, read and watch keys.
    case configuration
    /// Whole daemons with clients that take leases.
    case leases
    /// Whole daemons with clients that join task groups, send to them and follow them.
    case groups
    /// Whole daemons with clients that count latches down and wait for them.
    case latches
}
