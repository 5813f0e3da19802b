import ConclaveBase
import ConclaveGroup
import Testing

@testable import ConclaveReplication

@Suite struct `The recovery` {
    private let disk = MemoryDisk()
    private let settings = ReplicaSettings(
        own: member(1), configured: [NodeID(1), NodeID(2)], segmentByteCount: 64 * 1_024)

    private func recover() throws -> Recovery<ListMachine> {
        try Recovery(settings: settings, blank: ListMachine(), disk: disk)
    }

    private func write(views: [NextView], records: [JournalRecord]) throws {
        let journal = try ViewJournal.recover(
            from: disk, owner: node, smallestFile: 64 * 1_024
        ).journal
        for value in views {
            journal.append(.installed(value, voteFrom: Epoch(1)), to: disk, tag: 1)
        }
        let segments = SegmentJournal(
            settings: SegmentSettings(owner: node, lineage: lineage, byteCount: 64 * 1_024))
        var tag: UInt64 = 100
        for record in records {
            segments.append(record.message, epoch: record.epoch, vector: [])
        }
        repeat {
            segments.flush(to: disk) {
                tag += 1
                return tag
            }
            for tag in disk.run() { _ = segments.completed(tag) }
        } while !segments.isIdle
    }

    private func remove(_ file: String) {
        disk.submit(.remove(file), lane: .snapshots, tag: 0)
        disk.run()
    }

    @Test func `an empty disk has no state`() throws {
        let recovery = try recover()
        #expect(!recovery.hasState)
        #expect(recovery.order.current == nil)
    }

    @Test func `a journal without its view journal is damage, not a beginning`() throws {
        try write(views: [view(1)], records: [record(1, message(0, 0, 10))])
        for file in ViewJournal.files { remove(file) }
        let reason =
            "both copies of the view journal are gone, beside segment-0000000001: a member that "
            + "went on without them could break what it promised"
        #expect(throws: FatalFault.damaged(reason)) { try recover() }
    }

    @Test func `a journal beside a view journal that knows of no view is damage`() throws {
        try write(views: [view(1)], records: [record(1, message(0, 0, 10))])
        for file in ViewJournal.files {
            disk.change(file) { bytes in
                for index in 512..<bytes.count { bytes[index] = 0 }
            }
        }
        #expect(throws: FatalFault.self) { try recover() }
    }

    @Test func `no segment is made for a view that is in the page cache alone`() throws {
        let replica = try TestReplica(1, of: [1])
        replica.heldLanes = [.snapshots]
        replica.live(3_000)
        #expect(replica.replica.view.epoch == Epoch(1))
        try replica.restart()
        replica.heldLanes = [.views]
        replica.live(1_000)
        #expect(!replica.disk.files.keys.contains { $0.hasPrefix("segment-") })
        replica.heldLanes = []
        replica.live(1_000)
        #expect(replica.disk.files.keys.contains { $0.hasPrefix("segment-") })
    }

    @Test func `segments whose beginning only a lost snapshot had are damage`() throws {
        let records = (0..<3_000 as Range<UInt64>).map { record(1, message(0, $0, 10)) }
        try write(views: [view(1)], records: records)
        #expect(try recover().hasState)
        remove("segment-0000000001")
        let reason =
            "segment-0000000002 is the oldest segment, and segment-0000000001, which is needed, is "
            + "gone: acknowledged data is missing"
        #expect(throws: FatalFault.damaged(reason)) { try recover() }
    }

    @Test func `V20: finished epochs are replayed up to their trim, the last one is held`() throws {
        try write(
            views: [view(1), view(2, trim: [2, 1])],
            records: [
                record(1, message(0, 0, 10)), record(1, message(1, 0, 20)),
                record(1, message(0, 1, 11)), record(1, message(0, 2, 12)),
                record(2, message(1, 0, 30)), record(2, message(0, 0, 40)),
            ])
        let recovery = try recover()
        #expect(recovery.hasState)
        #expect(recovery.order.machine.list == [0, 1, 10, 20, 11, 0, 2])
        #expect(recovery.held.vector == [1, 1])
        #expect(recovery.held.delivered == [0, 0])
    }

