import ConclaveBase
import ConclaveWire

/// What one of the view journal's two files holds.
struct ViewJournalCopy {
    private(set) var file: String
    private var bytes: [UInt8]
    /// The sequence number with which it begins; nil: nothing of it counts.
    private(set) var first: UInt64?
    private(set) var bodies: [UInt64: [UInt8]] = [:]
    /// Why it is not as it was written; nil: it may be.
    private(set) var fault: String?
    private(set) var isMissing = false
    /// The newest record that some record here says to be synced in both files.
    private(set) var counted: UInt64 = 0
    /// It has all records from its first to its last one, and only zeros behind that: what comes later was
    /// never written here, or the file was cut.
    private(set) var isCleanAtItsEnd = false

    /// - Parameter twin: The other file, if that was read: what is the same in both is decoded once.
    init(
        _ file: String, on disk: any Disk, owner: NodeID, smallestFile: Int,
        twin: ViewJournalCopy? = nil
    ) throws(FatalFault) {
        self.file = file
        do throws(DiskError) {
            bytes = try disk.read(file, at: 0, count: try disk.byteCount(of: file))
        } catch {
            bytes = []
            isMissing = error == .notFound(file)
            fault = isMissing ? "is missing" : "cannot be read: \(error)"
            return
        }
        if let twin, twin.first != nil, twin.bytes.count == bytes.count,
            twin.bytes.lie(at: 0, in: bytes)
        {
            self = twin
            self.file = file
            return
        }
        // It is made in its whole size before it is named: what is missing may be records.
        guard bytes.count >= smallestFile else {
            fault = "is cut to \(bytes.count) bytes"
            return
        }
        let (records, end) = ViewJournalFormat.records(in: bytes)
        guard let header = records.first(where: { $0.sequence == 0 }) else {
            fault = "its header is bad"
            return
        }
        let first = try ViewJournalFormat.first(ofHeader: header.body, owner: owner)
        self.first = first
        for record in records where record.sequence != 0 {
            // A file is made anew: what it begins with is the oldest that it has.
            guard (first...ViewJournalFormat.lastSequence).contains(record.sequence) else {
                throw .damaged(
                    "view journal: record \(record.sequence) in a file that begins with \(first)")
            }
            bodies[record.sequence] = record.body
            counted = max(counted, ViewJournalFormat.Entry.counted(in: record.body) ?? 0)
        }
        guard let last = bodies.keys.max(), last - first >= UInt64(bodies.count) else {
            isCleanAtItsEnd = end <= bytes.count && Sector.isZero(bytes[end...])
            return
        }
        let missing = bodies.keys.sorted().enumerated().first {
            $0.element != first + UInt64($0.offset)
        }
        fault = missing.map { "record \(first + UInt64($0.offset)) is bad" }
    }

    /// Whether it begins with record `first`, and has all up to `last`.
    func isWhole(from first: UInt64, to last: UInt64) -> Bool {
        self.first == first && (first..<last + 1).allSatisfy { bodies[$0] != nil }
    }
}
