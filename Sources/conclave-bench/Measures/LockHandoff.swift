import Conclave
import Synchronization

/// One lock that goes round between sessions: release called until the next one has it.
struct LockHandoff {
    private final class Shared: Sendable {
        let gate = Gate()
        /// When the last holder began to release.
        let releasedAt = Atomic<UInt64>(0)
        let lastWorker = Atomic<Int>(-1)
        let holders = Atomic<Int>(0)
        let violations = Atomic<Int>(0)
    }

    private let bench: Bench

    init(_ bench: Bench) {
        self.bench = bench
    }

    func run() throws {
        let (bench, processes) = (bench, bench.group.processes)
        let workers = bench.options.workers
        try bench.wait {
            let connections = try await bench.connect(workers)
            let shared = Shared()
            var samples = Samples()
            var usage = Usage(processes)
            var seconds = 0.0
            let cpu = processes.cpu
            try await withThrowingTaskGroup(of: Samples.self) { group in
                for (worker, conclave) in connections.enumerated() {
                    group.addTask { try await Self.work(conclave, worker, shared) }
                }
                try await Task.sleep(for: .milliseconds(1_500))
                usage = Usage(processes)
                shared.gate.phase.store(Gate.measuring, ordering: .relaxed)
                try await Task.sleep(for: bench.length)
                shared.gate.phase.store(Gate.over, ordering: .relaxed)
                seconds = usage.seconds
                for try await part in group { samples.add(part) }
            }
            let violations = shared.violations.load(ordering: .relaxed)
            let how =
                bench.how(workers: workers, conns: workers)
                + [Field("violations", .count(violations))]
            bench.report.distribution("lock.handoff", .microseconds, samples, how)
            let share = samples.count == 0 ? 0 : 1e4 / Double(samples.count)
            bench.report.value(
                "lock.handoff.rate", "handoffs/s", Double(samples.count) / seconds,
                [Field("server_cpu_per10k", .number((processes.cpu - cpu) * share))] + how)
            for conclave in connections { await conclave.close() }
        }
    }

    private static func work(
        _ conclave: Conclave, _ worker: Int, _ shared: Shared
    ) async throws -> Samples {
        var samples = Samples()
        while shared.gate.phase.load(ordering: .relaxed) != Gate.over {
            let lock = try await conclave.lock("bench/handoff")
            let got = Machine.now
            if shared.holders.wrappingAdd(1, ordering: .relaxed).newValue != 1 {
                shared.violations.wrappingAdd(1, ordering: .relaxed)
            }
            let releasedAt = shared.releasedAt.load(ordering: .acquiring)
            let last = shared.lastWorker.exchange(worker, ordering: .relaxed)
            if releasedAt != 0, last != worker,
                shared.gate.phase.load(ordering: .relaxed) == Gate.measuring
            {
                samples.add(from: releasedAt, to: got)
            }
            shared.holders.wrappingSubtract(1, ordering: .relaxed)
            shared.releasedAt.store(Machine.now, ordering: .releasing)
            try await lock.release()
        }
        return samples
    }
}
