import Conclave
import Synchronization

/// Pairs that begin at fixed times, whether or not earlier ones are answered: a daemon that halts does
/// not thereby spare itself the requests that would have met the halt.
struct OpenLoop: Sendable {
    /// What one worker, or all of them, have seen.
    private struct Part {
        var pairs = PairSamples()
        /// How late idle workers were woken.
        var lateness = Samples()
        var lastEnd: UInt64 = 0

        mutating func add(_ other: Part) {
            pairs.add(other.pairs)
            lateness.add(other.lateness)
            lastEnd = max(lastEnd, other.lastEnd)
        }
    }

    private let bench: Bench
    private let rate: Int
    private let workers: Int
    private let conns: Int

    init(_ bench: Bench, rate: Int, workers: Int, conns: Int) {
        self.bench = bench
        self.rate = rate
        self.workers = workers
        self.conns = conns
    }

    func run(_ measure: String) throws {
        try bench.wait {
            let connections = try await bench.connect(conns)
            // Sessions and paths are there before it counts.
            let warming = Arrivals(rate: rate, seconds: 1, start: Machine.now)
            _ = try await pass(warming, connections)
            let usage = Usage(bench.group.processes)
            let arrivals = Arrivals(
                rate: rate, seconds: bench.options.secs, start: Machine.now + 10_000_000)
            var part = try await pass(arrivals, connections)
            let begun = part.pairs.pair.count
            for time in arrivals.left() { part.pairs.addUnsent(time, until: arrivals.end) }
            tell(measure, part, begun, arrivals, usage)
            for conclave in connections { await conclave.close() }
        }
    }

    private func tell(
        _ measure: String, _ part: Part, _ begun: Int, _ arrivals: Arrivals, _ usage: Usage
    ) {
        let how =
            bench.how(workers: workers, conns: conns) + [
                Field("offered", .count(rate)), Field("unsent", .count(arrivals.count - begun)),
                Field("late_us", .number(part.lateness.percentile(50) / 1e3)),
            ]
        part.pairs.tell(measure, bench.report, how)
        let seconds = Double(part.lastEnd - min(arrivals.start, part.lastEnd)) / 1e9
        bench.report.value(
            "\(measure).rate", "pairs/s", seconds > 0 ? Double(begun) / seconds : 0, how)
        usage.tellCPU(pairs: begun, bench.report, how)
    }

    private func pass(_ arrivals: Arrivals, _ connections: [Conclave]) async throws -> Part {
        try await withThrowingTaskGroup(of: Part.self) { group in
            for worker in 0..<workers {
                let conclave = connections[worker % conns]
                group.addTask {
                    try await Self.work(conclave, "bench/open/\(worker)", arrivals)
                }
            }
            var all = Part()
            for try await part in group { all.add(part) }
            return all
        }
    }

    private static func work(
        _ conclave: Conclave, _ name: String, _ arrivals: Arrivals
    ) async throws -> Part {
        var part = Part()
        while let intended = arrivals.next(at: Machine.now) {
            let now = Machine.now
            if now < intended {
                try await Task.sleep(for: .nanoseconds(Int64(intended - now)))
                part.lateness.add(from: intended, to: Machine.now)
            }
            let lock = try await conclave.lock(name)
            let acquired = Machine.now
            try await lock.release()
            part.lastEnd = Machine.now
            part.pairs.add(intended, acquired, part.lastEnd)
        }
        return part
    }
}

/// Times at which something shall begin, evenly spaced; whoever is free takes the next one.
final class Arrivals: Sendable {
    let count: Int
    let start: UInt64
    /// When the rest is given up: twice the time that they are for has passed.
    let end: UInt64
    private let pause: Double
    private let taken = Atomic<Int>(0)

    init(rate: Int, seconds: Double, start: UInt64) {
        count = max(1, Int(Double(rate) * seconds))
        pause = 1e9 / Double(rate)
        self.start = start
        end = start + UInt64(seconds * 2e9)
    }

    /// `nil`: there are no more, or it is too late for those.
    func next(at now: UInt64) -> UInt64? {
        guard now < end else { return nil }
        let index = taken.wrappingAdd(1, ordering: .relaxed).oldValue
        return index < count ? time(index) : nil
    }

    /// The times that nobody has taken.
    func left() -> [UInt64] {
        (min(taken.load(ordering: .relaxed), count)..<count).map { time($0) }
    }

    private func time(_ index: Int) -> UInt64 { start + UInt64(Double(index) * pause) }
}
