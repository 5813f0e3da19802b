import ConclaveBase
import ConclaveWire
import Testing

@testable import ConclaveGroup
@testable import ConclaveReplication

@Suite struct `The replica` {
    private func alone() throws -> TestReplica {
        let replica = try TestReplica(1, of: [1])
        replica.live(200)
        try #require(replica.replica.isServing)
        return replica
    }

    /// Two that have found each other and serve.
    private func pair() throws -> [TestReplica] {
        let pair = [try TestReplica(1, of: [1, 2]), try TestReplica(2, of: [1, 2])]
        connect(pair)
        live(pair, 500)
        try #require(pair[0].replica.isServing && pair[1].replica.isServing)
        return pair
    }

    private func connect(_ pair: [TestReplica]) {
        pair[0].hear(.connected(pair[1].member))
        pair[1].hear(.connected(pair[0].member))
    }

    private func live(_ pair: [TestReplica], _ milliseconds: Int64) {
        for _ in 0..<(milliseconds / 25) {
            for replica in pair { replica.live(25) }
            carry(pair)
        }
    }

    /// What was sent until now arrives, and what is sent in answer.
    private func carry(_ pair: [TestReplica]) {
        for _ in 0..<12 {
            for (from, to) in [(pair[0], pair[1]), (pair[1], pair[0])] {
                let sent = from.fabric.sent
                from.fabric.sent = []
                for item in sent { to.hear(item.input(from: from.node)) }
                to.turn()
            }
        }
    }

    private func propose(_ command: UInt8, at replica: TestReplica) {
        let isTaken = replica.replica.propose([command])
        #expect(isTaken)
    }

    @Test func `V8: nothing is delivered before it is synced`() throws {
        let replica = try alone()
        replica.heldLanes = [.segments]
        propose(7, at: replica)
        replica.live(100)
        #expect(replica.replica.machine.list == [0, 1])
        replica.heldLanes = []
        replica.live(25)
        #expect(replica.replica.machine.list == [0, 1, 7])
    }

    @Test func `V25: alone it goes on after a restart with all that it delivered`() throws {
        let replica = try alone()
        for command in [7, 8, 9] as [UInt8] { propose(command, at: replica) }
        replica.live(50)
        try replica.restart()
        replica.live(1_000)
        #expect(replica.replica.machine.list == [0, 1, 7, 8, 9, 0, 2])
        #expect(replica.replica.isServing)
    }

    @Test func `V15: a restarted member says nothing of what it read back and has not synced`()
        throws
    {
        let replica = try alone()
        replica.heldLanes = [.segments]
        propose(7, at: replica)
        replica.replica.endTurn(now: replica.now, wallClock: .zero)
        // The batch is written, its sync has not begun when the process is killed.
        replica.disk.run(1)
        try replica.restart()
        replica.live(2_000)
        #expect(replica.replica.view.epoch == Epoch(1))
        replica.heldLanes = []
        replica.live(1_000)
        #expect(replica.replica.machine.list == [0, 1, 7, 0, 2])
        replica.disk.losePower()
        try replica.restart()
        replica.live(1_000)
        #expect(replica.replica.machine.list == [0, 1, 7, 0, 2, 0, 3])
    }

    @Test func `V17: a voter claims what it was sent only once it is synced`() throws {
        let pair = try pair()
        pair[0].hear(.disconnected(pair[1].node, byPeer: true))
        try pair[0].restart()
        pair[0].live(25)
        pair[0].heldLanes = [.segments]
        let fill = ControlFrame.fill(Epoch(1), [record(1, message(1, 0, 7))])
        pair[0].hear(.connected(pair[1].member))
        pair[0].hear(
            .control(
                from: pair[1].node, bytes: fill.encode(lineage: pair[0].replica.lineage)))
        pair[0].live(50)
        #expect(pair[0].replica.held.vector == [0, 1])
        #expect(pair[0].replica.membership.vector == [0, 0])
        pair[0].heldLanes = []
        pair[0].live(25)
        #expect(pair[0].replica.membership.vector == [0, 1])
    }

