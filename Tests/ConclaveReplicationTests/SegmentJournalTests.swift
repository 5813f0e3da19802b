import ConclaveBase
import ConclaveGroup
import Testing

@testable import ConclaveReplication

@Suite struct `The segment journal` {
    private let disk = MemoryDisk()
    private let size = 16 * 1_024

    private func settings() -> SegmentSettings {
        SegmentSettings(owner: node, lineage: lineage, byteCount: size)
    }

    private func recover() throws -> RecoveredSegments {
        try RecoveredSegments(from: disk, owner: node, lineage: lineage)
    }

    private let tags = Tags()

    private func large(_ ordinal: UInt64) -> OrderedMessage {
        OrderedMessage(
            sender: 0, index: ordinal, ordinal: ordinal, timestamp: .zero,
            payload: Array(repeating: UInt8(ordinal), count: 900))
    }

    /// Runs the disk until the journal has nothing to do.
    private func settle(_ journal: SegmentJournal) {
        repeat {
            journal.flush(to: disk, nextTag: tags.next)
            for tag in disk.run() { _ = journal.completed(tag) }
        } while !journal.isIdle
    }

    /// One batch a message, of two sectors each.
    private func written(_ count: UInt64) -> SegmentJournal {
        let journal = SegmentJournal(settings: settings())
        append(0..<count, to: journal)
        return journal
    }

    private func append(_ ordinals: Range<UInt64>, to journal: SegmentJournal) {
        for ordinal in ordinals {
            journal.append(large(ordinal), epoch: Epoch(1), vector: [ordinal + 1])
            settle(journal)
        }
    }

    private func ordinals(_ recovered: RecoveredSegments) -> [UInt64] {
        recovered.records.map(\.message.ordinal)
    }

    @Test func `what was synced is read back, in order`() throws {
        _ = written(5)
        let recovered = try recover()
        #expect(ordinals(recovered) == [0, 1, 2, 3, 4])
        #expect(recovered.records.map(\.message) == (0..<5).map { large($0) })
        #expect(recovered.batchNumber == 5)
        #expect(recovered.position == 512 + 5 * 1_024)
    }

    @Test func `what arrives during a sync goes into one batch after it`() {
        let journal = SegmentJournal(settings: settings())
        settle(journal)
        journal.append(message(0, 0, 1), epoch: Epoch(1), vector: [1])
        journal.flush(to: disk, nextTag: tags.next)
        for ordinal in 1..<4 as Range<UInt64> {
            journal.append(message(0, ordinal, 1), epoch: Epoch(1), vector: [ordinal + 1])
            journal.flush(to: disk, nextTag: tags.next)
        }
        #expect(disk.waiting.filter { $0.tag != 0 }.count == 1)
        var marks: [SegmentJournal.Mark?] = []
        while !journal.isIdle {
            for tag in disk.run() { marks.append(journal.completed(tag).mark) }
            journal.flush(to: disk, nextTag: tags.next)
        }
        #expect(marks.compactMap { $0?.vector } == [[1], [4]])
    }

    @Test func `V30: an unfinished last batch is cut off, and overwritten by the next`() throws {
        _ = written(3)
        let end = try recover().position
        disk.change("segment-0000000001") { $0[end - 700] ^= 1 }
        let recovered = try recover()
        #expect(ordinals(recovered) == [0, 1])
        #expect(recovered.position == end - 1_024)
        let journal = SegmentJournal(settings: settings())
        journal.resume(recovered, on: disk)
        append(2..<4, to: journal)
        #expect(ordinals(try recover()) == [0, 1, 2, 3])
    }

    @Test(arguments: 0..<3)
    func `V30: a bad batch with a later valid one behind it is damage`(bad: Int) throws {
        _ = written(4)
        disk.change("segment-0000000001") { $0[512 + 1_024 * bad + 200] ^= 1 }
        #expect(throws: FatalFault.self) { try recover() }
    }

    @Test func `V30: a bad header before valid batches is damage, and nothing is removed`() throws {
        _ = written(4)
        disk.change("segment-0000000001") { $0[12] ^= 1 }
        #expect(throws: FatalFault.self) { try recover() }
        #expect(disk.waiting.isEmpty)
    }

    @Test func `V30: so it is in a later segment`() throws {
        let journal = written(30)
        #expect(journal.segments.count > 1)
        let last = SegmentFormat.name(journal.segments[journal.segments.count - 1].number)
        disk.change(last) { $0[0] ^= 1 }
        #expect(throws: FatalFault.self) { try recover() }
        #expect(disk.waiting.isEmpty)
    }

