import ConclaveBase
import ConclaveGroup
import ConclaveWire

/// The messages of the group, in the order of their arrival, in preallocated segments (V29).
///
/// Group commit: what arrives while a sync is under way goes into the next batch. A batch is only
/// written after the one before it was synced; so a bad batch with a later valid one behind it is
/// damage, and one without is an unfinished write (V30).
final class SegmentJournal {
    /// How far the messages that a completed sync covers go, by sender, and of which epoch.
    struct Mark: Equatable {
        var epoch: Epoch
        var vector: [UInt64]
    }

    struct Segment: Equatable {
        var number: UInt64
        /// Of its file.
        var byteCount: Int
        /// Of the newest epoch in it.
        var last: Mark?
    }

    let settings: SegmentSettings
    private(set) var segments: [Segment] = []
    private var position = 0
    private var batchNumber: UInt64 = 0
    private var pending: [Batch] = []
    private var outstanding: (tag: UInt64, mark: Mark?)?
    /// The newest batch whose sync has completed, and the segment that it is in.
    private(set) var syncedBatch: UInt64 = 0
    private var syncedSegment: UInt64 = 0
    /// The next segment, once it is made; its making is under way while this is nil.
    private var spare: UInt64?
    private var spareTag: UInt64?
    private(set) var byteCountSinceSnapshot = 0
    private var spareFiles = SpareFiles()

    private struct Batch {
        var writer = ByteWriter()
        var recordCount = 0
        var mark: Mark?
    }

    init(settings: SegmentSettings) {
        self.settings = settings
    }

    /// Goes on where recovery found the end.
    func resume(_ recovered: RecoveredSegments, on disk: any Disk) {
        spareFiles.find(on: disk, byteCount: settings.byteCount)
        segments = recovered.segments
        spare = recovered.spare
        position = recovered.position
        batchNumber = recovered.batchNumber
        byteCountSinceSnapshot = recovered.byteCount
    }

    /// Makes sure of what was read back, and of the last file's name: what may be in the page cache
    /// alone is written again, for there a failed sync leaves it as if it were on the disk.
    func syncRecovered(_ unmarked: [UnmarkedBytes], on disk: any Disk, tag: UInt64) {
        guard let last = segments.last else { return }
        for part in unmarked where settings.plant != .recoveredNotRewritten {
            let write = DiskOperation.write(
                SegmentFormat.name(part.segment), at: part.offset, bytes: Array(part.bytes))
            disk.submit(write, lane: .segments, tag: 0)
        }
        for number in Set(unmarked.map(\.segment)).union([last.number]).sorted() {
            disk.submit(.sync(SegmentFormat.name(number)), lane: .segments, tag: 0)
        }
        disk.submit(.syncDirectory, lane: .segments, tag: tag)
    }

    /// The sync of what was read back has completed.
    func syncedRecovered() {
        syncedBatch = batchNumber
        syncedSegment = segments.last?.number ?? 0
    }

    /// The newest segment that is made for certain.
    var lastSegment: UInt64 { spare ?? segments.last?.number ?? 0 }

    /// The oldest segment that is needed beside a snapshot.
    func firstSegment(needed mark: Mark) -> UInt64? {
        segments.first { !isForgettable($0, through: mark) }?.number
    }

    /// The one with the newest synced batch always stays: numbers go on from it.
    private func isForgettable(_ segment: Segment, through mark: Mark) -> Bool {
        guard let last = segment.last else { return false }
        let isOlder = segment.number < syncedSegment
        return (isOlder || settings.plant == .newestGivenUp) && last.isCovered(by: mark)
    }

    var isIdle: Bool { outstanding == nil && pending.isEmpty }

    /// There is one to write to. The first one is made when the lineage is known, and takes a while.
    var hasSegment: Bool { spare != nil || !segments.isEmpty }

    /// More than a batch waits for the disk.
    var isBacklogged: Bool { pending.count > 1 }

    func append(_ message: OrderedMessage, epoch: Epoch, vector: [UInt64]) {
        let size = JournalRecord.overhead + message.payload.count
        if pending.isEmpty || pending[pending.count - 1].writer.bytes.count + size > maximumBatch {
            pending.append(Batch())
        }
        let last = pending.count - 1
        JournalRecord(epoch: epoch, message: message).encode(into: &pending[last].writer)
        pending[last].recordCount += 1
        pending[last].mark = Mark(epoch: epoch, vector: vector)
    }

