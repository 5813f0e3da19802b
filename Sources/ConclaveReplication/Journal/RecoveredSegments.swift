import ConclaveBase
import ConclaveGroup

/// What the segments on a disk hold, read back at a start.
struct RecoveredSegments {
    var segments: [SegmentJournal.Segment] = []
    var records: [JournalRecord] = []
    /// Where the next batch goes, in the last segment.
    var position = 0
    var batchNumber: UInt64 = 0
    var byteCount = 0
    /// All that have a header of this lineage, also those that no batch was written to.
    private(set) var numbers: [UInt64] = []
    /// One that is made and recorded, and that no batch was written to. It is not made anew: it would
    /// be missed if that came to an end half-way.
    private(set) var spare: UInt64?
    /// Segments that were never begun, or that belong to a history given up. They may go when it is
    /// certain that the view which says so is on the disk.
    private(set) var unneeded: [UInt64] = []
    /// What no mark says to be on the disk, of those that have batches, or that the next one goes to.
    private(set) var unmarked: [UnmarkedBytes] = []
    private let mark: JournalMark
    private let plant: Plant?
    /// Of the segment that is being read.
    private var known: KnownBatches.File?

    /// Reads all segments of `lineage`, cuts off an unfinished write, and refuses damage (V30). `mark`
    /// says what is on the disk for certain.
    init(
        from disk: any Disk, owner: NodeID, lineage: Lineage, mark: JournalMark = JournalMark(),
        plant: Plant? = nil, known: KnownBatches? = nil
    ) throws(FatalFault) {
        self.mark = mark
        self.plant = plant
        let present: [UInt64]
        do {
            present = try disk.list().compactMap(SegmentFormat.number(of:)).sorted()
        } catch {
            throw .disk(error)
        }
        known?.keep(only: present)
        for number in present {
            let bytes = try Self.contents(of: SegmentFormat.name(number), on: disk)
            self.known = known?.take(number)
            defer {
                if let file = self.known { known?.put(file, as: number) }
                self.known = nil
            }
            let found = try SegmentFormat.check(
                bytes, file: SegmentFormat.name(number), owner: owner)
            if found == nil { try refuseBatches(in: bytes, segment: number, lineage: lineage) }
            guard found == lineage else {
                unneeded.append(number)
                continue
            }
            numbers.append(number)
            try read(bytes, segment: number, lineage: lineage)
        }
    }

    private static func contents(of file: String, on disk: any Disk) throws(FatalFault) -> [UInt8] {
        do {
            return try disk.read(file, at: 0, count: try disk.byteCount(of: file))
        } catch {
            throw .damaged("\(file): cannot be read: \(error)")
        }
    }

    private mutating func decode(
        _ bytes: [UInt8], at offset: Int, segment: UInt64, lineage: Lineage
    ) -> BatchFormat.Batch? {
        let covered = BatchFormat.covered(segment, plant: plant)
        guard known != nil else {
            return BatchFormat.decode(bytes, at: offset, segment: covered, lineage: lineage)
        }
        return known!.decode(bytes, at: offset, segment: covered, lineage: lineage)
    }

    /// The header is synced before the first batch is written: a batch behind a bad one is damage.
    private mutating func refuseBatches(
        in bytes: [UInt8], segment: UInt64, lineage: Lineage
    ) throws(FatalFault) {
        var offset = Sector.byteCount
        while let start = Sector.next(BatchFormat.magic, in: bytes, from: offset) {
            offset = start + Sector.byteCount
            let batch = decode(bytes, at: start, segment: segment, lineage: lineage)
            guard let batch else { continue }
            throw .damaged(
                "\(SegmentFormat.name(segment)): the header is bad, and batch \(batch.number) "
                    + "behind it is not: acknowledged data may be missing")
        }
    }

    /// Refuses a journal from which something is missing that was on the disk (V30).
    mutating func check() throws(FatalFault) {
        if let last = segments.last?.number, mark.lastSegment > last { spare = mark.lastSegment }
        if let first = segments.first, first.number > mark.firstSegment {
            throw .damaged(
                "\(SegmentFormat.name(first.number)) is the oldest segment, and "
                    + "\(SegmentFormat.name(mark.firstSegment)), which is needed, is gone: "
                    + "acknowledged data is missing")
        }
        guard mark.lastSegment == 0 || numbers.contains(mark.lastSegment) else {
            throw .damaged(
                "\(SegmentFormat.name(mark.lastSegment)) is gone, or its header is bad: "
                    + "acknowledged data may be missing")
        }
        guard batchNumber >= mark.batch || plant == .cutOffSyncedTail else {
            throw .damaged(
                "batch \(mark.batch) was synced, and the segments end with batch \(batchNumber): "
                    + "acknowledged data may be missing")
        }
    }

    private mutating func read(
        _ bytes: [UInt8], segment: UInt64, lineage: Lineage
    ) throws(FatalFault) {
        var offset = Sector.byteCount
        var last: SegmentJournal.Mark?
        var end = offset
        var unmarkedStart: Int?
        while let start = Sector.next(BatchFormat.magic, in: bytes, from: offset) {
            let batch = decode(bytes, at: start, segment: segment, lineage: lineage)
            offset = start + (batch?.byteCount ?? Sector.byteCount)
            guard let batch else { continue }
            guard batch.number <= BatchFormat.lastNumber else {
                throw .damaged(
                    "\(SegmentFormat.name(segment)): a batch has the number \(batch.number)")
            }
            let isNext = batchNumber == 0 || batch.number == batchNumber + 1
            guard start == end, isNext || plant == .gapIsNext else {
                throw .damaged(
                    "\(SegmentFormat.name(segment)): batch \(batchNumber + 1) is bad, and batch "
                        + "\(batch.number) was written after it was synced: acknowledged data may "
                        + "be missing")
            }
            batchNumber = batch.number
            if batchNumber > mark.batch { unmarkedStart = unmarkedStart ?? start }
            records += batch.records
            for record in batch.records { Self.extend(&last, by: record) }
            end = offset
            byteCount += batch.byteCount
        }
        if plant == .holeIsDamage, bytes[end...].contains(where: { $0 != 0 }) {
            throw .damaged("\(SegmentFormat.name(segment)): batch \(batchNumber + 1) is bad")
        }
        if end == Sector.byteCount, segments.last != nil {
            // A spare that was not begun comes after the segment that is being written.
            return
        }
        segments.append(
            SegmentJournal.Segment(number: segment, byteCount: bytes.count, last: last))
        position = end
        if segment > mark.lastSegment {
            unmarked.append(UnmarkedBytes(in: bytes[..<Sector.byteCount], of: segment))
        }
        if let unmarkedStart {
            unmarked.append(UnmarkedBytes(in: bytes[unmarkedStart..<end], of: segment))
        }
    }

    private static func extend(_ mark: inout SegmentJournal.Mark?, by record: JournalRecord) {
        if mark == nil || mark?.epoch != record.epoch {
            mark = SegmentJournal.Mark(epoch: record.epoch, vector: [])
        }
        let sender = record.message.sender
        while mark?.vector.count ?? 0 <= sender { mark?.vector.append(0) }
        mark?.vector[sender] = record.message.ordinal + 1
    }
}
