import Conclave
import Synchronization

/// What clients of two daemons notice of a third that joins with nothing on its disk, while many
/// locks are held.
struct JoinBlank {
    private let bench: Bench

    init(_ bench: Bench) {
        self.bench = bench
    }

    func run() throws {
        let (bench, group) = (bench, bench.group)
        let joiner = group.sockets.count - 1
        let conns = bench.options.conns
        let held = try bench.wait {
            try await HeldLocks(bench.options.objects, bench, conns: conns, sparing: joiner)
        }
        let quiet = try measure {
            try bench.interrupts.sleep(
                until: [], milliseconds: Int32(bench.options.secs * 1_000))
        }
        var joining: [UInt64] = []
        for _ in 0..<bench.options.rounds {
            _ = group.kill(joiner)
            // Removing large files holds up the other daemons' disk, which this one shares here.
            group.erase(joiner)
            try bench.interrupts.sleep(until: [], milliseconds: 1_000)
            joining += try measure { try group.restart(joiner, bench.interrupts) }
        }
        let how = [
            Field("objects", .count(held.validCount)), Field("sessions", .count(conns)),
            Machine.syncTime(group.directory),
        ]
        tell(quiet, joining, how)
        try bench.wait { await held.close() }
    }

    private func tell(_ quiet: [UInt64], _ joining: [UInt64], _ how: [Field]) {
        let median = quiet.sorted().dropFirst(quiet.count / 2).first ?? 0
        let before = Self.samples(quiet, median)
        let during = Self.samples(joining, median)
        bench.report.distribution("join.blank.quiet", .microseconds, before, how)
        bench.report.distribution("join.blank", .microseconds, during, how)
        let ratio = during.percentile(99) / max(before.percentile(99), 1)
        bench.report.value("join.blank.ratio", "p99 to p99 in quiet", ratio, how)
    }

    private static func samples(_ times: [UInt64], _ pause: UInt64) -> Samples {
        var samples = Samples()
        for time in times { samples.add(time, ofLoopEvery: pause) }
        return samples
    }

    /// Requests at the first two daemons, for as long as `body` takes.
    private func measure(during body: () throws -> Void) throws -> [UInt64] {
        let gate = Gate()
        let sockets = bench.group.sockets.prefix(2)
        let tasks = sockets.enumerated().map { index, socket in
            Task { try await Self.loop(socket, "bench/join/\(index)", gate) }
        }
        defer { gate.phase.store(Gate.over, ordering: .relaxed) }
        try bench.interrupts.sleep(until: [], milliseconds: 500)
        gate.phase.store(Gate.measuring, ordering: .relaxed)
        try body()
        gate.phase.store(Gate.over, ordering: .relaxed)
        return try bench.wait {
            var times: [UInt64] = []
            for task in tasks { times += try await task.value }
            return times
        }
    }

    /// Each request counts by itself.
    private static func loop(
        _ socket: String, _ name: String, _ gate: Gate
    ) async throws -> [UInt64] {
        let conclave = try await Conclave.connect(socket: socket, label: "bench")
        var times: [UInt64] = []
        while gate.phase.load(ordering: .relaxed) != Gate.over {
            let start = Machine.now
            let lock = try await conclave.lock(name)
            let acquired = Machine.now
            try await lock.release()
            let released = Machine.now
            guard gate.phase.load(ordering: .relaxed) == Gate.measuring else { continue }
            times += [acquired - start, released - acquired]
        }
        await conclave.close()
        return times
    }
}
