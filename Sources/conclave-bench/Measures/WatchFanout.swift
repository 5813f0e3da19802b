import Conclave

/// A key is put until all who watch it are told.
struct WatchFanout {
    private let bench: Bench

    init(_ bench: Bench) {
        self.bench = bench
    }

    func run() throws {
        let (bench, processes) = (bench, bench.group.processes)
        let (watchers, conns) = (bench.options.workers, bench.options.conns)
        let nanoseconds = UInt64(bench.options.secs * 1e9)
        try bench.wait {
            let connections = try await bench.connect(conns)
            let writer = try await bench.connect(1)[0]
            let round = Round(waiting: watchers)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for watcher in 0..<watchers {
                    let updates = connections[watcher % conns].configuration.watch("bench/fanout")
                    group.addTask { try await Self.follow(updates, round) }
                }
                // Each is told the state as it is first.
                var samples = Samples()
                _ = await round.end()
                let (start, cpu) = (Machine.now, processes.cpu)
                while Machine.now < start + nanoseconds {
                    let begun = Machine.now
                    await round.begin(waiting: watchers)
                    try await writer.configuration.put("bench/fanout", "value")
                    samples.add(from: begun, to: await round.end())
                }
                let spent = (processes.cpu - cpu) * 1e4 / Double(max(samples.count, 1))
                bench.report.distribution(
                    "watch.fanout", .microseconds, samples,
                    [
                        Field("watchers", .count(watchers)), Field("conns", .count(conns)),
                        Field("server_cpu_per10k", .number(spent)),
                    ])
                group.cancelAll()
            }
            for conclave in connections + [writer] { await conclave.close() }
        }
    }

    private static func follow(_ updates: ConfigurationUpdates, _ round: Round) async throws {
        do {
            for try await update in updates where update.version != nil {
                await round.tell(at: Machine.now)
            }
        } catch is CancellationError {
            return
        }
    }

    /// Of one change: who is still to be told of it.
    private actor Round {
        private var waiting: Int
        private var last: UInt64 = 0
        private var ending: CheckedContinuation<UInt64, Never>?

        init(waiting: Int) {
            self.waiting = waiting
        }

        func begin(waiting count: Int) {
            waiting = count
        }

        func tell(at time: UInt64) {
            waiting -= 1
            last = max(last, time)
            guard waiting == 0 else { return }
            ending?.resume(returning: last)
            ending = nil
        }

        /// When the last one was told.
        func end() async -> UInt64 {
            if waiting <= 0 { return last }
            return await withCheckedContinuation { ending = $0 }
        }
    }
}
