import ConclaveBase
import ConclaveGroup
import Testing

@testable import ConclaveReplication

/// A disk is damaged before the first view: what it once knew cannot be told from what it never knew.
@Suite struct `Damage before the first view` {
    /// Three, of which `damaged` has recorded a founding that came to nothing, and lost that again.
    private func group(damaging damaged: Int) throws -> [TestReplica] {
        let nodes: [UInt32] = [1, 2, 3]
        let group = try nodes.map { try TestReplica($0, of: nodes) }
        for replica in group { replica.connect(to: group) }
        group.live(500) { frame in
            if case .membership(.founded(let lineage, _, _)) = frame {
                lineage != .none
            } else {
                false
            }
        }
        try #require(group[damaged].replica.membership.memory.founding != nil)
        try #require(group.allSatisfy { !$0.replica.isServing })
        for file in group[damaged].disk.files.keys where file.hasPrefix("views.") {
            group[damaged].disk.change(file) { $0 = Array(repeating: 0xAA, count: $0.count) }
        }
        for replica in group { try replica.restart() }
        for replica in group { replica.connect(to: group) }
        group.live(5_000)
        return group
    }

    @Test(arguments: [1, 2])
    func `is waited for, and both ends say what helps`(damaged: Int) throws {
        let group = try group(damaging: damaged)
        let reason = group[damaged].replica.notServingReason
        #expect(reason.contains("start it with an empty one"), "\(reason)")
        let founder = group[0].replica.notServingReason
        #expect(founder.contains("waits for \(damaged + 1);"), "\(founder)")
    }

    @Test func `of the founder is told by the founder`() throws {
        let group = try group(damaging: 0)
        let reason = group[0].replica.notServingReason
        #expect(reason.contains("start it with an empty one"), "\(reason)")
    }

    @Test(arguments: [0, 1, 2])
    func `is over with an empty data directory`(damaged: Int) throws {
        let group = try group(damaging: damaged)
        group[damaged].disconnect(from: group)
        group[damaged].disk.erase()
        try group[damaged].restart()
        group[damaged].connect(to: group)
        group.live(3_000)
        for replica in group {
            #expect(replica.replica.isServing, "\(replica.replica.notServingReason)")
        }
    }
}
