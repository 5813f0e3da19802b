import Conclave

/// One client, one lock, one request after the other.
struct LockSolo {
    private let bench: Bench

    init(_ bench: Bench) {
        self.bench = bench
    }

    func run() throws {
        if let rate = bench.options.rate {
            return try OpenLoop(bench, rate: rate, workers: 1, conns: 1).run("lock.solo")
        }
        let (bench, processes) = (bench, bench.group.processes)
        let nanoseconds = UInt64(bench.options.secs * 1e9)
        try bench.wait {
            let conclave = try await bench.connect(1)[0]
            _ = try await Self.loop(conclave, nanoseconds: 1_000_000_000)
            let usage = Usage(processes)
            let samples = try await Self.loop(conclave, nanoseconds: nanoseconds)
            let how = bench.how(workers: 1, conns: 1)
            samples.tell("lock.solo", bench.report, how)
            usage.tell("lock.solo.rate", pairs: samples.pair.count, bench.report, how)
            await conclave.close()
        }
    }

    private static func loop(_ conclave: Conclave, nanoseconds: UInt64) async throws -> PairSamples
    {
        var samples = PairSamples()
        let end = Machine.now + nanoseconds
        while Machine.now < end {
            let start = Machine.now
            let lock = try await conclave.lock("bench/solo")
            let acquired = Machine.now
            try await lock.release()
            samples.add(start, acquired, Machine.now)
        }
        return samples
    }
}

/// Time and CPU seconds from its making on.
struct Usage: Sendable {
    private let processes: Processes
    private let start = Machine.now
    private let servers: Double
    private let own = Machine.ownCPU

    init(_ processes: Processes) {
        self.processes = processes
        servers = processes.cpu
    }

    var seconds: Double { Double(Machine.now - start) / 1e9 }

    /// Pairs per second, and the CPU seconds that ten thousand of them cost.
    func tell(_ measure: String, pairs: Int, _ report: Report, _ how: [Field]) {
        report.value(measure, "pairs/s", Double(pairs) / seconds, how)
        tellCPU(pairs: pairs, report, how)
    }

    /// CPU seconds of the daemons, and of this program.
    var spent: (servers: Double, own: Double) {
        (processes.cpu - servers, Machine.ownCPU - own)
    }

    func tellCPU(pairs: Int, _ report: Report, _ how: [Field]) {
        guard pairs > 0 else { return }
        let share = 1e4 / Double(pairs)
        let spent = spent
        report.value(
            "cpu.per10k", "s", spent.servers * share,
            [Field("client_cpu", .number(spent.own * share))] + how)
    }
}
