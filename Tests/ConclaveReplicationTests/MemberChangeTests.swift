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
}