    @Test func `a segment that was never begun is not needed`() throws {
        _ = written(2)
        disk.submit(.create("segment-0000000009", byteCount: size), lane: .snapshots, tag: 0)
        disk.run()
        let recovered = try recover()
        #expect(ordinals(recovered) == [0, 1])
        #expect(recovered.unneeded == [9])
    }

    @Test func `a full segment is followed by the spare one`() throws {
        let journal = written(40)
        #expect(journal.segments.map(\.number) == [1, 2, 3])
        #expect(journal.segments[0].last == SegmentJournal.Mark(epoch: Epoch(1), vector: [15]))
        let recovered = try recover()
        #expect(ordinals(recovered) == Array(0..<40))
        #expect(recovered.segments == journal.segments)
    }

    @Test func `after a restart it goes on in the same segments`() throws {
        _ = written(20)
        let journal = SegmentJournal(settings: settings())
        journal.resume(try recover(), on: disk)
        append(20..<40, to: journal)
        #expect(ordinals(try recover()) == Array(0..<40))
    }

    @Test func `a lost segment between others is damage`() throws {
        _ = written(40)
        disk.remove("segment-0000000002")
        #expect(throws: FatalFault.self) { try recover() }
    }

    @Test func `segments that a snapshot covers are given up, the last one stays`() throws {
        let journal = written(40)
        forget(below: 20, in: journal)
        #expect(journal.segments.map(\.number) == [2, 3])
        #expect(ordinals(try recover()).first == 15)
        forget(SegmentJournal.Mark(epoch: Epoch(2), vector: [0]), in: journal)
        #expect(journal.segments.map(\.number) == [3])
    }