    @Test func `what lies above the trim of its epoch is discarded for ever`() throws {
        try write(
            views: [view(1), view(2, trim: [0, 0]), view(3, trim: [1, 0])],
            records: [record(1, message(0, 0, 99)), record(2, message(0, 0, 10))])
        #expect(try recover().order.machine.list == [0, 1, 0, 2, 10, 0, 3])
    }

    @Test func `a member that lacks something below a trim has no state of the newest view`() throws
    {
        try write(
            views: [view(1), view(2, trim: [2, 0])], records: [record(1, message(0, 0, 10))])
        let recovery = try recover()
        #expect(!recovery.hasState)
        #expect(recovery.order.current?.epoch == Epoch(1))
    }

    private func writeSnapshot(_ header: SnapshotHeader, _ machine: ListMachine) {
        var store = SnapshotStore(owner: node)
        store.begin(header, on: disk)
        for piece in pieces(SnapshotSource(header, of: machine)) {
            store.append(piece, to: disk, tag: 6)
        }
        store.finish(on: disk, tag: 7)
        disk.run()
    }

    @Test func `a snapshot is the beginning, and what it has is not applied again`() throws {
        let before = SnapshotHeader(
            current: view(2, trim: [1, 0]), delivered: [1, 0],
            version: Version(Version(startOfEra: 1).number + 4), time: .zero)
        writeSnapshot(before, machine([0, 1, 10, 0, 2, 40]))
        try write(
            views: [view(2, trim: [1, 0]), view(3, trim: [2, 1])],
            records: [
                record(2, message(0, 0, 40)), record(2, message(0, 1, 41)),
                record(2, message(1, 0, 50)), record(3, message(0, 0, 60)),
            ])
        let recovery = try recover()
        #expect(recovery.hasState)
        #expect(recovery.order.machine.list == [0, 1, 10, 0, 2, 40, 50, 41, 0, 3])
        #expect(recovery.held.vector == [1, 0])
    }

    @Test func `V26: what was ordered after a loss of state survives a restart`() throws {
        try write(
            views: [
                view(1), view(2, trim: [0, 0], stateWasLost: true, era: 2),
                view(3, trim: [1, 0], era: 2),
            ],
            records: [
                record(1, message(0, 0, 99)), record(2, message(0, 0, 10)),
                record(3, message(1, 0, 20)),
            ])
        let recovery = try recover()
        #expect(recovery.hasState)
        #expect(recovery.order.machine.list == [0, 2, 10, 0, 3])
        #expect(recovery.order.version.era == 2)
        #expect(recovery.held.vector == [0, 1])
    }

    @Test func `V26: a gap before the loss of state does not matter`() throws {
        try write(
            views: [
                view(1), view(2, trim: [5, 5]),
                view(3, trim: [0, 0], stateWasLost: true, era: 2),
            ],
            records: [record(3, message(0, 0, 10))])
        let recovery = try recover()
        #expect(recovery.hasState)
        #expect(recovery.order.machine.list == [0, 3])
        #expect(recovery.held.vector == [1, 0])
    }

    @Test func `a machine that is later than its snapshot is damage`() throws {
        try write(views: [view(1)], records: [])
        let header = SnapshotHeader(
            current: view(1), delivered: [0, 0], version: Version(5), time: .zero)
        writeSnapshot(header, machine([0xFE]))
        #expect(throws: FatalFault.self) { try recover() }
    }

    @Test func `a machine that does not decode is damage`() throws {
        let header = SnapshotHeader(
            current: view(1), delivered: [0, 0], version: Version(startOfEra: 1), time: .zero)
        writeSnapshot(header, machine([1, 0xFF]))
        try write(views: [view(1)], records: [])
        #expect(throws: FatalFault.self) { try recover() }
    }
}
