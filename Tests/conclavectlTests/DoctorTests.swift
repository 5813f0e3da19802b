import Conclave
import ConclaveBase
import ConclaveWire
import Testing

@testable import conclavectl

@Suite struct `What the doctor says` {
    private func group(
        _ states: [MemberState], isServing: Bool = true, isDurable: Bool = true,
        disturbances: [ConclaveWire.Disturbance] = []
    ) -> [Finding] {
        let members = states.enumerated().map { place, state in
            MemberReport(
                node: NodeID(UInt32(place + 1)), address: "10.0.0.\(place + 1):7400", state: state,
                rank: state == .member ? UInt32(place) : nil, incarnation: nil)
        }
        let report = StatusReport(
            node: NodeID(1), lineage: .none, epoch: Epoch(3), rank: 0,
            serving: ServingState(isServing: isServing, reason: isServing ? "" : "no majority"),
            isDurable: isDurable, members: members, version: Version(9), age: .zero, sessions: 1,
            objects: 2,
            timing: TimingReport(
                heartbeat: .milliseconds(100), suspicion: .seconds(1), stall: .seconds(5),
                minimumTTL: .seconds(3), maximumTTL: .seconds(60)),
            disturbances: disturbances)
        return GroupExamination(GroupStatus(report)).findings
    }

    private func grades(_ findings: [Finding]) -> [String: Finding.Grade] {
        Dictionary(findings.map { ($0.subject, $0.grade) }, uniquingKeysWith: { $1 })
    }

    @Test func `of a group with all its members: good`() {
        let found = group([.member, .member, .member])
        #expect(found.allSatisfy { $0.grade == .good })
        #expect(found.contains { $0.text.contains("1 of them may be lost at once") })
    }

    @Test func `of what goes wrong by order: that it does`() {
        let found = group(
            [.member, .member, .member],
            disturbances: [ConclaveWire.Disturbance(.cut(NodeID(3)), for: .seconds(9))])
        #expect(found.first { $0.subject == "chaos" }?.grade == .warning)
    }

    @Test func `of a group with a member short: who, and that no further one may go`() {
        let found = grades(group([.member, .member, .absent]))
        #expect(found["member 3"] == .warning && found["majority"] == .warning)
        #expect(found["daemon"] == .good)
        #expect(grades(group([.member, .member, .member, .joining]))["member 4"] == .note)
        #expect(grades(group([.member, .member, .suspected]))["member 3"] == .warning)
    }

    @Test func `of groups that are too small, or in memory`() {
        #expect(grades(group([.member]))["majority"] == .note)
        #expect(grades(group([.member, .member]))["majority"] == .warning)
        #expect(grades(group([.member], isDurable: false))["durability"] == .note)
        let four = group([.member, .member, .member, .member])
        #expect(four.contains { $0.text.hasSuffix("1 of them may be lost at once, as of 3") })
    }

    @Test func `of a daemon that does not serve: a fault, and its reason`() {
        let found = group([.member, .absent, .absent], isServing: false)
        #expect(found.first?.grade == .fault)
        #expect(found.first?.text.contains("no majority") == true)
        #expect(grades(found)["majority"] == nil)
    }

    @Test func `of a host`() {
        var facts = HostExamination.Facts()
        facts.clockSource = "tsc"
        facts.isClockSteered = true
        facts.hasGroupConclave = true
        facts.mayUseGroupSocket = true
        #expect(HostExamination(facts).findings.map(\.grade) == [.good, .good, .good])
        facts.clockSource = "hpet"
        facts.isClockSteered = false
        facts.hasHypervisor = true
        facts.mayUseGroupSocket = false
        facts.swapUsed = 5 << 20
        let found = HostExamination(facts).findings
        #expect(found.map(\.grade) == [.warning, .note, .note, .warning, .note])
        #expect(found.last?.text.hasPrefix("5 MiB") == true)
        facts.hasGroupConclave = false
        #expect(grades(HostExamination(facts).findings)["access"] == .note)
    }

    @Test func `of this host it says something`() {
        let facts = HostExamination.Facts.read()
        #expect(facts.clockSource != nil)
    }

    @Test func `of a disk: how long syncs take, and whether that is too long`() {
        func grade(_ times: [Duration], stall: Duration? = .seconds(5)) -> Finding.Grade? {
            DiskExamination(times: times).findings(stall: stall).first?.grade
        }
        let fast = Array(repeating: Duration.microseconds(300), count: 9)
        #expect(grade(fast) == .good)
        #expect(grade(fast + [.seconds(2)]) == .warning)
        #expect(grade(fast + [.seconds(2)], stall: nil) == .good)
        #expect(grade(Array(repeating: .milliseconds(12), count: 9)) == .warning)
        #expect(grade(Array(repeating: .nanoseconds(900), count: 9)) == .warning)
        #expect(throws: SystemFailure.self) { try DiskExamination(directory: "/nowhere/at/all") }
        #expect(throws: SystemFailure.self) { try DiskExamination(directory: "/proc") }
    }

    @Test func `in a line and what to do below it`() {
        let finding = Finding(.warning, "disk", "is slow", advice: "get another")
        #expect(finding.line == "warning  disk: is slow\n         get another")
        #expect(finding.json.description.contains(#""advice":"get another""#))
    }
}
