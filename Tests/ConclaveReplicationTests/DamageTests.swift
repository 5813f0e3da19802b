import ConclaveBase
import ConclaveGroup
import Testing

@testable import ConclaveReplication

/// What a start notices of a journal from which something is gone (V30).
@Suite struct `A damaged journal` {
    private let disk = MemoryDisk()
    private let settings = ReplicaSettings(
        own: member(1), configured: [NodeID(1), NodeID(2)], segmentByteCount: 64 * 1_024)

    private func recover() throws -> Recovery<ListMachine> {
        try Recovery(settings: settings, blank: ListMachine(), disk: disk)
    }

    private func recoverOrSetAside() throws -> Recovery<ListMachine> {
        try Recovery.orSetAside(settings: settings, blank: ListMachine(), disk: disk)
    }

    /// Two segments, of which the view journal knows as much as a replica would have told it.
    @discardableResult
    private func write(batches: UInt64 = 40, markingAfter marked: UInt64 = 40) throws
        -> SegmentJournal
    {
        let views = try ViewJournal.recover(
            from: disk, owner: node, smallestFile: 64 * 1_024
        ).journal
        views.append(.installed(view(1), voteFrom: Epoch(1)), to: disk, tag: 1)
        let segments = SegmentJournal(
            settings: SegmentSettings(owner: node, lineage: lineage, byteCount: 64 * 1_024))
        var tag: UInt64 = 100
        for ordinal in 0..<batches {
            let large = OrderedMessage(
                sender: 0, index: ordinal, ordinal: ordinal, timestamp: .zero,
                payload: Array(repeating: 0, count: 2_000))
            segments.append(large, epoch: Epoch(1), vector: [ordinal + 1, 0])
            repeat {
                segments.flush(to: disk) {
                    tag += 1
                    return tag
                }
                for tag in disk.run() { _ = segments.completed(tag) }
            } while !segments.isIdle
            guard ordinal + 1 == marked else { continue }
            views.mark.lastSegment = segments.lastSegment
            views.mark.batch = segments.syncedBatch
            views.append(.promise(Epoch(1), Ballot(round: 1, rank: Rank(0))), to: disk, tag: 2)
        }
        disk.run()
        return segments
    }

    private func expectDamage(_ reason: String) {
        #expect(throws: FatalFault.damaged(reason)) { try recover() }
    }

    @Test func `is none if nothing is missing`() throws {
        let segments = try write()
        #expect(segments.segments.count == 2)
        #expect(try recover().held.vector == [40, 0])
    }

    @Test func `is noticed if the newest segment was deleted`() throws {
        let segments = try write()
        let name = SegmentFormat.name(segments.lastSegment)
        disk.remove(name)
        expectDamage("\(name) is gone, or its header is bad: acknowledged data may be missing")
    }

    @Test func `is noticed if all segments were deleted`() throws {
        try write()
        for name in disk.files.keys where name.hasPrefix("segment") { disk.remove(name) }
        #expect(throws: FatalFault.self) { try recover() }
    }

    @Test func `is noticed if a synced batch at the end is bad`() throws {
        try write()
        let end = try recover().segments?.position ?? 0
        disk.change("segment-0000000002") { $0[end - 1_000] ^= 1 }
        expectDamage(
            "batch 40 was synced, and the segments end with batch 39: acknowledged data may be "
                + "missing")
    }

    @Test func `is not assumed of a batch that nobody knows to be synced`() throws {
        try write(markingAfter: 39)
        let end = try recover().segments?.position ?? 0
        disk.change("segment-0000000002") { $0[end - 1_000] ^= 1 }
        #expect(try recover().held.vector == [39, 0])
    }

    private func write(_ header: SnapshotHeader, to store: inout SnapshotStore, tag: UInt64) {
        store.begin(header, on: disk)
        for piece in pieces(SnapshotSource(header, of: machine([0, 1]))) {
            store.append(piece, to: disk, tag: 50)
        }
        store.finish(on: disk, tag: tag)
        for tag in disk.run() { _ = store.completed(tag) }
    }

    @Test func `is noticed if the newest snapshot is gone, also if an older one is there`() throws {
        let views = try ViewJournal.recover(
            from: disk, owner: node, smallestFile: 64 * 1_024
        ).journal
        var store = SnapshotStore(owner: node)
        for counter in [4, 9] as [UInt64] {
            let version = Version(Version(startOfEra: 1).number + counter)
            write(
                SnapshotHeader(
                    current: view(1), delivered: [0, 0], version: version, time: .zero),
                to: &store, tag: counter)
            views.append(.installed(view(1), voteFrom: Epoch(1)), to: disk, tag: 1)
            views.mark.snapshot = version
            views.appendMark(to: disk, tag: 2)
            disk.run()
        }
        #expect(try recover().hasState)
        let newest = SnapshotFile.name(Version(Version(startOfEra: 1).number + 9))
        disk.remove(newest)
        expectDamage("\(newest) is gone: acknowledged data may be missing")
    }

    @Test func `is noticed if an older segment that is needed was deleted`() throws {
        try write()
        disk.remove("segment-0000000001")
        expectDamage(
            "segment-0000000002 is the oldest segment, and segment-0000000001, which is needed, is "
                + "gone: acknowledged data is missing")
    }

    // What becomes of it.

