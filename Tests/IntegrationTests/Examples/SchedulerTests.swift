import Foundation
import TestSupport
import Testing

/// `examples/scheduler`: leaders that are killed, or paused with their hosts.
@Suite(.serialized) struct `Example scheduler` {
    @Test func `the runs go on under the next leader, and none is begun twice`() throws {
        let group = try Group.serving()
        let schedulers = try (1...3).map { node in
            let scheduler = try group.example(
                "scheduler", ["nightly", "--milliseconds", "50"], at: node)
            // One after the other, so that it is known who leads next.
            try wait(for: "scheduler \(node): \(scheduler.errors)") {
                try group.run("why", ["nightly", "--json"]).output.contains(
                    "\"pid\":\(scheduler.pid)")
            }
            return scheduler
        }
        try waitForRuns(by: schedulers[0])
        for follower in schedulers.dropFirst() {
            let line = "process \(schedulers[0].pid) on host 1 leads: run "
            try wait(for: "the follower: \(follower.output)") { follower.output.contains(line) }
        }
        schedulers[0].kill()
        try waitForRuns(by: schedulers[1])
        #expect(schedulers[1].output.contains("the one before: died\n"))

        try group.daemon(2).send(SIGSTOP)
        schedulers[1].send(SIGSTOP)
        try waitForRuns(by: schedulers[2])
        try group.daemon(2).send(SIGCONT)
        schedulers[1].send(SIGCONT)
        try wait(for: "the loss: \(schedulers[1].output)", seconds: 60) {
            schedulers[1].output.contains("stands again: ")
        }
        try wait(for: "it to stand by", seconds: 60) {
            try group.run("why", ["nightly", "--json"]).output.contains(
                "\"pid\":\(schedulers[1].pid)")
        }
        schedulers[2].kill()
        try waitForRuns(by: schedulers[1])
        schedulers[1].kill()
        try check(schedulers)
    }

    @Test func `a leader whose claim fails resigns, and counts on from what it finds`() throws {
        let group = try Group.serving(of: 1)
        let scheduler = try group.example("scheduler", ["nightly", "--milliseconds", "50"])
        try waitForRuns(by: scheduler)
        #expect(try group.run("put", ["nightly/runs", "1000"]).status == 0)
        try wait(for: "the next term: \(scheduler.output) \(scheduler.errors)") {
            scheduler.output.contains("resigns\n") && runs(by: scheduler).last?.number ?? 0 > 1000
        }
        let all = runs(by: scheduler)
        #expect(Set(all.map(\.number)).count == all.count)
        #expect(all.first { $0.number > 1000 }?.number == 1001)
        scheduler.kill()
    }

    private struct Run {
        var number: UInt64
        var term: UInt64
    }

    private func runs(by scheduler: Running) -> [Run] {
        scheduler.output.matches(of: /run ([0-9]+) in term ([0-9]+)\n/).map {
            Run(number: UInt64($0.1) ?? 0, term: UInt64($0.2) ?? 0)
        }
    }

    private func waitForRuns(by scheduler: Running) throws {
        let count = runs(by: scheduler).count + 5
        try wait(for: "\(count) runs: \(scheduler.output) \(scheduler.errors)", seconds: 60) {
            runs(by: scheduler).count >= count
        }
    }

    /// No number twice, and those of a later term are larger.
    private func check(_ schedulers: [Running]) throws {
        let all = schedulers.flatMap { runs(by: $0) }.sorted { $0.number < $1.number }
        #expect(Set(all.map(\.number)).count == all.count)
        #expect(all.map(\.term) == all.map(\.term).sorted())
        let termCount = Set(all.map(\.term)).count
        #expect(termCount >= 4)
        // What a leader has claimed last may be missing.
        #expect(Int(try #require(all.last).number) <= all.count + termCount)
    }
}