    @Test func `C9: a state that does not decode never gets to the disk`() throws {
        let learner = try TestReplica(3, of: [1, 2, 3])
        learner.live(100)
        learner.hear(.connected(member(1)))
        let header = SnapshotHeader(
            current: view(4), delivered: [0, 0], version: Version(startOfEra: 1), time: .zero)
        let parts = pieces(SnapshotSource(header, of: machine([1, 0xFF])))
        for frame in [TransferFrame.begin(id: 5, snapshot: header.bytes)]
            + parts.map({ .snapshotPart(id: 5, bytes: $0) })
        {
            learner.hear(
                .control(
                    from: NodeID(1), bytes: ControlFrame.transfer(frame).encode(lineage: lineage)))
        }
        learner.live(25)
        #expect(learner.disk.files.keys.filter { $0.hasPrefix("snapshot") }.isEmpty)
        #expect(learner.replica.learning == nil)
    }

    @Test func `V2: no row goes to a peer before it said that it is ready`() throws {
        let pair = [try TestReplica(1, of: [1, 2]), try TestReplica(2, of: [1, 2])]
        connect(pair)
        var isReady = [false, false]
        for _ in 0..<40 {
            for (index, replica) in pair.enumerated() {
                replica.live(25)
                let peer = pair[1 - index]
                let sent = replica.fabric.sent
                replica.fabric.sent = []
                for item in sent {
                    switch item {
                    case .control(_, let bytes):
                        let (_, frame) = try ControlFrame.decode(bytes)
                        if case .ready = frame { isReady[index] = true }
                    case .row: #expect(isReady[1 - index])
                    }
                    peer.hear(item.input(from: replica.node))
                }
            }
        }
        #expect(isReady == [true, true])
        #expect(pair[0].replica.isServing)
    }

    @Test func `C2: both deliver what either proposed, in one order`() throws {
        let pair = try pair()
        propose(7, at: pair[0])
        propose(8, at: pair[1])
        propose(9, at: pair[0])
        carry(pair)
        #expect(pair[0].replica.machine.list.count == 5)
        #expect(pair[0].replica.machine == pair[1].replica.machine)
    }

    @Test func `V11: a suspect's rows are ignored from then on`() throws {
        let pair = try pair()
        propose(7, at: pair[1])
        pair[1].turn()
        let rows = pair[1].fabric.sent.filter { if case .row = $0 { true } else { false } }
        #expect(!rows.isEmpty)
        // It is silent for longer than the suspicion time; then what it wrote arrives.
        pair[0].live(1_200)
        #expect(!pair[0].replica.isServing)
        let held = pair[0].replica.held.vector
        for row in rows { pair[0].hear(row.input(from: pair[1].node)) }
        pair[0].turn()
        #expect(pair[0].replica.held.vector == held)
        #expect(pair[0].replica.machine.list == [0, 1])
    }

    @Test func `V20: what one member alone has is discarded or delivered by both`() throws {
        let pair = try pair()
        pair[1].heldLanes = [.segments]
        propose(7, at: pair[0])
        live(pair, 100)
        #expect(pair[0].replica.machine.list == [0, 1])
        pair[1].heldLanes = []
        try pair[1].restart()
        pair[0].hear(.disconnected(pair[1].node, byPeer: true))
        connect(pair)
        live(pair, 4_000)
        #expect(pair[0].replica.isServing && pair[1].replica.isServing)
        #expect(pair[0].replica.machine == pair[1].replica.machine)
        #expect(pair[0].replica.machine.list.starts(with: [0, 1]))
        #expect(pair[0].replica.view.epoch > Epoch(1))
    }

    @Test func `C9: bytes that are no frame end the path and nothing else`() throws {
        let pair = try pair()
        pair[0].hear(.control(from: pair[1].node, bytes: [1, 2, 3]))
        #expect(pair[0].fabric.disconnected == [pair[1].node])
        pair[0].hear(
            .row(from: pair[1].node, epoch: Epoch(1), offset: Int.max, bytes: [1, 2]))
        #expect(pair[0].fabric.disconnected.count == 2)
        #expect(pair[0].replica.isServing)
    }

    @Test func `V31: a failed sync ends it`() throws {
        let replica = try alone()
        let error = DiskError.failed("segment-0000000001", number: 5)
        replica.replica.step(DiskInput.failed(tag: 3, error), now: replica.now)
        let outputs = replica.replica.takeOutputs()
        guard case .fatal(let fault) = outputs.last else {
            Issue.record("it goes on")
            return
        }
        #expect(fault == .disk(error))
        #expect(!replica.replica.isServing)
    }
}
