import Conclave
import Synchronization

/// Many tasks, each with a lock of its own, over a few connections.
struct LockParallel {
    private let bench: Bench
    private let onlyCPU: Bool

    /// - Parameter onlyCPU: What they cost is all that is told.
    init(_ bench: Bench, onlyCPU: Bool = false) {
        self.bench = bench
        self.onlyCPU = onlyCPU
    }

    func run() throws {
        let (workers, conns) = (bench.options.workers, bench.options.conns)
        if let rate = bench.options.rate {
            return try OpenLoop(bench, rate: rate, workers: workers, conns: conns)
                .run("lock.parallel")
        }
        let (bench, processes, onlyCPU) = (bench, bench.group.processes, onlyCPU)
        try bench.wait {
            let connections = try await bench.connect(conns)
            let gate = Gate()
            try await withThrowingTaskGroup(of: PairSamples.self) { group in
                for worker in 0..<workers {
                    let conclave = connections[worker % conns]
                    group.addTask { try await Self.work(conclave, worker, gate) }
                }
                try await Task.sleep(for: .milliseconds(1_500))
                let usage = Usage(processes)
                gate.phase.store(Gate.measuring, ordering: .relaxed)
                try await Task.sleep(for: bench.length)
                gate.phase.store(Gate.over, ordering: .relaxed)
                let how = bench.how(workers: workers, conns: conns)
                let counted = gate.pairs.load(ordering: .relaxed)
                if onlyCPU {
                    usage.tellCPU(pairs: counted, bench.report, how)
                    return try await group.waitForAll()
                }
                usage.tell("lock.parallel.rate", pairs: counted, bench.report, how)
                var samples = PairSamples()
                for try await part in group { samples.add(part) }
                samples.tell("lock.parallel", bench.report, how)
            }
            for conclave in connections { await conclave.close() }
        }
    }

    private static func work(
        _ conclave: Conclave, _ worker: Int, _ gate: Gate
    ) async throws -> PairSamples {
        var samples = PairSamples()
        let name = "bench/parallel/\(worker)"
        while gate.phase.load(ordering: .relaxed) != Gate.over {
            let isMeasured = gate.phase.load(ordering: .relaxed) == Gate.measuring
            let start = Machine.now
            let lock = try await conclave.lock(name)
            let acquired = Machine.now
            try await lock.release()
            let released = Machine.now
            guard isMeasured, gate.phase.load(ordering: .relaxed) == Gate.measuring else {
                continue
            }
            samples.add(start, acquired, released)
            gate.pairs.wrappingAdd(1, ordering: .relaxed)
        }
        return samples
    }
}

/// Tells workers when it counts, and when it is over.
final class Gate: Sendable {
    static let warming = 0
    static let measuring = 1
    static let over = 2

    let phase = Atomic<Int>(warming)
    let pairs = Atomic<Int>(0)
}
