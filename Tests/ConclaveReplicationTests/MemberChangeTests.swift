import ConclaveBase
import ConclaveGroup
import Testing

@testable import ConclaveReplication

/// Members that are removed, and what becomes of their daemons.
@Suite struct `A removed member` {
    private func entry(_ number: UInt32) -> MemberList.Entry {
        MemberList.Entry(node: NodeID(number), address: [])
    }

    private func hasEnded(_ replica: TestReplica) -> Bool {
        replica.outputs.contains { if case .removed = $0 { true } else { false } }
    }

    private func change(
        _ action: MemberChange.Action, at replica: TestReplica, in group: [TestReplica]
    ) {
        replica.replica.change(MemberChange(action, by: ""), number: 1, now: replica.now)
        group.live(200)
        #expect(MemberChange(action, by: "").isDone(in: replica.replica.list))
    }

    @Test func `tells the others for a while, and ends`() throws {
        let group = try TestReplica.group(4)
        change(.remove(NodeID(4)), at: group[0], in: group)
        #expect(group[0].replica.view.members.count == 3)
        #expect(!hasEnded(group[3]))
        group.live(5_000)
        #expect(hasEnded(group[3]))
    }

    @Test func `goes on if it is added again before`() throws {
        let group = try TestReplica.group(4)
        change(.remove(NodeID(4)), at: group[0], in: group)
        change(.add(entry(4)), at: group[1], in: group)
        group.live(20_000)
        #expect(!hasEnded(group[3]))
        #expect(group.allSatisfy { $0.replica.isServing })
        #expect(group[3].replica.view.members.count == 4)
    }

    private func isInstall(_ frame: ControlFrame) -> Bool {
        if case .membership(.install) = frame { true } else { false }
    }

    /// It may have decided the view without it, and be the only one that knows: the other one alone
    /// is no majority of the two.
    @Test func `stays until enough others know of the view without it`() throws {
        let group = try TestReplica.group(2)
        group[0].replica.change(
            MemberChange(.remove(NodeID(1)), by: ""), number: 1, now: group[0].now)
        group.live(10_000, losing: isInstall)
        #expect(!group[0].replica.list.contains(NodeID(1)))
        #expect(!group[1].replica.isServing)
        #expect(!hasEnded(group[0]))
        #expect(!hasAnswered(group[0]))
        let reason = group[0].replica.notServingReason
        #expect(reason.contains("removed") && reason.contains("telling 2,"), "\(reason)")
        group.live(5_000)
        #expect(group[1].replica.isServing)
        #expect(group[1].replica.view.members.count == 1)
        #expect(hasAnswered(group[0]))
        #expect(hasEnded(group[0]))
    }

    @Test func `tells the others after a restart, too`() throws {
        let group = try TestReplica.group(2)
        group[0].replica.change(
            MemberChange(.remove(NodeID(1)), by: ""), number: 1, now: group[0].now)
        group.live(200, losing: isInstall)
        group[0].disconnect(from: group)
        try group[0].restart()
        #expect(!group[0].replica.list.contains(NodeID(1)))
        group[0].connect(to: group)
        group.live(5_000)
        #expect(group[1].replica.isServing)
    }

    private func hasAnswered(_ replica: TestReplica) -> Bool {
        replica.outputs.contains { if case .memberChange(_, .done) = $0 { true } else { false } }
    }
}
