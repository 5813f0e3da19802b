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

    /// With as many it is likely that some of them learn first that nobody knows what became of their
    /// candidacy, and others that they hear nothing of the leader.
    @Test func `whoever stands by stays, however long the daemon is away`() throws {
        let group = try Group.serving(of: 1)
        let schedulers = try (1...12).map { _ in
            try group.example("scheduler", ["nightly", "--milliseconds", "50"])
        }
        try wait(for: "all") {
            try group.run("why", ["nightly", "--json"]).output.contains("\"position\":11")
                && schedulers.contains { runs(by: $0).count >= 5 }
        }
        group.kill(1)
        // Until their sessions have ended, and each has tried anew.
        try wait(for: "each to stand again", seconds: 60) {
            schedulers.allSatisfy { !$0.isRunning || $0.output.contains("stands again: ") }
        }
        for scheduler in schedulers {
            try #require(scheduler.isRunning, "\(scheduler.output) \(scheduler.errors)")
        }
        try group.start(1)
        let counts = schedulers.map { runs(by: $0).count }
        try wait(for: "a run: \(schedulers.map(\.output))", seconds: 60) {
            schedulers.map { runs(by: $0).count } != counts
        }
        try check(schedulers, leastTermCount: 2)
        for scheduler in schedulers { scheduler.kill() }
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
    private func check(_ schedulers: [Running], leastTermCount: Int = 4) throws {
        let all = schedulers.flatMap { runs(by: $0) }.sorted { $0.number < $1.number }
        #expect(Set(all.map(\.number)).count == all.count)
        #expect(all.map(\.term) == all.map(\.term).sorted())
        let termCount = Set(all.map(\.term)).count
        #expect(termCount >= leastTermCount)
        // What a leader has claimed last may be missing.
        #expect(Int(try #require(all.last).number) <= all.count + termCount)
    }
}
