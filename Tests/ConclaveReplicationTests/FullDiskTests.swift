import ConclaveBase
import ConclaveGroup
import Testing

@testable import ConclaveReplication

/// A member whose disk has no room (V31).
@Suite struct `A full disk` {
    private func served(_ replica: TestReplica) -> Int {
        replica.replica.machine.list.filter { $0 > 99 }.count
    }

    /// Proposes one command a turn.
    private func propose(_ count: Int, at replica: TestReplica) {
        for _ in 0..<count {
            guard replica.replica.propose([100]) else { return }
            replica.turn()
        }
    }

    private func founded() throws -> TestReplica {
        let replica = try TestReplica(1, of: [1])
        replica.live(500)
        try #require(replica.replica.isServing)
        return replica
    }

    private func fill(_ replica: TestReplica) {
        replica.disk.isFull = true
        replica.replica.step(DiskInput.full(.snapshots, file: "segment"), now: replica.now)
    }

    private func makeRoom(_ replica: TestReplica) {
        replica.disk.isFull = false
        replica.replica.step(DiskInput.hasRoom(.snapshots), now: replica.now)
    }

    @Test func `stops the acknowledgement when no segment is left, and only then`() throws {
        let replica = try founded()
        fill(replica)
        propose(50, at: replica)
        #expect(replica.replica.isServing)
        #expect(served(replica) == 50)
        propose(300, at: replica)
        #expect(!replica.replica.isServing)
        #expect(
            replica.replica.notServingReason.hasPrefix("the disk is full: there is no room for"))
        let count = served(replica)
        #expect(count < 130)
        replica.live(5_000)
        #expect(served(replica) == count)
        makeRoom(replica)
        replica.live(100)
        #expect(replica.replica.isServing)
        #expect(served(replica) == count + 1)
        propose(20, at: replica)
        #expect(served(replica) == count + 21)
    }

    @Test func `is told when it begins and when it is over`() throws {
        let replica = try founded()
        fill(replica)
        makeRoom(replica)
        replica.turn()
        let events = replica.outputs.compactMap { output -> GroupEvent? in
            if case .event(let event) = output { event } else { nil }
        }
        #expect(events.contains(.diskFull(file: "segment")))
        #expect(events.last == .diskHasRoom)
    }

    @Test func `does not keep a member from starting, and from entering a view`() throws {
        let replica = try founded()
        propose(30, at: replica)
        replica.disk.isFull = true
        try replica.restart()
        replica.live(3_000)
        #expect(replica.replica.isServing)
        #expect(replica.replica.view.epoch == Epoch(2))
        #expect(served(replica) == 30)
    }
}
