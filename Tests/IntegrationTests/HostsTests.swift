import Foundation
import TestSupport
import Testing

/// Daemons on hosts of their own, with everything going wrong that can go wrong there.
@Suite(.serialized) struct `Hosts in network namespaces` {
    /// By `Tests/hosts`; without it, what a run of all tests has time for.
    private struct Plan {
        var members = 3
        var seconds = 30.0
        var seed = UInt64.random(in: 1...999_999)

        init() {
            let environment = ProcessInfo.processInfo.environment
            members = environment["CONCLAVE_HOSTS_MEMBERS"].flatMap(Int.init) ?? members
            seconds = environment["CONCLAVE_HOSTS_SECONDS"].flatMap(Double.init) ?? seconds
            seed = environment["CONCLAVE_HOSTS_SEED"].flatMap(UInt64.init) ?? seed
        }

        var command: String {
            "Tests/hosts --members \(members) --seconds \(Int(seconds)) --seed \(seed)"
        }
    }

    @Test
    func `after cuts, kills, pauses, full disks and damage nothing promised was broken`() throws {
        if let obstacle = Hosts.obstacle { try Test.cancel("\(obstacle)") }
        let plan = Plan()
        print("this run again: \(plan.command)")
        let hosts = try Hosts(plan.members)
        let group = try Group(on: hosts)
        defer { take(group, hosts) }
        let clients = HostClients(group)
        do {
            try run(plan, HostFaults(hosts, group, clients, seed: plan.seed), clients, group)
        } catch {
            let kept = keep(hosts.directory, seed: plan.seed)
            Issue.record("\(error)\nagain: \(plan.command)\nlogs and histories: \(kept)")
        }
    }

    private func run(
        _ plan: Plan, _ faults: HostFaults, _ clients: HostClients, _ group: Group
    ) throws {
        for node in 1...group.count { try group.start(node) }
        try group.waitUntilServing()
        try clients.start()
        try faults.run(seconds: plan.seconds)
        try faults.waitForOneView()
        let answers = try clients.finish()
        faults.say("\(faults.count) faults; answers: \(text(of: answers))")
        let verdict = try clients.check()
        faults.say(verdict.output + verdict.errors)
        try require(verdict.status == 0, verdict.output + verdict.errors)
        try require(verdict.output.contains(" 0 objects undecided"), verdict.output)
        for kind in ["granted", "elected", "tripped"] {
            try require(answers[kind, default: 0] > 0, "nothing was \(kind)")
        }
        let statuses = try group.stop()
        try require(statuses.allSatisfy { $0 == 0 }, "the daemons ended with \(statuses)")
    }

    private func require(_ condition: Bool, _ message: String) throws {
        guard condition else { throw HostFaults.Failure(description: message) }
    }

    private func text(of counts: [String: Int]) -> String {
        counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
            .joined(separator: ", ")
    }

    private func take(_ group: Group, _ hosts: Hosts) {
        for node in 1...group.count { group.kill(node) }
        hosts.remove()
    }

    /// Copies what tells how it came, and returns where it is.
    private func keep(_ directory: TemporaryDirectory, seed: UInt64) -> String {
        let files = FileManager.default
        let place = files.temporaryDirectory.appending(path: "conclave-hosts-\(seed)").path
        try? files.removeItem(atPath: place)
        try? files.createDirectory(atPath: place, withIntermediateDirectories: true)
        let names = (try? files.contentsOfDirectory(atPath: directory.path)) ?? []
        for name in names where name.hasPrefix("run-") || name.hasPrefix("history-") {
            try? files.copyItem(atPath: directory.file(name), toPath: "\(place)/\(name)")
        }
        return place
    }
}
