import Conclave

/// Resident memory of all daemons with many locks held, and how fast these come and go.
struct RSSHeld {
    private let bench: Bench

    init(_ bench: Bench) {
        self.bench = bench
    }

    func run() throws {
        let (bench, processes) = (bench, bench.group.processes)
        let (objects, conns) = (bench.options.objects, bench.options.conns)
        let idle = processes.residentMemory
        try bench.wait {
            let (start, cpu) = (Machine.now, processes.cpu)
            let held = try await HeldLocks(objects, bench, conns: conns)
            let seconds = Double(Machine.now - start) / 1e9
            let spent = processes.cpu - cpu
            let count = held.validCount
            try await Task.sleep(for: .seconds(1))
            let resident = processes.residentMemory
            let share = Double(max(count, 1))
            let grown = (resident - idle) * 1_048_576 / Double(processes.ids.count)
            bench.report.value(
                "rss.held", "MiB", resident,
                [
                    Field("held", .count(count)), Field("idle", .number(idle)),
                    Field("bytes_per_lock", .number(grown / share)),
                ])
            bench.report.value(
                "hold.rate", "acquires/s", Double(count) / seconds,
                [
                    Field("workers", .count(held.window * conns)), Field("conns", .count(conns)),
                    Field("server_cpu_per10k", .number(spent / share * 1e4)),
                ])
            let dropping = Usage(processes)
            await held.close()
            try await Self.waitUntilGone(held.edges, bench)
            bench.report.value(
                "hold.drop", "ms", dropping.seconds * 1e3,
                [
                    Field("held", .count(count)), Field("conns", .count(conns)),
                    Field(
                        "server_cpu_per10k", .number(dropping.spent.servers / share * 1e4)),
                ])
        }
    }

    /// All of them are not listed, which would take longer than what is measured.
    private static func waitUntilGone(_ names: [String], _ bench: Bench) async throws {
        let conclave = try await bench.connect(1)[0]
        for name in names {
            while try await conclave.why(name).objects.first?.holderCount ?? 0 > 0 {
                try await Task.sleep(for: .milliseconds(1))
            }
        }
        await conclave.close()
    }
}
