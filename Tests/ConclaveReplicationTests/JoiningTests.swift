import ConclaveBase
import ConclaveGroup
import Testing

@testable import ConclaveReplication

/// Several members that come back at once (V16, V22, V23).
@Suite struct `Joining together` {
    /// Five of which the last two are away.
    private func three() throws -> [TestReplica] {
        let group = try TestReplica.group(5)
        for away in group[3...] { away.disconnect(from: group) }
        Array(group[..<3]).live(1_500)
        try #require(group[0].replica.isServing)
        try #require(group[0].replica.view.members.count == 3)
        return group
    }

    private func epoch(of replica: TestReplica) -> UInt64 { replica.replica.view.epoch.number }

    @Test(arguments: [true, false])
    func `two that come back together cost one view change`(areErased: Bool) throws {
        let group = try three()
        let before = epoch(of: group[0])
        for away in group[3...] {
            if areErased { away.disk.erase() }
            try away.restart()
        }
        group[3].connect(to: group)
        group.live(100)
        // A little later, but while the first one is still learning.
        group[4].connect(to: Array(group[..<4]))
        group.live(6_000)
        for replica in group {
            #expect(replica.replica.isServing, "\(replica.replica.notServingReason)")
            #expect(replica.replica.machine == group[0].replica.machine)
        }
        #expect(epoch(of: group[0]) == before + 1)
    }

    /// Two of a group of three, and the third as it starts again.
    private func comesBack(erased: Bool = false) throws -> [TestReplica] {
        let group = try TestReplica.group(3)
        group[2].disconnect(from: group)
        Array(group[..<2]).live(1_500)
        try #require(group[0].replica.view.members.count == 2)
        if erased { group[2].disk.erase() }
        try group[2].restart()
        group[2].connect(to: group)
        return group
    }

    @Test(arguments: [true, false])
    func `V23: a process that starts is let in as soon as all have answered it`(
        isErased: Bool
    ) throws {
        let group = try comesBack(erased: isErased)
        group.live(600)
        #expect(group[2].replica.isServing, "\(group[2].replica.notServingReason)")
        #expect(epoch(of: group[2]) == epoch(of: group[0]))
    }

    /// Making the first one takes a disk a quarter of a second, and who is let in must write.
    @Test func `nobody waits for one that has no segment to write to yet`() throws {
        let group = try comesBack(erased: true)
        let before = epoch(of: group[0])
        group[2].heldLanes = [.snapshots]
        for _ in 0..<100 {
            group.live(30)
            #expect(group[0].replica.isServing && epoch(of: group[0]) == before)
        }
        group[2].heldLanes = []
        group.live(1_000)
        #expect(group[2].replica.isServing, "\(group[2].replica.notServingReason)")
        #expect(epoch(of: group[0]) == before + 1)
    }

    @Test func `V23: one that dies soon after each start must live for a while first`() throws {
        let group = try comesBack()
        for isQuick in [true, false, false] {
            group.live(600)
            #expect(group[2].replica.isServing == isQuick)
            group.live(4_000)
            try #require(group[2].replica.isServing)
            group[2].disconnect(from: group)
            Array(group[..<2]).live(1_500)
            try group[2].restart()
            group[2].connect(to: group)
        }
    }

    /// Else the first could not go on if the second died again.
    @Test func `V23: a second one is let in to one alone when it has lived for a while`() throws {
        let group = try TestReplica.group(2)
        #expect(group[1].replica.leave(now: group[1].now))
        group.live(1_500)
        try #require(group[0].replica.isServing && group[0].replica.view.members.count == 1)
        group[1].disconnect(from: group)
        try group[1].restart()
        group[1].connect(to: group)
        group.live(1_500)
        #expect(!group[1].replica.isServing)
        group.live(3_000)
        #expect(group[1].replica.isServing, "\(group[1].replica.notServingReason)")
    }

    /// One of another view, in which a member was not yet, would let in who does not hear that.
    @Test func `V23: a report counts if it names every member of the view`() throws {
        let group = try comesBack()
        let cut: Set<[UInt32]> = [[2, 3], [3, 2]]
        group.live(1_000, cut: cut)
        let before = epoch(of: group[0])
        let teaching = try #require(group[0].replica.teachings.first)
        func report(_ hears: [Member]) {
            let frame = ControlFrame.transfer(
                .ready(id: teaching.id, version: group[0].replica.version, hears: hears))
            let bytes = frame.encode(lineage: group[0].replica.lineage)
            group[0].hear(.control(from: group[2].node, bytes: bytes))
            group.live(200, cut: cut)
        }
        report([group[0].member])
        #expect(epoch(of: group[0]) == before)
        report([group[0].member, group[1].member])
        #expect(epoch(of: group[0]) > before)
    }

