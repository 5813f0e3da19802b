import ConclaveBase
import ConclaveGroup
import ConclaveWire
import Testing

@testable import ConclaveReplication

@Suite struct `Digests of states` {
    private let version = Version(40)

    private func verdicts(_ digests: [(rank: Int, digest: UInt64)], of count: Int)
        -> [DigestVotes.Verdict]
    {
        var votes = DigestVotes(memberCount: count)
        return digests.flatMap { votes.note($0.digest, at: version, from: $0.rank) }
    }

    @Test func `equal ones lead to nothing`() {
        #expect(verdicts([(0, 7), (2, 7), (1, 7)], of: 3).isEmpty)
        #expect(verdicts([(0, 7)], of: 1).isEmpty)
    }

    @Test func `who differs from a majority is named once, whenever it speaks`() {
        for order in [[0, 1, 2], [0, 2, 1], [2, 0, 1], [2, 1, 0]] {
            let spoken = order.map { (rank: $0, digest: UInt64($0 == 2 ? 8 : 7)) }
            #expect(verdicts(spoken, of: 3) == [.differs(rank: 2, version)])
        }
    }

    @Test func `several may differ, each in its own way`() {
        let found = verdicts([(0, 1), (1, 7), (2, 7), (3, 2), (4, 7)], of: 5)
        #expect(found == [.differs(rank: 0, version), .differs(rank: 3, version)])
    }

    @Test func `half of the view is no majority`() {
        #expect(verdicts([(0, 7), (1, 7), (2, 8)], of: 4).isEmpty)
        #expect(verdicts([(0, 7), (1, 7), (2, 8), (3, 8)], of: 4) == [.divided(version)])
        #expect(verdicts([(0, 7), (1, 8)], of: 2) == [.divided(version)])
    }

    @Test func `nobody speaks twice, and strangers do not speak`() {
        #expect(verdicts([(0, 7), (0, 8), (1, 7), (2, 7), (3, 9)], of: 3).isEmpty)
    }

    @Test func `only digests of one version are compared`() {
        var votes = DigestVotes(memberCount: 2)
        for number in 1..<9 as Range<UInt64> {
            #expect(votes.note(number, at: Version(number), from: 0).isEmpty)
        }
        #expect(votes.note(8, at: Version(8), from: 1).isEmpty)
        #expect(votes.note(9, at: Version(7), from: 1) == [.divided(Version(7))])
        // That one is forgotten: its poll begins anew.
        #expect(votes.note(9, at: Version(1), from: 1).isEmpty)
    }

    @Test func `a larger state is compared more rarely, and then a smaller one is, too`() {
        let pace = DigestPace(versionCount: 8, versionsPerRow: 16)
        func due(_ rowCount: Int) -> Set<UInt64> {
            Set(
                (1...4_096).filter {
                    pace.isDue(at: Version($0), rowCount: rowCount)
                })
        }
        let sizes = [0, 1, 10, 100, 200].map(due)
        #expect(sizes[0].count == 512)
        #expect(sizes[2].count == 4_096 / 256)
        #expect(sizes[4].count == 1)
        for (smaller, larger) in zip(sizes, sizes.dropFirst()) {
            #expect(larger.isSubset(of: smaller))
        }
    }