    private func damage() {
        disk.change("segment-0000000001") { $0[700] ^= 1 }
    }

    @Test func `is set aside whole, and the member begins as a blank one of its group`() throws {
        try write()
        damage()
        let recovery = try recoverOrSetAside()
        #expect(!recovery.hasState)
        #expect(recovery.viewJournal.memory.current == nil)
        #expect(recovery.viewJournal.memory.voteFrom == Epoch(.max))
        let loss = ViewMemory.Loss(
            lineage: lineage, epoch: Epoch(1), list: view(1).list, number: 1)
        #expect(recovery.viewJournal.memory.loss == loss)
        let views = recovery.viewJournal
        let lost = try #require(recovery.lost)
        let before = disk.files
        views.replace(lost.journal, on: disk, tag: 9)
        #expect(disk.run() == [9])
        #expect(
            disk.files.keys.sorted() == [
                "aside-1-segment-0000000001", "aside-1-segment-0000000002",
                "aside-1-segment-0000000003", "aside-1-views.a", "aside-1-views.b", "views.a",
                "views.b",
            ])
        for name in before.keys { #expect(disk.files["aside-1-" + name] == before[name]) }
        #expect(try recover().viewJournal.memory == recovery.viewJournal.memory)
    }

    /// Every place at which a crash can cut the setting aside.
    @Test(arguments: 0...16)
    func `is set aside or still damage at any moment`(operations: Int) throws {
        try write()
        damage()
        let recovery = try recoverOrSetAside()
        recovery.viewJournal.replace(
            try #require(recovery.lost).journal, on: disk, tag: 9)
        disk.run(operations)
        disk.crash()
        for _ in 0..<2 {
            let again = try recoverOrSetAside()
            #expect(again.viewJournal.memory.current == nil)
            #expect(again.viewJournal.memory.loss?.lineage == lineage)
            again.viewJournal.replace(try #require(again.lost).journal, on: disk, tag: 10)
            disk.run()
        }
        #expect(!disk.files.keys.contains { $0.hasPrefix("segment") })
        #expect(disk.files.keys.contains { $0.hasSuffix("-segment-0000000002") })
    }

    @Test(arguments: 0...20)
    func `is also one that led to another state than the group's, until all of it is aside`(
        operations: Int
    ) throws {
        try write()
        disk.submit(.create("state-differs", byteCount: 0), lane: .views, tag: 0)
        disk.submit(.syncDirectory, lane: .views, tag: 0)
        disk.run()
        let reason =
            "state-differs: this member's state was not the one that a majority of the members had"
        let recovery = try recoverOrSetAside()
        #expect(recovery.lost?.reason == reason)
        recovery.viewJournal.replace(
            try #require(recovery.lost).journal, on: disk, tag: 9)
        disk.run(operations)
        disk.crash()
        let again = try recoverOrSetAside()
        again.viewJournal.replace(try #require(again.lost).journal, on: disk, tag: 10)
        disk.run()
        #expect(try recoverOrSetAside().lost?.reason == nil)
        #expect(disk.files.keys.contains { $0.hasSuffix("-state-differs") })
        #expect(!disk.files.keys.contains("state-differs"))
    }

    @Test func `is kept in two sets at most`() throws {
        for _ in 0..<4 {
            try write()
            damage()
            let recovery = try recoverOrSetAside()
            recovery.viewJournal.replace(
                try #require(recovery.lost).journal, on: disk, tag: 9)
            disk.run()
        }
        let sets = Set(disk.files.keys.filter { $0.hasPrefix("aside-") }.map { $0.prefix(7) })
        #expect(sets == ["aside-3", "aside-4"])
    }

    @Test func `names its group though both copies of the view journal are gone`() throws {
        try write()
        for file in ViewJournal.files { disk.remove(file) }
        #expect(try recoverOrSetAside().viewJournal.memory.loss?.lineage == lineage)
    }

    @Test(arguments: ViewJournal.files)
    func `is not at hand if one copy of the view journal is bad: it is repaired, and told`(
        file: String
    ) throws {
        try write()
        disk.change(file) { $0[3] ^= 1 }
        let recovery = try recover()
        #expect(recovery.hasState)
        #expect(recovery.viewJournal.repairs.map(\.file) == [file])
        #expect(recovery.viewJournal.repairs.map(\.reason) == ["its header is bad"])
    }

    /// A snapshot made a segment unnecessary while the next one was not begun for certain.
    @Test func `what was recorded as needed is there, also if the record was long on its way`()
        throws
    {
        let full = 127 * 512
        let replica = try TestReplica(1, of: [1], snapshotEveryByteCount: full)
        replica.live(500)
        while replica.replica.journal?.byteCountSinceSnapshot ?? full < full {
            replica.propose(1)
            replica.turn()
        }
        try #require(replica.replica.journal?.byteCountSinceSnapshot == full)
        replica.heldLanes = [.segments, .views]
        replica.propose(2)
        for _ in 0..<40 { replica.turn() }
        try #require(try replica.disk.list().contains(where: SnapshotFile.isName))
        replica.heldLanes = [.views]
        replica.turn()
        replica.heldLanes = []
        replica.turn()
        let before = replica.replica.machine.list
        try replica.restart()
        replica.live(500)
        #expect(replica.replica.isServing)
        #expect(replica.replica.machine.list.starts(with: before))
    }
}