    /// Something waits to be written, and there is no segment for it yet.
    var needsSegment: Bool {
        guard outstanding == nil, spare == nil, let batch = pending.first else { return false }
        return !hasRoom(for: Self.byteCount(of: batch))
    }

    private static func byteCount(of batch: Batch) -> Int {
        Sector.roundUp(BatchFormat.headerByteCount + batch.writer.bytes.count)
    }

    private func hasRoom(for byteCount: Int) -> Bool {
        !segments.isEmpty && position + byteCount <= settings.byteCount
    }

    /// Begins the next batch if none is under way. `nextTag` gives tags for completions.
    func flush(to disk: any Disk, nextTag: () -> UInt64) {
        prepareSpare(on: disk, nextTag: nextTag)
        guard outstanding == nil, !pending.isEmpty else { return }
        let size = Self.byteCount(of: pending[0])
        if !hasRoom(for: size) {
            guard let number = spare else { return }
            spare = nil
            segments.append(Segment(number: number, byteCount: settings.byteCount, last: nil))
            position = Sector.byteCount
            prepareSpare(on: disk, nextTag: nextTag)
        }
        write(pending.removeFirst(), byteCount: size, to: disk, tag: nextTag())
    }

    private func write(_ batch: Batch, byteCount: Int, to disk: any Disk, tag: UInt64) {
        let last = segments.count - 1
        let file = SegmentFormat.name(segments[last].number)
        batchNumber += 1
        let bytes = BatchFormat.encode(
            batch.writer.bytes, number: batchNumber, recordCount: batch.recordCount,
            segment: BatchFormat.covered(segments[last].number, plant: settings.plant),
            offset: position, lineage: settings.lineage)
        disk.submit(.write(file, at: position, bytes: bytes), lane: .segments, tag: 0)
        disk.submit(.sync(file), lane: .segments, tag: tag)
        position += byteCount
        byteCountSinceSnapshot += byteCount
        segments[last].last = batch.mark
        outstanding = (tag, batch.mark)
    }

    /// Takes a completion of this journal's, and says how far messages are synced now.
    func completed(_ tag: UInt64) -> (isOwn: Bool, mark: Mark?) {
        if let outstanding, outstanding.tag == tag {
            self.outstanding = nil
            syncedBatch = batchNumber
            syncedSegment = segments[segments.count - 1].number
            return (true, outstanding.mark)
        }
        if spareTag == tag {
            spareTag = nil
            spare = nextNumber
            return (true, nil)
        }
        return (false, nil)
    }

    /// A snapshot is durable: the next one is due so much later.
    func countFromSnapshot() {
        byteCountSinceSnapshot = 0
    }

    /// Gives up the segments before that one, which a durable record names as the oldest that is
    /// needed. More may have become unnecessary meanwhile, and would be missed.
    func forget(before first: UInt64, on disk: any Disk) {
        while let oldest = segments.first, oldest.number < first {
            spareFiles.put(segments.removeFirst(), byteCount: settings.byteCount, on: disk)
        }
    }

    /// No batch is so large that it would not fit a segment.
    private var maximumBatch: Int { min(1 << 20, settings.byteCount / 4) }

    private var nextNumber: UInt64 { (segments.last?.number ?? 0) + 1 }

    private func prepareSpare(on disk: any Disk, nextTag: () -> UInt64) {
        guard spare == nil, spareTag == nil,
            segments.isEmpty || position > settings.byteCount / 2
        else { return }
        let file = SegmentFormat.name(nextNumber)
        let tag = nextTag()
        spareTag = tag
        if !spareFiles.take(as: nextNumber, on: disk) {
            disk.submit(.create(file, byteCount: settings.byteCount), lane: .snapshots, tag: 0)
        }
        let header = SegmentFormat.header(settings)
        disk.submit(.write(file, at: 0, bytes: header), lane: .snapshots, tag: 0)
        disk.submit(.sync(file), lane: .snapshots, tag: 0)
        disk.submit(.syncDirectory, lane: .snapshots, tag: tag)
    }
}

struct SegmentSettings: Equatable {
    var owner: NodeID
    var lineage: Lineage
    /// Size of one segment.
    var byteCount: Int
    var plant: Plant?
}

extension SegmentJournal.Mark {
    func isCovered(by other: Self) -> Bool {
        if epoch != other.epoch { return epoch < other.epoch }
        return vector.count <= other.vector.count
            && zip(vector, other.vector).allSatisfy { $0 <= $1 }
    }
}