    @Test func `a word takes no version, and comes back as it was written`() throws {
        let word = ReplicaWord.digest(Version(5), 77)
        var reader = ByteReader(word.bytes)
        #expect(try ReplicaWord(from: &reader) == word)
        for count in word.bytes.indices {
            #expect(throws: WireError.self) {
                var reader = ByteReader(Array(word.bytes[..<count]))
                _ = try ReplicaWord(from: &reader)
            }
        }
        var order = AppliedOrder(blank: ListMachine(), recentByteCount: 1 << 20)
        var effects: [UInt8] = []
        order.install(view(1), effects: &effects)
        var batch = CommandBatch()
        batch.append(word)
        batch.append([9])
        var sent = message(0, 0, 0)
        sent.payload = batch.payload
        let before = order.version
        order.apply(sent, effects: &effects)
        #expect(order.version == before.next)
        #expect(effects == [9])
    }

    @Test func `a division is over for a member that is given the state of a group without one`() {
        let first = view(1)
        var order = AppliedOrder(blank: ListMachine(), recentByteCount: 1 << 20)
        var effects: [UInt8] = []
        order.install(first, effects: &effects)
        for sender in first.members.indices {
            var batch = CommandBatch()
            batch.append(.digest(order.version, UInt64(sender)))
            var sent = message(sender, 0, 0)
            sent.payload = batch.payload
            order.apply(sent, effects: &effects)
        }
        #expect(order.isDivided)
        let header = SnapshotHeader(
            current: first, delivered: order.delivered, version: order.version, time: order.time)
        order.restore(header, ListMachine())
        #expect(!order.isDivided)
        var batch = CommandBatch()
        batch.append([9])
        var sent = message(0, 1, 0)
        sent.payload = batch.payload
        order.apply(sent, effects: &effects)
        #expect(effects == [9])
    }

    // MARK: - In a group

    private func group(_ count: UInt32) throws -> [TestReplica] {
        let group = try (1...count).map { try TestReplica($0, of: Array(1...count)) }
        for one in group {
            for other in group where other !== one { one.hear(.connected(other.member)) }
        }
        live(group, 600)
        for one in group { try #require(one.replica.isServing) }
        return group
    }

    private func live(_ group: [TestReplica], _ milliseconds: Int64) {
        for _ in 0..<(milliseconds / 25) {
            for one in group { one.live(25) }
            for _ in 0..<12 {
                for one in group {
                    let sent = one.fabric.sent
                    one.fabric.sent = []
                    for item in sent {
                        guard let to = group.first(where: { $0.node == item.to }) else { continue }
                        to.hear(item.input(from: one.node))
                    }
                }
                for one in group { one.turn() }
            }
        }
    }

    private func propose(_ count: UInt8, at replica: TestReplica) {
        for command in 1...count { _ = replica.replica.propose([command]) }
    }

    @Test func `a member whose state went wrong ends, and comes back with that of the group`()
        throws
    {
        let group = try group(3)
        group[2].replica.corruptMachine { $0.list.append(200) }
        propose(20, at: group[0])
        live(group, 200)
        #expect(
            group[2].outputs.contains {
                if case .fatal(.broken) = $0 { true } else { false }
            })
        group[2].disconnect(from: group)
        live(Array(group[..<2]), 3_000)
        for one in group[..<2] {
            #expect(one.replica.isServing)
            #expect(!one.replica.machine.list.contains(200))
            #expect(
                one.outputs.contains {
                    if case .event(.stateDiffers(NodeID(3), _)) = $0 { true } else { false }
                })
        }
        try group[2].restart()
        group[2].turn()
        #expect(group[2].outputs.contains { $0.isSettingAside })
        #expect(group[2].replica.machine.list.isEmpty)
        group[2].connect(to: group)
        live(group, 6_000)
        #expect(group[2].replica.isServing)
        #expect(group[2].replica.machine.list == group[0].replica.machine.list)
        try group[2].restart()
        group[2].turn()
        #expect(!group[2].outputs.contains { $0.isSettingAside })
    }

    @Test func `a member whose state went wrong ends, though its disk has no room to note that`()
        throws
    {
        let group = try group(3)
        group[2].replica.corruptMachine { $0.list.append(200) }
        group[2].replica.step(DiskInput.full(.views, file: "views.a.new"), now: group[2].now)
        propose(20, at: group[0])
        live(group, 200)
        #expect(
            group[2].outputs.contains {
                if case .fatal(.broken) = $0 { true } else { false }
            })
    }

    @Test func `without a majority nobody serves, and says so`() throws {
        let group = try group(2)
        group[1].replica.corruptMachine { $0.list.append(200) }
        propose(20, at: group[0])
        live(group, 200)
        let lists = group.map { $0.replica.machine.list }
        for one in group {
            #expect(one.replica.isDivided)
            #expect(!one.replica.isServing)
            #expect(one.replica.notServingReason.contains("states differ"))
        }
        live(group, 1_000)
        #expect(group.map { $0.replica.machine.list } == lists)
    }

    @Test func `equal states go on`() throws {
        let group = try group(2)
        for _ in 0..<6 {
            propose(20, at: group[0])
            propose(20, at: group[1])
            live(group, 100)
        }
        for one in group { #expect(one.replica.isServing) }
        #expect(group[0].replica.machine == group[1].replica.machine)
        #expect(group[0].replica.order.version.counter > 200)
    }
}

extension ReplicaOutput {
    fileprivate var isSettingAside: Bool {
        if case .event(.journalSetAside) = self { true } else { false }
    }
}
