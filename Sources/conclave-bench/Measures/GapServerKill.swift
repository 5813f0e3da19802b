import Conclave
import Synchronization

/// The longest time without a success for a steady client of one daemon while another is killed.
struct GapServerKill {
    private let bench: Bench

    init(_ bench: Bench) {
        self.bench = bench
    }

    func run() throws {
        let group = bench.group
        let victim = try group.firstRanked(bench.interrupts)
        let socket = group.sockets[(victim + 1) % group.sockets.count]
        let loop = SteadyLoop()
        let task = Task { await loop.run(socket) }
        try bench.interrupts.sleep(until: [], milliseconds: 2_000)
        loop.killed.store(group.kill(victim), ordering: .releasing)
        try bench.interrupts.sleep(until: [], milliseconds: Int32(bench.options.secs * 1_000))
        loop.isOver.store(true, ordering: .relaxed)
        try bench.wait { await task.value }
        bench.report.value(
            "gap.server_kill", "ms", Double(loop.longestAfter.load(ordering: .relaxed)) / 1e6,
            [
                Field(
                    "longest_before_ms",
                    .number(Double(loop.longestBefore.load(ordering: .relaxed)) / 1e6)),
                Field("errors", .count(loop.errors.load(ordering: .relaxed))),
                Field("victim", .count(victim)),
            ])
        try group.restart(victim, bench.interrupts)
    }
}

/// Takes and releases one lock after the other, and knows its longest pause.
final class SteadyLoop: Sendable {
    /// When the daemon was killed; zero before.
    let killed = Atomic<UInt64>(0)
    let isOver = Atomic<Bool>(false)
    let longestBefore = Atomic<UInt64>(0)
    let longestAfter = Atomic<UInt64>(0)
    let errors = Atomic<Int>(0)

    func run(_ socket: String) async {
        guard let conclave = try? await Conclave.connect(socket: socket) else { return }
        var last = Machine.now
        var number = 0
        while !isOver.load(ordering: .relaxed) {
            number += 1
            do {
                try await conclave.lock("bench/gap/\(number)").release()
            } catch {
                errors.wrappingAdd(1, ordering: .relaxed)
                try? await Task.sleep(for: .milliseconds(2))
                continue
            }
            let now = Machine.now
            if killed.load(ordering: .acquiring) != 0 {
                longestAfter.max(now - last, ordering: .relaxed)
            } else {
                longestBefore.max(now - last, ordering: .relaxed)
            }
            last = now
        }
        await conclave.close()
    }
}
