import ArgumentParser
import ConclaveBase
import ConclaveReactor
import ConclaveSimulation

@main
struct ConclaveSim: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conclave-sim",
        abstract: "Runs simulated groups under faults and checks every promise.",
        discussion: """
            Each seed decides one run: members, timings, faults and work. Exit status: 0 nothing \
            found, 1 a promise was broken, 64 wrong usage.
            """)

    @Option(help: "The first seed.")
    var seed: UInt64 = 1

    @Option(help: "How many seeds to run; with --plant the default is what --plants names.")
    var count: Int?

    @Option(help: "How many runs at the same time.")
    var jobs: Int = 1

    @Option(help: "How long things go wrong in each run, in simulated time, as in 60s or 5m.")
    var duration: SimulatedDuration = SimulatedDuration(interval: .seconds(60))

    @Option(help: "Do only this work: \(names(of: Workload.self)).")
    var only: Workload?

    @Option(help: "What may go wrong, with commas between, or none: \(names(of: FaultKind.self)).")
    var faults: FaultChoice?

    @Option(help: "Leave out a rule; see --plants.")
    var plant: Plant?

    @Option(help: "How long one run may take, in real time: one that goes on for ever is a find.")
    var patience: SimulatedDuration = SimulatedDuration(interval: .seconds(300))

    @Flag(help: "List the bugs that can be planted, and within how many seeds each must be found.")
    var plants = false

    @Option(
        parsing: .upToNextOption,
        help: "Check histories that processes have written, together, and run nothing.")
    var checkHistory: [String] = []

    @Flag(help: "Print everything that happens.")
    var trace = false

    @Flag(help: "One JSON object a seed, and a sum.")
    var json = false

    func validate() throws {
        guard (1...SeedsInProgress.limit).contains(jobs) else {
            throw ValidationError("--jobs must be 1 to \(SeedsInProgress.limit)")
        }
        guard (count ?? 1) >= 1 else { throw ValidationError("--count must be at least 1") }
    }

    func run() async throws {
        if plants {
            for bug in PlantedBug.all {
                print("\(bug.plant.rawValue)  \(bug.rule)  \(bug.seedCount) seeds")
            }
            return
        }
        guard checkHistory.isEmpty else {
            guard try HistoryFiles(paths: checkHistory).check() else { throw ExitCode(1) }
            return
        }
        SeedsInProgress.nameThemOnTraps()
        FreedMemory.keep()
        let patience = Patience(.milliseconds(patience.interval.milliseconds), options: optionWords)
        let watching = try WorkerThread(name: "patience") { patience.watch() }
        defer { withExtendedLifetime(watching) {} }
        var campaign = Campaign(printer: ReportPrinter(isJSON: json, options: optionWords))
        let foundCount = await campaign.run(
            seeds: seeds, jobs: jobs, stopsAtFirst: plant != nil, options: options)
        if foundCount > 0 { throw ExitCode(1) }
    }

    private var bug: PlantedBug? { plant.map(PlantedBug.named) }

    private var seeds: Range<UInt64> {
        seed..<(seed + UInt64(count ?? bug?.seedCount ?? 1))
    }

    private func options(seed: UInt64) -> RunOptions {
        RunOptions(
            seed: seed, duration: duration.interval,
            workload: only ?? bug?.workload,
            faults: faults?.kinds ?? FaultKind.allCases, plant: plant,
            wantsTrace: trace)
    }

    /// The options that a replay of one seed needs besides the seed.
    private var optionWords: String {
        var words = ""
        if duration.interval != .seconds(60) { words += " --duration \(duration)" }
        if let only { words += " --only \(only.rawValue)" }
        if let faults { words += " --faults \(faults)" }
        if let plant { words += " --plant \(plant.rawValue)" }
        return words
    }

    private static func names<T: CaseIterable & RawRepresentable>(of type: T.Type) -> String
    where T.RawValue == String {
        type.allCases.map(\.rawValue).joined(separator: ", ")
    }
}