    @Test func `a path that comes and goes does not put off the next question to all`() throws {
        let group = try three()
        try group[3].restart()
        group[3].connect(to: Array(group[..<3]))
        // Its first questions are lost.
        group.live(300) { if case .transfer(.join) = $0 { true } else { false } }
        for _ in 0..<15 {
            group[3].hear(.connected(group[4].member))
            group.live(200)
            group[3].hear(.disconnected(group[4].node, byPeer: true))
        }
        #expect(group[3].replica.isServing, "\(group[3].replica.notServingReason)")
    }

    @Test func `V23: one that was left out is let in when all have heard it for a while`() throws {
        let group = try TestReplica.group(3)
        group.live(2_000, cut: [[1, 3], [3, 1], [2, 3], [3, 2]])
        try #require(group[0].replica.view.members.count == 2)
        group.live(1_500)
        #expect(!group[2].replica.isServing)
        group.live(3_000)
        #expect(group[2].replica.isServing, "\(group[2].replica.notServingReason)")
    }

    @Test func `V23: one whose links come and go as it starts costs few views`() throws {
        let group = try comesBack()
        let before = epoch(of: group[0])
        for _ in 0..<20 {
            group.live(150)
            group.live(1_350, cut: [[1, 3], [2, 3]])
        }
        #expect(epoch(of: group[0]) - before <= 4)
        group.live(10_000)
        #expect(group.allSatisfy { $0.replica.isServing })
    }

    @Test func `V23: one that hears too late that it was let in pauses before it is again`() throws
    {
        let group = try comesBack(erased: true)
        let before = epoch(of: group[0])
        group.live(6_000, to: group[2].node) {
            switch $0 {
            case .membership(.ping), .membership(.pong): false
            case .membership: true
            default: false
            }
        }
        #expect(epoch(of: group[0]) > before && !group[2].replica.isServing)
        let pauses = group[2].outputs.compactMap { output -> Int? in
            guard case .event(.joinsLater(_, let count)) = output else { return nil }
            return count
        }
        #expect(pauses.first == 1)
        group.live(10_000)
        #expect(group.allSatisfy { $0.replica.isServing })
    }

    /// It asks again before the first answer has come.
    @Test(arguments: [true, false])
    func `one that is far from all the others gets in`(isErased: Bool) throws {
        let group = try TestReplica.group(3)
        group[2].disconnect(from: group)
        Array(group[..<2]).live(1_500)
        try #require(group[0].replica.view.members.count == 2)
        if isErased { group[2].disk.erase() }
        try group[2].restart()
        group[2].connect(to: group)
        group.live(15_000, delay: 300)
        #expect(group[2].replica.isServing, "\(group[2].replica.notServingReason)")
        #expect(group[0].replica.view.members.count == 3)
    }

    @Test func `one that does not hear all is taught for ever and keeps nobody out`() throws {
        let group = try three()
        for away in group[3...] { try away.restart() }
        group[3].connect(to: [group[0], group[2]])
        group.live(6_000)
        #expect(!group[3].replica.isServing)
        group[4].connect(to: Array(group[..<3]))
        group.live(6_000)
        #expect(group[4].replica.isServing)
        #expect(group[0].replica.view.members.count == 4)
        #expect(group[0].replica.teachings.map(\.learner) == [group[3].member])
        // It has kept up all the time: one view change is all that was missing.
        let before = epoch(of: group[0])
        group[3].connect(to: [group[1], group[4]])
        group.live(4_000)
        #expect(group.allSatisfy { $0.replica.isServing })
        #expect(epoch(of: group[0]) == before + 1)
    }

    @Test func `two that do not hear each other are not let in together`() throws {
        let group = try three()
        for away in group[3...] { try away.restart() }
        for away in group[3...] { away.connect(to: Array(group[..<3])) }
        group.live(8_000)
        #expect(group[3].replica.isServing != group[4].replica.isServing)
        #expect(group[0].replica.view.members.count == 4)
        let before = epoch(of: group[0])
        group.live(20_000)
        #expect(epoch(of: group[0]) == before)
    }
}
