import Conclave

/// The parties of a double barrier leave at once: from then until all are out.
struct BarrierLeave {
    private let bench: Bench

    init(_ bench: Bench) {
        self.bench = bench
    }

    func run() throws {
        try bench.measureBarrier("barrier.leave", Self.round)
    }

    private static func round(_ connections: [Conclave], _ name: String) async throws -> UInt64 {
        let inside = try await withThrowingTaskGroup(of: DoubleBarrier.Inside.self) { group in
            for conclave in connections {
                group.addTask {
                    try await conclave.doubleBarrier(name, parties: connections.count).enter()
                }
            }
            var all: [DoubleBarrier.Inside] = []
            for try await place in group { all.append(place) }
            return all
        }
        return try await withThrowingTaskGroup(of: UInt64.self) { group in
            let start = Machine.now
            for place in inside {
                group.addTask {
                    try await place.leave()
                    return Machine.now
                }
            }
            var out = start
            for try await time in group { out = max(out, time) }
            return out - start
        }
    }
}
