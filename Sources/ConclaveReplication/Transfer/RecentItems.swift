import DequeModule
import ConclaveBase
import ConclaveGroup
import ConclaveWire

/// One step of the order: a delivered message, or the beginning of a view.
enum OrderedItem: Equatable {
    case message(JournalRecord)
    case view(NextView)

    /// What it takes in a frame. Of many departed members, or long addresses, a view is large.
    var byteCount: Int {
        switch self {
        case .message(let record): 1 + JournalRecord.overhead + record.message.payload.count
        case .view: encodedByteCount
        }
    }

    // Not inlined: most items are messages.
    @inline(never)
    private var encodedByteCount: Int {
        var writer = ByteWriter()
        encode(into: &writer)
        return writer.bytes.count
    }

    func encode(into writer: inout ByteWriter) {
        switch self {
        case .message(let record):
            writer.integer(UInt8(1))
            record.encode(into: &writer)
        case .view(let view):
            writer.integer(UInt8(2))
            view.encode(into: &writer)
        }
    }

    init(from reader: inout ByteReader) throws(WireError) {
        let kind = try reader.byte("item")
        switch kind {
        case 1: self = .message(try JournalRecord(from: &reader))
        case 2: self = .view(try NextView(from: &reader))
        default: throw .unknown(field: "item", value: UInt64(kind))
        }
    }
}

/// The newest part of the order, kept in memory for members that come back: a version names a
/// point of it.
struct RecentItems {
    private struct Entry {
        var item: OrderedItem
        /// The version applied before it.
        var before: Version
    }

    /// What is kept for those who are taught, however little is kept for others.
    private static let largestTaughtByteCount = 256 << 20

    private var entries: Deque<Entry> = []
    private var byteCount = 0
    private let maximumByteCount: Int
    /// The number of the first kept item; numbers go up by one for ever.
    private(set) var start: UInt64 = 0
    /// Items that followed the point at this version are no longer kept. Not every item makes a
    /// version, so some that are kept may follow the same one.
    private var forgotten: Version?

    /// From here on somebody who is taught needs all of it: else whoever takes longer for a state than
    /// the order for `maximumByteCount` would begin anew for ever.
    var needed: UInt64?

    init(maximumByteCount: Int) {
        self.maximumByteCount = maximumByteCount
    }

    var end: UInt64 { start + UInt64(entries.count) }

    mutating func append(_ item: OrderedItem, before: Version) {
        entries.append(Entry(item: item, before: before))
        byteCount += item.byteCount
        while byteCount > (isNeeded ? limitForTaught : maximumByteCount),
            let first = entries.popFirst()
        {
            byteCount -= first.item.byteCount
            forgotten = first.before
            start += 1
        }
    }

    private var isNeeded: Bool { needed.map { $0 <= start } ?? false }

    private var limitForTaught: Int { max(maximumByteCount, Self.largestTaughtByteCount) }

    /// Keeps nothing; what follows the point at `version`, if one is given, may be incomplete.
    mutating func removeAll(at version: Version? = nil) {
        start = end
        forgotten = version
        entries.removeAll()
        byteCount = 0
    }

    subscript(number: UInt64) -> OrderedItem? {
        guard number >= start, number < end else { return nil }
        return entries[Int(number - start)].item
    }

    /// The number of the first item that follows the point at `version`, if all since are kept.
    func number(after version: Version, applied: Version) -> UInt64? {
        guard version != forgotten else { return nil }
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].before < version { low = middle + 1 } else { high = middle }
        }
        guard low < entries.count, entries[low].before == version else {
            return version == applied ? end : nil
        }
        return start + UInt64(low)
    }
}
