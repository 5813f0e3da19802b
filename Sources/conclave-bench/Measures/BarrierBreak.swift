import ArgumentParser
import Conclave

/// Of the parties that wait for one more, one that is a process of its own is killed: from then until
/// all others have the answer, which is the same for all and names the process.
struct BarrierBreak {
    private let bench: Bench

    init(_ bench: Bench) {
        self.bench = bench
    }

    func run() throws {
        let bench = bench
        let waiting = bench.options.workers
        let connections = try bench.wait { try await bench.connect(waiting - 1) }
        var samples = Samples()
        for round in 0..<bench.options.rounds {
            samples.add(try killed(at: "bench/break/\(round)", parties: waiting + 1, connections))
        }
        let how = [
            Field("waiting", .count(waiting)), Field("conns", .count(connections.count)),
            Field("target", .text("all")),
        ]
        bench.report.distribution("barrier.break", .microseconds, samples, how)
        try bench.wait { for conclave in connections { await conclave.close() } }
    }

    private func killed(
        at name: String, parties: Int, _ connections: [Conclave]
    ) throws -> UInt64 {
        let victim = try Companion([
            PartyCommand.name, "--barrier", name, "--parties", "\(parties)", "--socket",
            bench.group.sockets[0],
        ])
        defer { victim.kill() }
        guard try victim.wait(bench.interrupts) == Companion.ready else {
            throw BenchFailure("a party cannot reach its daemon")
        }
        return try bench.wait { try await Self.kill(victim, at: name, parties, connections) }
    }

    private static func kill(
        _ victim: Companion, at name: String, _ parties: Int, _ connections: [Conclave]
    ) async throws -> UInt64 {
        try await withThrowingTaskGroup(of: (at: UInt64, what: String).self) { group in
            for conclave in connections {
                group.addTask { try await broken(conclave, name, parties) }
            }
            try await BarrierLast.waitForOthers(connections[0], name, connections.count + 1)
            let start = Machine.now
            victim.signal()
            var last = start
            var answers: Set<String> = []
            for try await answer in group {
                last = max(last, answer.at)
                answers.insert(answer.what)
            }
            guard answers.count == 1, answers.first?.contains("pid \(victim.pid) ") == true else {
                throw BenchFailure("parties were told different things: \(answers.sorted())")
            }
            return last - start
        }
    }

    /// When one party was told that the barrier broke, and what.
    private static func broken(
        _ conclave: Conclave, _ name: String, _ parties: Int
    ) async throws -> (at: UInt64, what: String) {
        do {
            _ = try await conclave.barrier(name, parties: parties).arriveAndWait()
        } catch let error as ConclaveError where error.code == .barrierBroken {
            return (Machine.now, error.message)
        }
        throw BenchFailure("barrier \(name) tripped, though not all came")
    }
}

/// What the process runs that is killed.
struct PartyCommand: ParsableCommand {
    static let name = "party"
    static let configuration = CommandConfiguration(commandName: name, shouldDisplay: false)

    @Option var barrier: String
    @Option var parties: Int
    @Option var socket: String
    @OptionGroup var pipes: Companion.Pipes

    func run() throws {
        let (barrier, parties, socket, pipes) = (barrier, parties, socket, pipes)
        try Interrupts().wait {
            let conclave = try await Conclave.connect(socket: socket)
            pipes.say(Companion.ready)
            _ = try await conclave.barrier(barrier, parties: parties).arriveAndWait()
        }
    }
}