    @Test(arguments: [0, 100, 512, 512 + 3 * 1_024, 16 * 1_024 - 1])
    func `a segment cut short is damage, wherever it is cut`(byteCount: Int) throws {
        _ = written(6)
        disk.change("segment-0000000001") { $0.removeLast($0.count - byteCount) }
        let reason = "is cut to \(byteCount) bytes: acknowledged data may be missing"
        #expect(throws: FatalFault.damaged("segment-0000000001: " + reason)) {
            try recover()
        }
    }

    @Test func `segments of another node are refused, those of another lineage not needed`()
        throws
    {
        _ = written(3)
        #expect(throws: FatalFault.foreignData("segment-0000000001: of node 1, not of 2")) {
            try RecoveredSegments(from: disk, owner: NodeID(2), lineage: lineage)
        }
        let other = try RecoveredSegments(
            from: disk, owner: node, lineage: Lineage(high: 9, low: 9))
        #expect(other.records.isEmpty)
        #expect(other.unneeded == [1])
    }

    @Test func `a batch beyond all numbers is damage, and does not trap`() throws {
        _ = written(1)
        let batch = BatchFormat.encode(
            [], number: .max, recordCount: 0, segment: 1, offset: 512, lineage: lineage)
        disk.change("segment-0000000001") { $0.replaceSubrange(512..<1_024, with: batch) }
        #expect(throws: FatalFault.self) { try recover() }
    }

    @Test(arguments: ["segment-5", "segment-+0000000005", "segment-18446744073709551615"])
    func `a file whose name no segment gets is none`(name: String) {
        #expect(SegmentFormat.number(of: name) == nil)
    }

    @Test func `a batch copied to another place is not taken for one`() throws {
        _ = written(2)
        disk.change("segment-0000000001") { bytes in
            let batch = Array(bytes[(512 + 1_024)..<(512 + 2_048)])
            bytes.replaceSubrange((512 + 4_096)..<(512 + 5_120), with: batch)
        }
        #expect(ordinals(try recover()) == [0, 1])
    }

    @Test(arguments: 1...60 as ClosedRange<UInt64>)
    func `garbage is damage or a beginning of the truth, never a trap`(seed: UInt64) throws {
        _ = written(20)
        var random = SeededRandom(seed: seed)
        for file in disk.files.keys.sorted() {
            disk.change(file) { bytes in
                for _ in 0..<random.below(3) {
                    bytes[Int(random.below(UInt64(bytes.count)))] ^= 1 << random.below(8)
                }
            }
        }
        do {
            let found = ordinals(try recover())
            #expect(found == Array(0..<UInt64(found.count)))
        } catch is FatalFault {}
    }

    // Files that become segments again (V29).

    private func forget(below ordinal: UInt64, in journal: SegmentJournal) {
        forget(SegmentJournal.Mark(epoch: Epoch(1), vector: [ordinal]), in: journal)
    }

    private func forget(_ mark: SegmentJournal.Mark, in journal: SegmentJournal) {
        if let first = journal.firstSegment(needed: mark) {
            journal.forget(before: first, on: disk)
        }
        disk.run()
    }

    private var names: [String] { disk.files.keys.sorted() }

    @Test func `V29: files of segments that are given up become segments again, two at most`()
        throws
    {
        let journal = written(80)
        #expect(journal.segments.map(\.number) == [1, 2, 3, 4, 5, 6])
        forget(below: 50, in: journal)
        #expect(
            names == [
                "segment-0000000004", "segment-0000000005", "segment-0000000006", "spare-1",
                "spare-2",
            ])
        let old = disk.files["spare-1"]
        append(80..<110, to: journal)
        #expect(journal.segments.map(\.number) == [4, 5, 6, 7, 8])
        #expect(!names.contains("spare-1"))
        #expect(disk.files["segment-0000000007"]?.count == old?.count)
        #expect(ordinals(try recover()) == Array(45..<110))
    }

    /// The file was full; only a beginning of it is written anew.
    @Test(arguments: 92...98 as ClosedRange<UInt64>)
    func `V30: what a file held before is neither read as new nor taken for damage`(
        count: UInt64
    ) throws {
        let journal = written(80)
        forget(below: 60, in: journal)
        append(80..<count, to: journal)
        let last = try #require(journal.segments.last)
        #expect(last.number == 7)
        let bytes = try #require(disk.files[SegmentFormat.name(last.number)])
        #expect(bytes.last { $0 != 0 } != nil)
        #expect(ordinals(try recover()).last == count - 1)
        // Nor if the newest batch was not finished.
        let end = try recover().position
        disk.change(SegmentFormat.name(last.number)) { $0[end - 1_000] ^= 1 }
        #expect(ordinals(try recover()).last == count - 2)
    }

    @Test func `V29: a restart finds them, and takes none for a lower number`() throws {
        let journal = written(80)
        forget(below: 60, in: journal)
        let again = SegmentJournal(settings: settings())
        again.resume(try recover(), on: disk)
        append(80..<100, to: again)
        #expect(again.segments.last?.number == 7)
        #expect(!names.contains("spare-1") || !names.contains("spare-2"))
        #expect(ordinals(try recover()).last == 99)
        var fresh = SpareFiles()
        fresh.find(on: disk, byteCount: size)
        let isTaken = fresh.take(as: 1, on: disk)
        #expect(!isTaken)
    }

    /// A history that begins again counts its segments from 1.
    @Test func `V29: one that a history before left gives way to that of the same number`() {
        for file in ["spare-5", SegmentFormat.name(5)] {
            disk.submit(.create(file, byteCount: size), lane: .snapshots, tag: 0)
        }
        disk.run()
        var spares = SpareFiles()
        spares.find(on: disk, byteCount: size)
        let segment = SegmentJournal.Segment(number: 5, byteCount: size, last: nil)
        spares.put(segment, byteCount: size, on: disk)
        disk.run()
        #expect(names == ["spare-5"])
        let taken = [6, 7].map { spares.take(as: $0, on: disk) }
        #expect(taken == [true, false])
    }

    @Test func `V29: those of another size are removed`() throws {
        let journal = written(80)
        forget(below: 60, in: journal)
        var other = SpareFiles()
        other.find(on: disk, byteCount: size * 2)
        disk.run()
        #expect(!names.contains { $0.hasPrefix("spare") })
    }

    /// Every place at which a crash can cut it.
    @Test(arguments: 0...6)
    func `V29: a crash while a file becomes a segment again loses nothing`(operations: Int) throws {
        let journal = written(80)
        forget(below: 60, in: journal)
        for ordinal in 80..<85 as Range<UInt64> {
            journal.append(large(ordinal), epoch: Epoch(1), vector: [ordinal + 1])
            journal.flush(to: disk, nextTag: tags.next)
            for tag in disk.run() { _ = journal.completed(tag) }
        }
        let before = ordinals(try recover())
        journal.flush(to: disk, nextTag: tags.next)
        disk.run(operations)
        disk.crash()
        #expect(ordinals(try recover()) == before)
        let again = SegmentJournal(settings: settings())
        again.resume(try recover(), on: disk)
        append((before.last ?? 0) + 1..<120, to: again)
        #expect(ordinals(try recover()).last == 119)
    }
}
