import ConclaveBase
import ConclaveSimulation

/// Many runs, some at the same time, reported in the order of their seeds.
struct Campaign {
    struct Result: Sendable {
        var report: RunReport
        var took: Duration
    }

    var printer: ReportPrinter

    /// Returns how many seeds found something.
    mutating func run(
        seeds: Range<UInt64>, jobs: Int, stopsAtFirst: Bool,
        options: (UInt64) -> RunOptions
    ) async -> Int {
        var foundCount = 0
        var unstarted = seeds
        var finished: [UInt64: Result] = [:]
        var nextToPrint = seeds.lowerBound
        await withTaskGroup(of: Result.self) { group in
            for _ in 0..<jobs {
                guard let seed = unstarted.popFirst() else { break }
                Self.start(options(seed), in: &group)
            }
            while let result = await group.next() {
                finished[result.report.seed] = result
                while let next = finished.removeValue(forKey: nextToPrint) {
                    nextToPrint += 1
                    guard !stopsAtFirst || foundCount == 0 else { continue }
                    printer.show(next)
                    if next.report.violation != nil { foundCount += 1 }
                }
                if stopsAtFirst, foundCount > 0 { continue }
                if let seed = unstarted.popFirst() { Self.start(options(seed), in: &group) }
            }
        }
        printer.showSum()
        return foundCount
    }

    private static func start(
        _ options: RunOptions, in group: inout TaskGroup<Result>
    ) {
        group.addTask {
            let clock = ContinuousClock()
            let start = clock.now
            let report = Simulation.run(options)
            return Result(report: report, took: clock.now - start)
        }
    }
}
