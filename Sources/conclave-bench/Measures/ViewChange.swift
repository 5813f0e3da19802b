import Conclave

/// A member is killed while many locks are held: how long the group serves nothing, from the first
/// suspicion until the slower of the survivors serves again, as they log it.
struct ViewChange {
    private static let patience: UInt64 = 30_000_000_000

    private let bench: Bench

    init(_ bench: Bench) {
        self.bench = bench
    }

    func run() throws {
        let (bench, group) = (bench, bench.group)
        let victim = group.sockets.count - 1
        let conns = bench.options.conns
        let start = Machine.now
        let held = try bench.wait {
            try await HeldLocks(bench.options.objects, bench, conns: conns, sparing: victim)
        }
        let taking = Double(Machine.now - start) / 1e9
        var samples = Samples()
        for _ in 0..<bench.options.rounds {
            samples.add(try round(victim))
            try group.restart(victim, bench.interrupts)
            try bench.interrupts.sleep(until: [], milliseconds: 300)
        }
        let how = [
            Field("objects", .count(held.validCount)), Field("sessions", .count(conns)),
            Field("taking_s", .number(taking)), Machine.syncTime(group.directory),
        ]
        bench.report.distribution("view.change", .milliseconds, samples, how)
        try bench.wait { await held.close() }
    }

    private func round(_ victim: Int) throws -> UInt64 {
        let group = bench.group
        let survivors = group.sockets.indices.filter { $0 != victim }
        let offsets = survivors.map { group.logLength($0) }
        _ = group.kill(victim)
        let end = Machine.now + Self.patience
        while Machine.now < end {
            try bench.interrupts.sleep(until: [], milliseconds: 5)
            let times = zip(survivors, offsets).compactMap { index, offset in
                Self.servingAfter(group.log(of: index, from: offset))
            }
            if times.count == survivors.count { return times.max() ?? 0 }
        }
        throw BenchFailure("the survivors do not serve")
    }

    /// The nanoseconds that stand on the line that says so.
    private static func servingAfter(_ log: String) -> UInt64? {
        for line in log.split(separator: "\n") {
            guard let key = line.firstRange(of: "serving after=\"") else { continue }
            let words = line[key.upperBound...].prefix { $0 != "\"" }.split(separator: " ")
            guard words.count == 2, let number = UInt64(words[0]) else { continue }
            let units: [Substring: UInt64] = ["us": 1_000, "ms": 1_000_000, "s": 1_000_000_000]
            return units[words[1]].map { number * $0 }
        }
        return nil
    }
}
