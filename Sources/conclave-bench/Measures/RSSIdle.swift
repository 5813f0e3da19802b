/// Resident memory of all daemons, as they are now.
struct RSSIdle {
    private let bench: Bench

    init(_ bench: Bench) {
        self.bench = bench
    }

    func run() {
        bench.report.value(
            "rss.idle", "MiB", bench.group.processes.residentMemory,
            [Field("daemons", .count(bench.group.sockets.count))])
    }
}
