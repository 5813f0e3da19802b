import Conclave

/// All members are killed while many locks are held, and started together: how long until all of them
/// serve again, with what they find on their disks.
struct StartAll {
    private let bench: Bench

    init(_ bench: Bench) {
        self.bench = bench
    }

    func run() throws {
        let (bench, group) = (bench, bench.group)
        let conns = bench.options.conns
        let held = try bench.wait {
            try await HeldLocks(bench.options.objects, bench, conns: conns)
        }
        var samples = Samples()
        for _ in 0..<bench.options.rounds {
            for index in group.sockets.indices { _ = group.kill(index) }
            samples.add(try group.startAll(bench.interrupts))
            try bench.interrupts.sleep(until: [], milliseconds: 300)
        }
        // What is not recovered is not held any more.
        let how = [
            Field("objects", .count(held.validCount)), Field("sessions", .count(conns)),
            Machine.syncTime(group.directory),
        ]
        bench.report.distribution("start.all", .milliseconds, samples, how)
        try bench.wait { await held.close() }
    }
}
