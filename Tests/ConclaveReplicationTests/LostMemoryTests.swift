import ConclaveBase
import ConclaveGroup
import Testing

@testable import ConclaveReplication

/// V26: in memory mode the state ends with the last process that has it.
@Suite struct `A state in memory that nobody has any more` {
    private static let wish = SalvageWish(eraAtLeast: 0, by: "operator")

    /// Three that have served, and a command that all have applied.
    private func servedGroup(_ durability: Durability = .memory) throws -> [TestReplica] {
        let group = try TestReplica.group(3, durability: durability)
        group[0].propose(7)
        group.live(200)
        try #require(group[2].replica.machine.list == [0, 1, 7])
        return group
    }

    /// All processes end at once; those with a number in `erased` come back with an empty disk, and
    /// those in `absent` not.
    private func restart(
        _ group: [TestReplica], erasing erased: [Int] = [], without absent: [Int] = []
    ) throws -> [TestReplica] {
        for index in group.indices {
            if erased.contains(index) { group[index].disk.erase() }
            try group[index].restart()
        }
        let present = group.indices.filter { !absent.contains($0) }.map { group[$0] }
        for replica in present { replica.connect(to: present) }
        return present
    }

    private func salvage(_ replica: TestReplica, among group: [TestReplica]) -> SalvageOutcome? {
        replica.replica.salvage(Self.wish, number: 5, now: replica.now)
        group.live(3_000)
        return replica.salvaged
    }

    @Test(arguments: [0, 1, 2])
    func `the group begins anew by itself though one has lost its disk`(erased: Int) throws {
        let group = try restart(servedGroup(), erasing: [erased])
        group.live(6_000)
        for replica in group {
            #expect(replica.replica.isServing, "\(replica.replica.notServingReason)")
            #expect(!replica.replica.machine.list.contains(7))
            #expect(replica.replica.version.era == 2)
        }
        #expect(group[0].replica.view.members.count == 3)
        #expect(group[0].replica.knownViews.contains { $0.view.stateWasLost })
    }

    @Test func `the group waits for one that is away, and may have it`() throws {
        let group = try restart(servedGroup(), without: [2])
        group.live(4_000)
        for replica in group {
            #expect(!replica.replica.isServing)
            #expect(replica.replica.notServingReason.contains("conclave recover"))
        }
    }

    @Test func `the group keeps it while one process lives that has it`() throws {
        let group = try servedGroup()
        group[0].disk.erase()
        for replica in group[..<2] { try replica.restart() }
        for replica in group[..<2] { replica.disconnect(from: [group[2]]) }
        for replica in group { replica.connect(to: group) }
        group.live(6_000)
        for replica in group {
            #expect(replica.replica.isServing)
            #expect(replica.replica.machine.list.contains(7))
        }
    }

    @Test func `an operator has one member begin anew when the disks of most are lost`() throws {
        let group = try restart(servedGroup(), erasing: [0, 1])
        let lineage = group[2].replica.lineage
        group.live(3_000)
        try #require(!group[2].replica.isServing)
        guard case .done(let report)? = salvage(group[2], among: group) else {
            Issue.record("\(String(describing: group[2].salvaged))")
            return
        }
        #expect(report.stateWasLost)
        #expect(report.version.era == 2)
        #expect(group[2].replica.lineage != lineage)
        // Those with empty disks were reached, and join by themselves.
        group.live(6_000)
        for replica in group {
            #expect(replica.replica.isServing, "\(replica.replica.notServingReason)")
            #expect(!replica.replica.machine.list.contains(7))
        }
        let begun = try #require(group[2].replica.knownViews.first { $0.view.historyWasGivenUp })
        #expect(begun.view.stateWasLost)
    }

    @Test func `an operator has one member begin anew without one that is away for good`() throws {
        let group = try restart(servedGroup(), without: [2])
        group.live(3_000)
        // Of two that have as much the lower number goes on.
        guard case .refused(let reason)? = salvage(group[1], among: group) else {
            Issue.record("\(String(describing: group[1].salvaged))")
            return
        }
        #expect(reason.contains("recover there"))
        guard case .done(let report)? = salvage(group[0], among: group) else {
            Issue.record("\(String(describing: group[0].salvaged))")
            return
        }
        #expect(report.stateWasLost)
        #expect(report.removed == [NodeID(3)])
        #expect(group[0].replica.isServing)
    }

    @Test func `an operator is refused while somebody has it`() throws {
        let group = try servedGroup()
        for replica in group[..<2] { try replica.restart() }
        for replica in group { replica.disconnect(from: group) }
        let pair = [group[0], group[2]]
        group[0].connect(to: pair)
        // The one with the state would go on with the other, if its disk did.
        group[2].heldLanes = [.views]
        pair.live(500)
        let reason = "member 3 has as much of the history or more: recover there"
        #expect(salvage(group[0], among: pair) == .refused(reason))
    }

    @Test func `disks may come back, so that another process of a member proves nothing there`()
        throws
    {
        let group = try restart(servedGroup(.disk), erasing: [1, 2])
        group.live(4_000)
        for replica in group { #expect(!replica.replica.isServing) }
        // The one that is left goes on with what it has.
        guard case .done(let report)? = salvage(group[0], among: group) else {
            Issue.record("\(String(describing: group[0].salvaged))")
            return
        }
        #expect(!report.stateWasLost)
        #expect(group[0].replica.machine.list.contains(7))
    }
}
