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
        var candidates: [Candidate] = []
        defer { for candidate in candidates { candidate.kill() } }
        let slot = "bench/elect/\(getpid())"
        func stand() throws {
            let socket = bench.group.sockets[candidates.count % bench.group.sockets.count]
            let candidate = try Candidate(slot: slot, socket: socket)
            candidates.append(candidate)
            guard try candidate.wait(bench.interrupts) == Candidate.ready else {
                throw BenchFailure("a candidate cannot reach its daemon")
            }
        }
        try stand()
        guard try candidates[0].wait(bench.interrupts) == Candidate.elected else {
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
    private func firstElected(_ standbys: [Candidate]) throws -> Int {
        let end = Machine.now + 60_000_000_000
        while Machine.now < end {
            try bench.interrupts.sleep(until: standbys.map(\.descriptor), milliseconds: 1_000)
            for (index, standby) in standbys.enumerated() where standby.hasSomething {
                guard try standby.wait(bench.interrupts) == Candidate.elected else { continue }
                return index
            }
        }
        throw BenchFailure("nobody was elected in a minute")
    }
}

/// A process that stands for leader and says so through a pipe.
struct Candidate {
    static let ready = UInt8(ascii: "r")
    static let elected = UInt8(ascii: "e")

    private let pid: Int32
    /// Readable when it has said something.
    let descriptor: Int32

    init(slot: String, socket: String) throws {
        var ends: [Int32] = [0, 0]
        guard unsafe pipe(&ends) == 0 else { throw BenchFailure("no descriptor is left") }
        _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)
        pid = Spawn.start([
            "/proc/self/exe", "candidate", "--slot", slot, "--socket", socket, "--tell",
            "\(ends[1])",
        ])
        close(ends[1])
        descriptor = ends[0]
        guard pid > 0 else { throw BenchFailure("cannot start a candidate") }
    }

    var hasSomething: Bool {
        var polled = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
        return unsafe poll(&polled, 1, 0) == 1
    }

    /// The next word; `nil`: it has ended.
    func wait(_ interrupts: Interrupts) throws -> UInt8? {
        try interrupts.sleep(until: [descriptor], milliseconds: 20_000)
        var byte: UInt8 = 0
        guard hasSomething, unsafe read(descriptor, &byte, 1) == 1 else { return nil }
        return byte
    }

    func kill() {
        _ = Glibc.kill(pid, SIGKILL)
        _ = waitpid(pid, nil, 0)
        close(descriptor)
    }
}

/// What a candidate's process runs.
struct CandidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "candidate", shouldDisplay: false)

    @Option var slot: String
    @Option var socket: String
    /// A descriptor to write to.
    @Option var tell: Int32

    func run() throws {
        let (slot, socket, tell) = (slot, socket, tell)
        try Interrupts().wait {
            let conclave = try await Conclave.connect(socket: socket)
            Self.say(Candidate.ready, tell)
            try await conclave.withLeadership(of: slot) { _ in
                Self.say(Candidate.elected, tell)
                try await Task.sleep(for: .seconds(3_600))
            }
        }
    }

    private static func say(_ word: UInt8, _ descriptor: Int32) {
        var word = word
        _ = unsafe write(descriptor, &word, 1)
    }
}
