import ConclaveBase
import ConclaveSimulation
import Testing

/// Whole worlds in a debug build, which checks what the shipped simulator does not: overlapping
/// accesses to its objects.
@Suite struct `Worlds` {
    @Test(arguments: Workload.allCases)
    func `keep every promise, checked for overlapping accesses`(workload: Workload) {
        var requestCount = 0
        for seed in 1...3 as ClosedRange<UInt64> {
            let report = Simulation.run(
                RunOptions(seed: seed, duration: .seconds(20), workload: workload))
            #expect(
                report.violation == nil, "seed \(seed): \(String(describing: report.violation))")
            requestCount += report.requestCount
        }
        #expect(requestCount > 0)
    }

    @Test func `every bug that can be planted is described`() {
        #expect(PlantedBug.all.map(\.plant) == Plant.allCases)
    }
}
