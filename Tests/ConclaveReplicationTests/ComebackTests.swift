import ConclaveBase
import ConclaveGroup
import Testing

@testable import ConclaveReplication

/// Members that come back to a group that went on (V22, V23).
@Suite struct `Coming back` {
    private func group() throws -> [TestReplica] {
        try TestReplica.group(3)
    }

    private func connect(_ replica: TestReplica, in group: [TestReplica]) {
        replica.connect(to: group)
    }

    private func disconnect(_ replica: TestReplica, in group: [TestReplica]) {
        replica.disconnect(from: group)
    }

    private func live(_ group: [TestReplica], _ milliseconds: Int64) {
        group.live(milliseconds)
    }

    private func propose(_ commands: ClosedRange<UInt8>, at replica: TestReplica) {
        for command in commands {
            let isTaken = replica.replica.propose([command])
            #expect(isTaken)
        }
    }

    private func expectAgreement(_ group: [TestReplica], count: Int) {
        for replica in group {
            #expect(replica.replica.isServing, "\(replica.replica.notServingReason)")
            #expect(replica.replica.view.members.count == 3)
            #expect(replica.replica.machine == group[0].replica.machine)
            #expect(replica.replica.version == group[0].replica.version)
            #expect(replica.replica.machine.list.filter { $0 > 99 }.count == count)
        }
    }

    @Test(arguments: [true, false])
    func `a member that was away is let in again with all that it missed`(
        isErased: Bool
    ) throws {
        let group = try group()
        propose(100...120, at: group[0])
        live(group, 100)
        disconnect(group[2], in: group)
        if isErased { group[2].disk.erase() }
        live(Array(group[..<2]), 1_000)
        propose(130...150, at: group[1])
        live(Array(group[..<2]), 100)
        try group[2].restart()
        connect(group[2], in: group)
        live(group, 6_000)
        expectAgreement(group, count: 42)
        propose(160...170, at: group[2])
        live(group, 100)
        expectAgreement(group, count: 53)
    }

    @Test func `C3: what a group of three delivered is there after all have lost power`() throws {
        let group = try group()
        propose(100...120, at: group[0])
        live(group, 100)
        for replica in group { disconnect(replica, in: group) }
        for replica in group {
            replica.disk.losePower()
            try replica.restart()
        }
        for replica in group { connect(replica, in: group) }
        live(group, 6_000)
        expectAgreement(group, count: 21)
    }

    @Test func `V13, V26: a member whose others lost their disks forgets nothing and waits`() throws
    {
        let group = try group()
        propose(100...120, at: group[0])
        live(group, 100)
        for replica in group { disconnect(replica, in: group) }
        for replica in group {
            if replica.node != NodeID(3) { replica.disk.erase() }
            try replica.restart()
        }
        for replica in group { connect(replica, in: group) }
        live(group, 3_000)
        // Two have lost their votes too: nobody may go on without them, and nothing is forgotten.
        #expect(group.allSatisfy { !$0.replica.isServing })
        #expect(group[2].replica.held.count > 0)
        #expect(group[2].replica.view.epoch == Epoch(1))
        #expect(group[0].replica.order.current == nil)
    }

    @Test func `V28: a group that loses its state in its last era stays in it`() throws {
        let alone = try TestReplica(1, of: [1])
        alone.disk.erase()
        let journal = try ViewJournal.recover(
            from: alone.disk, owner: node, smallestFile: 64 * 1_024
        ).journal
        let last = view(2, of: [member(1)], trim: [0], era: NextView.lastEra)
        journal.append(.installed(last, voteFrom: Epoch(1)), to: alone.disk, tag: 1)
        alone.disk.run()
        for _ in 0..<2 {
            try alone.restart()
            alone.live(3_000)
            #expect(alone.replica.isServing)
            #expect(alone.replica.version.era == NextView.lastEra)
        }
    }

    private func damage(_ replica: TestReplica) {
        for name in replica.disk.files.keys.sorted() where name.hasPrefix("segment") {
            replica.disk.change(name) { $0[600] ^= 1 }
        }
    }

    private func hasSetAside(_ replica: TestReplica) -> Bool {
        replica.outputs.contains {
            if case .event(.journalSetAside) = $0 { true } else { false }
        }
    }

    @Test func `V30: a member with a damaged journal is let in again as a blank one`() throws {
        let group = try group()
        propose(100...120, at: group[0])
        live(group, 11_000)
        disconnect(group[2], in: group)
        live(Array(group[..<2]), 1_000)
        damage(group[2])
        try group[2].restart()
        connect(group[2], in: group)
        group[2].turn()
        #expect(hasSetAside(group[2]))
        #expect(group[2].replica.notServingReason.hasPrefix("its journal was damaged"))
        live(group, 6_000)
        expectAgreement(group, count: 21)
        #expect(group[2].replica.membership.memory.loss == nil)
        propose(160...170, at: group[2])
        live(group, 100)
        expectAgreement(group, count: 32)
    }

    @Test func `V30: a member with a damaged journal finds the group that its file does not name`()
        throws
    {
        let group = try group()
        propose(100...120, at: group[0])
        live(group, 11_000)
        disconnect(group[2], in: group)
        live(Array(group[..<2]), 1_000)
        damage(group[2])
        // The second time it finds nothing but what it wrote after the loss.
        for _ in 0..<2 {
            try group[2].restart(of: [NodeID(3)])
            live([group[2]], 100)
            #expect(group[2].replica.membership.memory.loss != nil)
        }
        connect(group[2], in: group)
        live(group, 6_000)
        expectAgreement(group, count: 21)
    }

    /// The one that teaches by now may be one that was added meanwhile.
    @Test func `a member that was cut off reaches those that were added without it`() throws {
        let group = try TestReplica.group(3)
        let cut: Set<[UInt32]> = [[1, 2], [1, 3], [2, 1], [3, 1]]
        group.live(2_000, cut: cut)
        let added = MemberList.Entry(node: NodeID(4), address: [])
        group[1].replica.change(
            MemberChange(.add(added), by: ""), number: 1, now: group[1].now)
        group.live(500, cut: cut)
        #expect(group[1].replica.list.contains(added.node))
        #expect(!group[0].replica.list.contains(added.node))
        group.live(2_000) { if case .transfer(.begin) = $0 { true } else { false } }
        #expect(!group[0].replica.isServing)
        #expect(group[0].fabric.reachable.contains(added.node))
    }

    @Test func `V13, V26: where all journals are damaged nobody founds anew: all wait, and say so`()
        throws
    {
        let group = try group()
        propose(100...120, at: group[0])
        live(group, 11_000)
        for replica in group { disconnect(replica, in: group) }
        for replica in group {
            damage(replica)
            try replica.restart()
        }
        for replica in group { connect(replica, in: group) }
        for _ in 0..<2 {
            live(group, 3_000)
            for replica in group {
                #expect(!replica.replica.isServing)
                #expect(replica.replica.view.epoch == .none)
                #expect(replica.replica.notServingReason.contains("puts a data directory back"))
            }
            // The second time they find nothing but what they wrote after the loss.
            for replica in group { disconnect(replica, in: group) }
            for replica in group { try replica.restart() }
            for replica in group { connect(replica, in: group) }
        }
    }

    @Test func `who loses the others one after the other says for whom it waits`() throws {
        let group = try group()
        disconnect(group[1], in: group)
        group[0].live(50)
        disconnect(group[2], in: group)
        group[0].live(20_000)
        let reason = group[0].replica.notServingReason
        #expect(
            reason.contains("hears no majority of the newest view: waits for 2, 3"), "\(reason)")
    }
}
