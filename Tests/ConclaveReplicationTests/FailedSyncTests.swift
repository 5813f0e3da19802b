import ConclaveBase
import ConclaveGroup
import Testing

@testable import ConclaveReplication

/// A sync fails, and what it was to take to the disk stays in the page cache, where the next start
/// finds it (V31).
@Suite struct `After a failed sync` {
    private let disk = MemoryDisk()
    private let segment = SegmentFormat.name(1)

    private let tags = Tags()

    private func journal(_ plant: Plant? = nil) -> SegmentJournal {
        SegmentJournal(
            settings: SegmentSettings(
                owner: node, lineage: lineage, byteCount: 16 * 1_024, plant: plant))
    }

    private func append(
        _ ordinals: Range<UInt64>, to journal: SegmentJournal, failingAtLast: Bool = false
    ) {
        for ordinal in ordinals {
            let batch = OrderedMessage(
                sender: 0, index: ordinal, ordinal: ordinal, timestamp: .zero,
                payload: Array(repeating: UInt8(ordinal), count: 900))
            journal.append(batch, epoch: Epoch(1), vector: [ordinal + 1])
            if failingAtLast, ordinal + 1 == ordinals.upperBound {
                journal.flush(to: disk, nextTag: tags.next)
                disk.run(1)
                disk.failSync(of: segment)
                return disk.crash()
            }
            repeat {
                journal.flush(to: disk, nextTag: tags.next)
                for tag in disk.run() { _ = journal.completed(tag) }
            } while !journal.isIdle
        }
    }

    private func recover(marked batch: UInt64 = 0) throws -> RecoveredSegments {
        var mark = JournalMark()
        mark.batch = batch
        mark.lastSegment = batch == 0 ? 0 : 1
        return try RecoveredSegments(from: disk, owner: node, lineage: lineage, mark: mark)
    }

    private func start(marked batch: UInt64 = 0, plant: Plant? = nil) throws -> SegmentJournal {
        let recovered = try recover(marked: batch)
        let journal = journal(plant)
        journal.resume(recovered, on: disk)
        journal.syncRecovered(recovered.unmarked, on: disk, tag: tags.next())
        disk.run()
        journal.syncedRecovered()
        return journal
    }

    private func ordinals() throws -> [UInt64] { try recover().records.map(\.message.ordinal) }

    @Test(arguments: [0, 2, 3] as [UInt64])
    func `what a start reads of it is on the disk before it counts`(marked: UInt64) throws {
        let first = journal()
        append(0..<4, to: first, failingAtLast: true)
        let second = try start(marked: marked)
        #expect(second.syncedBatch == 4)
        append(4..<6, to: second)
        disk.losePower()
        #expect(try ordinals() == Array(0..<6))
    }

    @Test func `the start's sync alone writes nothing of it, and the journal is lost`() throws {
        let first = journal()
        append(0..<4, to: first, failingAtLast: true)
        let second = try start(plant: .recoveredNotRewritten)
        #expect(second.syncedBatch == 4)
        append(4..<6, to: second)
        #expect(try ordinals() == Array(0..<6))
        disk.losePower()
        let reason =
            "segment-0000000001: batch 4 is bad, and batch 5 was written after it was synced: "
            + "acknowledged data may be missing"
        #expect(throws: FatalFault.damaged(reason)) { try ordinals() }
    }

    @Test(arguments: 0...3)
    func `power that fails while it is written again loses nothing that counted`(
        operations: Int
    ) throws {
        let first = journal()
        append(0..<4, to: first, failingAtLast: true)
        let recovered = try recover(marked: 3)
        let second = journal()
        second.resume(recovered, on: disk)
        second.syncRecovered(recovered.unmarked, on: disk, tag: tags.next())
        disk.run(operations)
        disk.losePower()
        #expect(try ordinals() == Array(0..<(operations < 2 ? 3 : 4)))
    }

    @Test func `so is the header of a segment that has nothing else`() throws {
        disk.submit(.create(segment, byteCount: 16 * 1_024), lane: .snapshots, tag: 0)
        disk.submit(.sync(segment), lane: .snapshots, tag: 0)
        disk.submit(
            .write(segment, at: 0, bytes: SegmentFormat.header(journal().settings)),
            lane: .snapshots, tag: 0)
        disk.run()
        disk.failSync(of: segment)
        let second = try start()
        #expect(second.segments.map(\.number) == [1])
        append(0..<2, to: second)
        disk.losePower()
        #expect(try ordinals() == [0, 1])
    }

    @Test func `no more is written again than what no mark covers`() throws {
        let first = journal()
        append(0..<20, to: first)
        #expect(first.segments.map(\.number) == [1, 2])
        #expect(try recover(marked: 20).unmarked.map(\.segment) == [2])
        var mark = JournalMark()
        (mark.batch, mark.lastSegment) = (20, 2)
        let covered = try RecoveredSegments(
            from: disk, owner: node, lineage: lineage, mark: mark)
        #expect(covered.unmarked.isEmpty)
        mark.batch = 13
        let last = try RecoveredSegments(from: disk, owner: node, lineage: lineage, mark: mark)
        #expect(last.unmarked.map(\.segment) == [1, 2])
        #expect(last.unmarked.map(\.offset) == [512 + 13 * 1_024, 512])
        #expect(last.unmarked.map(\.bytes.count) == [2 * 1_024, 5 * 1_024])
    }

    @Test func `a member that goes on keeps what it delivers from then on`() throws {
        let replica = try TestReplica(1, of: [1])
        replica.live(500)
        for command in 100..<110 as Range<UInt8> {
            replica.propose(command)
            replica.turn()
        }
        replica.propose(110)
        replica.replica.endTurn(now: replica.now, wallClock: .zero)
        let file = try #require(
            replica.disk.waiting.compactMap { waiting -> String? in
                if case .write(let file, _, _) = waiting.operation { file } else { nil }
            }.first)
        #expect(file.hasPrefix("segment"))
        replica.disk.run(1)
        replica.disk.failSync(of: file)
        try replica.restart()
        replica.live(3_000)
        replica.propose(111)
        replica.turn()
        let before = replica.replica.machine.list.filter { $0 >= 100 }
        #expect(before == Array(100..<112))
        replica.disk.losePower()
        try replica.restart()
        replica.live(3_000)
        #expect(replica.replica.machine.list.filter { $0 >= 100 } == before)
    }
}
