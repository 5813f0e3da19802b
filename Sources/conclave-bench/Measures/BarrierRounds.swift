import Conclave

extension Bench {
    /// Has as many parties as there are workers, a session each, meet once in each round, at a name of its
    /// own. `round` tells how long that took, in nanoseconds.
    func measureBarrier(
        _ measure: String,
        _ round: @escaping @Sendable ([Conclave], _ name: String) async throws -> UInt64
    ) throws {
        let parties = options.workers
        try wait {
            let connections = try await self.connect(parties)
            var samples = Samples()
            for number in 0..<self.options.rounds {
                samples.add(try await round(connections, "bench/\(measure)/\(number)"))
            }
            self.report.distribution(
                measure, .microseconds, samples, BarrierLast.how(parties: parties))
            for conclave in connections { await conclave.close() }
        }
    }
}
