import ConclaveBase
import ConclaveWire

/// What of the journal is known to be on the disk. It goes with each record of the view journal, so
/// that a start notices when something is gone that no crash takes away: a file that was deleted, or
/// the end of one (V30).
///
/// Everything in it was synced before the record that carries it was submitted. What is forgotten on
/// purpose is removed only once the mark that does without it is synced.
struct JournalMark: Equatable {
    /// The oldest segment that is still needed.
    var firstSegment: UInt64 = 1
    /// The newest segment with a synced header and name; none: 0.
    var lastSegment: UInt64 = 0
    /// The newest synced batch; none: 0.
    var batch: UInt64 = 0
    /// The newest snapshot; none: zero.
    var snapshot = Version.zero

    func encode(into writer: inout ByteWriter) {
        writer.integer(firstSegment)
        writer.integer(lastSegment)
        writer.integer(batch)
        writer.integer(snapshot.number)
    }

    init() {}

    init(from reader: inout ByteReader) throws(WireError) {
        firstSegment = try reader.integer("first segment")
        lastSegment = try reader.integer("last segment")
        batch = try reader.integer("batch")
        snapshot = try reader.version("snapshot")
    }
}
