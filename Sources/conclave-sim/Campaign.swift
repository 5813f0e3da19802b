import ConclaveBase
import ConclaveSimulation

/// Many runs, some at the same time, reported in the order of their seeds.
struct Campaign {
    struct Result: Sendable {
        var report: RunReport
        var took: Duration
        /// Which of the runs at the same time it was.
        var job: Int
        /// What was found is found without the planted bug as well.
        var isNotOfPlant = false
    }

    var printer: ReportPrinter

    /// Returns how many seeds found something; of a planted bug, something that is not found
    /// without it.
    mutating func run(
        seeds: Range<UInt64>, jobs: Int, stopsAtFirst: Bool,
        options: (UInt64) -> RunOptions
    ) async -> Int {
        var foundCount = 0
        var unstarted = seeds
        var finished: [UInt64: Result] = [:]
        var nextToPrint = seeds.lowerBound
        await withTaskGroup(of: Result.self) { group in
            for job in 0..<jobs {
                guard let seed = unstarted.popFirst() else { break }
                Self.start(options(seed), as: job, in: &group)
            }
            while let result = await group.next() {
                finished[result.report.seed] = result
                while let next = finished.removeValue(forKey: nextToPrint) {
                    nextToPrint += 1
                    guard !stopsAtFirst || foundCount == 0 else { continue }
                    printer.show(next)
                    if next.report.violation != nil, !next.isNotOfPlant { foundCount += 1 }
                }
                if stopsAtFirst, foundCount > 0 { continue }
                guard let seed = unstarted.popFirst() else { continue }
                Self.start(options(seed), as: result.job, in: &group)
            }
        }
        printer.showSum()
        return foundCount
    }

    private static func start(
        _ options: RunOptions, as job: Int, in group: inout TaskGroup<Result>
    ) {
        group.addTask {
            let clock = ContinuousClock()
            let start = clock.now
            let report = SeedsInProgress.run(options.seed, in: job) { Simulation.run(options) }
            var result = Result(report: report, took: clock.now - start, job: job)
            guard options.plant != nil, report.violation != nil else { return result }
            var sound = options
            sound.plant = nil
            let other = SeedsInProgress.run(options.seed, in: job) { Simulation.run(sound) }
            result.isNotOfPlant = other.violation != nil
            return result
        }
    }
}
