import Conclave
import Synchronization

/// All parties arrive at once: from the last one's arrival until all are through.
struct BarrierStorm {
    private let bench: Bench

    init(_ bench: Bench) {
        self.bench = bench
    }

    func run() throws {
        try bench.measureBarrier("barrier.storm", Self.round)
    }

    private static func round(_ connections: [Conclave], _ name: String) async throws -> UInt64 {
        let line = StartingLine()
        return try await withThrowingTaskGroup(of: (begun: UInt64, through: UInt64).self) { group in
            for conclave in connections {
                group.addTask {
                    await line.wait()
                    let begun = Machine.now
                    return (begun, try await BarrierLast.arrive(conclave, name, connections.count))
                }
            }
            try await line.open(after: connections.count)
            var (begun, through): (UInt64, UInt64) = (0, 0)
            for try await party in group {
                begun = max(begun, party.begun)
                through = max(through, party.through)
            }
            return through - min(begun, through)
        }
    }
}

/// Holds tasks back until all of them are let go at once.
final class StartingLine: Sendable {
    private let waiting = Mutex<[CheckedContinuation<Void, Never>]>([])

    func wait() async {
        await withCheckedContinuation { continuation in
            waiting.withLock { $0.append(continuation) }
        }
    }

    /// Lets them go when `count` have come.
    func open(after count: Int) async throws {
        while waiting.withLock({ $0.count }) < count {
            try await Task.sleep(for: .milliseconds(1))
        }
        // What the tasks' coming has cost is over.
        try await Task.sleep(for: .milliseconds(5))
        let all = waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
        for continuation in all { continuation.resume() }
    }
}
