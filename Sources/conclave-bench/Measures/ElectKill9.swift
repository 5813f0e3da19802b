import ArgumentParser
import Conclave
import Glibc

/// The leading candidate, a process of its own, is killed until the next one is elected.
struct ElectKill9 {
    private let bench: Bench

    init(_ bench: Bench) {
        self.bench = bench
    }

    func run() throws {
        var candidates: [Companion] = []
        defer { for candidate in candidates { candidate.kill() } }
        let slot = "bench/elect/\(getpid())"
        func stand() throws {
            let socket = bench.group.sockets[candidates.count % bench.group.sockets.count]
            let candidate = try Companion([
                CandidateCommand.name, "--slot", slot, "--socket", socket,
            ])
            candidates.append(candidate)
            guard try candidate.wait(bench.interrupts) == Companion.ready else {
                throw BenchFailure("a candidate cannot reach its daemon")
            }
        }
        try stand()
        guard try candidates[0].wait(bench.interrupts) == CandidateCommand.elected else {
            throw BenchFailure("nobody was elected")
        }
        try stand()
        try stand()
        var samples = Samples()
        for round in 0..<bench.options.rounds {
            try bench.interrupts.sleep(until: [], milliseconds: Int32(300 + 37 * round % 500))
            let start = Machine.now
            candidates[0].kill()
            let next = try firstElected(Array(candidates.dropFirst()))
            samples.add(from: start, to: Machine.now)
            candidates.removeFirst()
            candidates.swapAt(0, next)
            try stand()
        }
        bench.report.distribution(
            "elect.kill9", .milliseconds, samples,
            [
                Field("ttl_asked_s", .count(5)), Field("target", .text("all")),
                Machine.syncTime(bench.group.directory),
            ])
    }

    /// The position of the candidate that says so first.
    private func firstElected(_ standbys: [Companion]) throws -> Int {
        let end = Machine.now + 60_000_000_000
        while Machine.now < end {
            try bench.interrupts.sleep(until: standbys.map(\.descriptor), milliseconds: 1_000)
            for (index, standby) in standbys.enumerated() where standby.hasSomething {
                guard try standby.wait(bench.interrupts) == CandidateCommand.elected else {
                    continue
                }
                return index
            }
        }
        throw BenchFailure("nobody was elected in a minute")
    }
}

/// What a candidate's process runs.
struct CandidateCommand: ParsableCommand {
    static let name = "candidate"
    static let configuration = CommandConfiguration(commandName: name, shouldDisplay: false)
    static let elected = UInt8(ascii: "e")

    @Option var slot: String
    @Option var socket: String
    /// A descriptor to write to.
    @Option var tell: Int32

    func run() throws {
        let (slot, socket, tell) = (slot, socket, tell)
        try Interrupts().wait {
            let conclave = try await Conclave.connect(socket: socket)
            Companion.say(Companion.ready, tell)
            try await conclave.withLeadership(of: slot) { _ in
                Companion.say(Self.elected, tell)
                try await Task.sleep(for: .seconds(3_600))
            }
        }
    }
}
