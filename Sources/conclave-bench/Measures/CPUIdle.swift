/// What a daemon costs while nobody asks it anything.
struct CPUIdle {
    private let bench: Bench

    init(_ bench: Bench) {
        self.bench = bench
    }

    func run() throws {
        let processes = bench.group.processes
        // What was measured before has to be written away.
        try bench.interrupts.sleep(until: [], milliseconds: 500)
        let (start, cpu) = (Machine.now, processes.cpu)
        try bench.interrupts.sleep(until: [], milliseconds: Int32(bench.options.secs * 1_000))
        let seconds = Double(Machine.now - start) / 1e9 * Double(processes.ids.count)
        bench.report.value(
            "cpu.idle", "%", (processes.cpu - cpu) / seconds * 100,
            [Field("daemons", .count(processes.ids.count))])
    }
}
