import Conclave
import Synchronization

/// How many ordered messages a second a member is told while one, or every one, sends without a pause.
struct MulticastRate {
    private final class Counts: Sendable {
        let gate = Gate()
        let told = Atomic<Int>(0)
        let own = Atomic<Int>(0)
        let resyncs = Atomic<Int>(0)
    }

    private let bench: Bench

    init(_ bench: Bench) {
        self.bench = bench
    }

    func run() throws {
        let bench = bench
        let daemons = bench.group.sockets.count
        for senders in daemons > 1 ? [1, daemons] : [1] {
            try bench.wait { try await Self.run(bench, senders: senders) }
        }
    }

    private static func run(_ bench: Bench, senders: Int) async throws {
        let group = try await Multicast(bench, "mcast-rate-\(senders)")
        let counts = Counts()
        let payload = Multicast.payload(bench)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await count(group.members[0], counts) }
            for member in group.members.dropFirst() {
                tasks.addTask { try await Multicast.drain(member) }
            }
            try await withThrowingTaskGroup(of: Void.self) { sending in
                for member in group.members.prefix(senders) {
                    for _ in 0..<bench.options.workers {
                        sending.addTask { try await send(payload, by: member, counts.gate) }
                    }
                }
                try await Task.sleep(for: .milliseconds(500))
                counts.gate.phase.store(Gate.measuring, ordering: .relaxed)
                let usage = Usage(bench.group.processes)
                try await Task.sleep(for: bench.length)
                counts.gate.phase.store(Gate.over, ordering: .relaxed)
                tell(bench, counts, usage, group, senders: senders)
                try await sending.waitForAll()
            }
            try await group.close()
        }
    }

    private static func send(
        _ payload: [UInt8], by member: Membership, _ gate: Gate
    ) async throws {
        while gate.phase.load(ordering: .relaxed) != Gate.over { try await member.send(payload) }
    }

    private static func count(_ member: Membership, _ counts: Counts) async throws {
        for try await update in member {
            guard counts.gate.phase.load(ordering: .relaxed) == Gate.measuring else { continue }
            if update.kind == .resync { counts.resyncs.wrappingAdd(1, ordering: .relaxed) }
            guard let message = update.message else { continue }
            counts.told.wrappingAdd(1, ordering: .relaxed)
            if message.member == member.token { counts.own.wrappingAdd(1, ordering: .relaxed) }
        }
    }

    private static func tell(
        _ bench: Bench, _ counts: Counts, _ usage: Usage, _ group: Multicast, senders: Int
    ) {
        let told = Double(counts.told.load(ordering: .relaxed))
        let own = Double(counts.own.load(ordering: .relaxed))
        let (seconds, spent) = (usage.seconds, usage.spent)
        let bytes = bench.options.bytes
        bench.report.value(
            "mcast.rate", "msg/s", told / seconds,
            [
                Field("bytes", .count(bytes)), Field("members", .count(group.members.count)),
                Field("senders", .count(senders)),
                Field("in_flight", .count(bench.options.workers)),
                Field("mb_s", .number(told * Double(bytes) / seconds / 1e6)),
                Field("own_share", .number(own / max(told, 1))),
                Field("server_cpu_per10k", .number(spent.servers * 1e4 / max(told, 1))),
                Field("client_cpu", .number(spent.own * 1e4 / max(told, 1))),
                Field("resyncs", .count(counts.resyncs.load(ordering: .relaxed))),
            ])
    }
}
