import ArgumentParser
import Conclave
import Glibc

/// The leading candidate, a process of its own, is killed or closes its session, until the next one is
/// elected.
struct Election {
    enum Ending: String {
        case killed = "elect.kill9"
        case closed = "elect.close"
    }

    private let bench: Bench
    private let ending: Ending

    init(_ bench: Bench, ending: Ending) {
        self.bench = bench
        self.ending = ending
    }

    func run() throws {
        var candidates: [Companion] = []
        defer { for candidate in candidates { candidate.kill() } }
        let slot = "bench/\(ending.rawValue)/\(getpid())"
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
            switch ending {
            case .killed: candidates[0].signal()
            case .closed: candidates[0].tellToEnd()
            }
            let next = try firstElected(Array(candidates.dropFirst()))
            samples.add(from: start, to: Machine.now)
            candidates.removeFirst().kill()
            candidates.swapAt(0, next)
            try stand()
        }
        bench.report.distribution(
            ending.rawValue, .milliseconds, samples,
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
    @OptionGroup var pipes: Companion.Pipes

    func run() throws {
        let (slot, socket, pipes) = (slot, socket, pipes)
        let interrupts = Interrupts()
        let conclave = try interrupts.wait { try await Conclave.connect(socket: socket) }
        pipes.say(Companion.ready)
        let term = Task {
            try await conclave.withLeadership(of: slot) { _ in
                pipes.say(Self.elected)
                try await Task.sleep(for: .seconds(3_600))
            }
        }
        try interrupts.sleep(until: [pipes.hear])
        try interrupts.wait { await conclave.close() }
        term.cancel()
    }
}
