import Conclave

/// All but one party wait: the last arrives until all are through.
struct BarrierLast {
    private let bench: Bench

    init(_ bench: Bench) {
        self.bench = bench
    }

    func run() throws {
        try bench.measureBarrier("barrier.last", Self.round)
    }

    private static func round(_ connections: [Conclave], _ name: String) async throws -> UInt64 {
        try await withThrowingTaskGroup(of: UInt64.self) { group in
            for conclave in connections.dropFirst() {
                group.addTask { try await arrive(conclave, name, connections.count) }
            }
            try await waitForOthers(connections[0], name, connections.count - 1)
            let start = Machine.now
            var through = try await arrive(connections[0], name, connections.count)
            for try await time in group { through = max(through, time) }
            return through - start
        }
    }

    static func how(parties: Int) -> [Field] {
        [
            Field("parties", .count(parties)), Field("conns", .count(parties)),
            Field("target", .text("all")),
        ]
    }

    /// When this party was through.
    static func arrive(
        _ conclave: Conclave, _ name: String, _ parties: Int
    ) async throws -> UInt64 {
        _ = try await conclave.barrier(name, parties: parties).arriveAndWait()
        return Machine.now
    }

    static func waitForOthers(
        _ conclave: Conclave, _ name: String, _ count: Int
    ) async throws {
        while count > 0 {
            let arrived = try await conclave.why(name).objects.first?.waiterCount ?? 0
            if arrived >= count { return }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
