import ConclaveBase
import ConclaveGroup
import Testing

@testable import ConclaveReplication

/// Links that some hear and others do not, for ever or now and then: the group settles (V12, V16,
/// V23).
@Suite(.serialized) struct `Flapping` {
    private func epoch(of group: [TestReplica]) -> UInt64 {
        group.map(\.replica.view.epoch.number).max() ?? 0
    }

    private func servingCount(_ group: [TestReplica]) -> Int {
        group.count { $0.replica.isServing }
    }

    @Test(arguments: [[[2, 3], [3, 2]], [[3, 1]], [[1, 2], [3, 1]]] as [Set<[UInt32]>])
    func `a link that is cut, both ways or one, costs a few views and then none`(
        cut: Set<[UInt32]>
    ) throws {
        let group = try TestReplica.group(3)
        group.live(5_000, cut: cut)
        let settled = epoch(of: group)
        #expect(settled <= 6)
        #expect(servingCount(group) == 2)
        let isTaken = group.first { $0.replica.isServing }?.replica.propose([100])
        #expect(isTaken == true)
        group.live(6_000, cut: cut)
        #expect(epoch(of: group) == settled)
        #expect(servingCount(group) == 2)
        group.live(7_000)
        #expect(servingCount(group) == 3)
        #expect(group.allSatisfy { $0.replica.machine == group[0].replica.machine })
    }

    @Test func `members that suspect each other in a ring settle`() throws {
        let group = try TestReplica.group(5)
        let ring: Set<[UInt32]> = [[1, 2], [2, 3], [3, 4], [4, 5], [5, 1]]
        group.live(8_000, cut: ring)
        let settled = epoch(of: group)
        group.live(4_000, cut: ring)
        #expect(epoch(of: group) == settled)
        group.live(15_000)
        #expect(servingCount(group) == 5)
    }

    @Test func `V23: a link that comes and goes costs less and less`() throws {
        let group = try TestReplica.group(3)
        var views: [UInt64] = []
        for _ in 0..<2 {
            let before = epoch(of: group)
            for _ in 0..<5 {
                group.live(2_000, cut: [[2, 3], [3, 2]])
                group.live(2_700)
            }
            views.append(epoch(of: group) - before)
        }
        // Each time one goes and comes back is two views: never more than the pauses let in.
        #expect(views[1] <= 4, "\(views)")
        #expect(views.reduce(0, +) <= 14, "\(views)")
        #expect(servingCount(group) >= 2)
        group.live(40_000)
        #expect(servingCount(group) == 3)
    }

    @Test func `V23: one that is left out again and again says so`() throws {
        let group = try TestReplica.group(3)
        for _ in 0..<3 {
            group.live(2_500, cut: [[1, 3], [3, 1], [2, 3], [3, 2]])
            group.live(8_000)
        }
        let pauses = group[2].outputs.compactMap { output -> Int? in
            guard case .event(.joinsLater(_, let count)) = output else { return nil }
            return count
        }
        #expect(pauses.starts(with: [1, 2]))
        let reasons = group[2].outputs.compactMap { output -> String? in
            guard case .serving(false, let reason) = output else { return nil }
            return reason
        }
        #expect(reasons.contains { $0.contains("times soon after it had joined") }, "\(reasons)")
    }
}
