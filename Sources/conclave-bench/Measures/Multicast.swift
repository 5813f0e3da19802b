import Conclave
import Glibc

/// A task group with a member at each daemon, all of them in this program.
struct Multicast: Sendable {
    let connections: [Conclave]
    let members: [Membership]

    init(_ bench: Bench, _ name: String) async throws {
        connections = try await bench.connect(bench.group.sockets.count)
        var members: [Membership] = []
        for conclave in connections {
            members.append(try await conclave.join("bench/\(name)/\(getpid())"))
        }
        self.members = members
    }

    /// Lets a member be told everything, as long as it is one.
    static func drain(_ member: Membership) async throws {
        for try await _ in member {}
    }

    func close() async throws {
        for member in members { try await member.leave() }
        for conclave in connections { await conclave.close() }
    }

    static func payload(_ bench: Bench) -> [UInt8] {
        [UInt8](repeating: UInt8(ascii: "m"), count: bench.options.bytes)
    }
}

/// One message at a time, from the call of send until the sender is told it, in its place among all.
struct MulticastLatency {
    private static let warmingMessages = 200

    private let bench: Bench

    init(_ bench: Bench) {
        self.bench = bench
    }

    func run() throws {
        let (bench, processes) = (bench, bench.group.processes)
        try bench.wait {
            let group = try await Multicast(bench, "mcast")
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for member in group.members.dropFirst() {
                    tasks.addTask { try await Multicast.drain(member) }
                }
                var updates = group.members[0].makeAsyncIterator()
                let payload = Multicast.payload(bench)
                for _ in 0..<Self.warmingMessages {
                    _ = try await Self.message(group.members[0], &updates, payload)
                }
                let (cpu, end) = (processes.cpu, Machine.now + UInt64(bench.options.secs * 1e9))
                var samples = Samples()
                while Machine.now < end {
                    samples.add(try await Self.message(group.members[0], &updates, payload))
                }
                let spent = (processes.cpu - cpu) * 1e4 / Double(max(samples.count, 1))
                bench.report.distribution(
                    "mcast.latency", .microseconds, samples,
                    [
                        Field("bytes", .count(payload.count)),
                        Field("members", .count(group.members.count)),
                        Field("server_cpu_per10k", .number(spent)),
                        Field("how", .text("send called until told to the sender itself")),
                    ])
                try await group.close()
            }
        }
    }

    private static func message(
        _ member: Membership, _ updates: inout Membership.AsyncIterator, _ payload: [UInt8]
    ) async throws -> UInt64 {
        let start = Machine.now
        async let receipt = member.send(payload)
        while let update = try await updates.next() {
            guard update.message?.member == member.token else { continue }
            let time = Machine.now - start
            _ = try await receipt
            return time
        }
        throw BenchFailure("the group has ended")
    }
}
