import ArgumentParser
import Conclave
import Glibc

/// A member of a task group, a process of its own, is killed: until another one is told the view without
/// it.
struct MulticastKill9 {
    private let bench: Bench

    init(_ bench: Bench) {
        self.bench = bench
    }

    func run() throws {
        let bench = bench
        let sockets = bench.group.sockets
        let name = "bench/mcast-kill9/\(getpid())"
        let conclave = try bench.wait {
            try await Conclave.connect(socket: sockets[sockets.count - 1], label: "bench")
        }
        let member = try bench.wait { try await conclave.join(name) }
        var samples = Samples()
        for _ in 0..<bench.options.rounds {
            let victim = try Companion([
                MemberCommand.name, "--group", name, "--socket", sockets[0],
            ])
            defer { victim.kill() }
            guard try victim.wait(bench.interrupts) == Companion.ready else {
                throw BenchFailure("a member cannot reach its daemon")
            }
            samples.add(try bench.wait { try await Self.kill(victim, member) })
        }
        bench.report.distribution(
            "mcast.kill9", .milliseconds, samples,
            [
                Field("how", .text("kill until another member is told the view without it"))
            ])
        try bench.wait {
            try await member.leave()
            await conclave.close()
        }
    }

    private static func kill(_ victim: Companion, _ member: Membership) async throws -> UInt64 {
        var updates = member.views.makeAsyncIterator()
        func view(_ isWanted: (GroupView) -> Bool) async throws -> UInt64 {
            while let update = try await updates.next() {
                if let view = update.view, isWanted(view) { return Machine.now }
            }
            throw BenchFailure("the group has ended")
        }
        let pid = UInt32(victim.pid)
        _ = try await view { $0.members.contains { $0.pid == pid } }
        let start = Machine.now
        victim.signal()
        return try await view { !$0.members.contains { $0.pid == pid } } - start
    }
}

/// What the process runs that is killed.
struct MemberCommand: ParsableCommand {
    static let name = "member"
    static let configuration = CommandConfiguration(commandName: name, shouldDisplay: false)

    @Option var group: String
    @Option var socket: String
    @OptionGroup var pipes: Companion.Pipes

    func run() throws {
        let (group, socket, pipes) = (group, socket, pipes)
        let interrupts = Interrupts()
        let member = try interrupts.wait {
            try await Conclave.connect(socket: socket).join(group)
        }
        pipes.say(Companion.ready)
        try withExtendedLifetime(member) { try interrupts.sleep(until: [pipes.hear]) }
    }
}
