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

    /// Reads all segments of `lineage`, cuts off an unfinished write, and refuses damage (V30).
    init(from disk: any Disk, owner: NodeID, lineage: Lineage) throws(FatalFault) {
        let numbers: [UInt64]
        do {
            numbers = try disk.list().compactMap(SegmentFormat.number(of:)).sorted()
        } catch {
            throw .disk(error)
        }
        for number in numbers {
            let bytes = try Self.contents(of: SegmentFormat.name(number), on: disk)
            let found = try SegmentFormat.check(
                bytes, file: SegmentFormat.name(number), owner: owner)
            if found == nil { try refuseBatches(in: bytes, segment: number, lineage: lineage) }
            guard found == lineage else {
                discard(number, on: disk)
                continue
            }
            try read(bytes, segment: number, lineage: lineage)
        }
    }

    private static func contents(of file: String, on disk: any Disk) throws(FatalFault) -> [UInt8] {
        do {
            return try disk.read(file, at: 0, count: try disk.byteCount(of: file))
        } catch {
            throw .disk(error)
        }
    }

    /// The header is synced before the first batch is written: a batch behind a bad one is damage.
    private func refuseBatches(
        in bytes: [UInt8], segment: UInt64, lineage: Lineage
    ) throws(FatalFault) {
        for offset in stride(from: Sector.byteCount, to: bytes.count, by: Sector.byteCount) {
            let batch = BatchFormat.decode(bytes, at: offset, segment: segment, lineage: lineage)
            guard let batch else { continue }
            throw .damaged(
                "\(SegmentFormat.name(segment)): the header is bad, and batch \(batch.number) "
                    + "behind it is not: acknowledged data may be missing")
        }
    }

    /// A segment that was never begun, or that belongs to a history given up.
    private func discard(_ number: UInt64, on disk: any Disk) {
        disk.submit(.remove(SegmentFormat.name(number)), lane: .snapshots, tag: 0)
    }

    private mutating func read(
        _ bytes: [UInt8], segment: UInt64, lineage: Lineage
    ) throws(FatalFault) {
        var offset = Sector.byteCount
        var last: SegmentJournal.Mark?
        var end = offset
        while offset < bytes.count {
            guard
                let batch = BatchFormat.decode(
                    bytes, at: offset, segment: segment, lineage: lineage)
            else {
                offset += Sector.byteCount
                continue
            }
            guard batch.number <= BatchFormat.lastNumber else {
                throw .damaged(
                    "\(SegmentFormat.name(segment)): a batch has the number \(batch.number)")
            }
            let isNext = batchNumber == 0 || batch.number == batchNumber + 1
            guard offset == end, isNext else {
                throw .damaged(
                    "\(SegmentFormat.name(segment)): batch \(batchNumber + 1) is bad, and batch "
                        + "\(batch.number) was written after it was synced: acknowledged data may "
                        + "be missing")
            }
            batchNumber = batch.number
            records += batch.records
            for record in batch.records { Self.extend(&last, by: record) }
            offset += batch.byteCount
            end = offset
            byteCount += batch.byteCount
        }
        if end == Sector.byteCount, segments.last != nil {
            // A spare that was not begun comes after the segment that is being written.
            return
        }
        segments.append(SegmentJournal.Segment(number: segment, last: last))
        position = end
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
