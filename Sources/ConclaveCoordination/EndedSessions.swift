import ConclaveBase
import ConclaveWire
import DequeModule

/// Sessions that ended not long ago: a repeated open opens no second session, and a repeated
/// request gets the reply it got (K9). A barrier's result goes with its last party.
struct EndedSessions: Sendable {
    struct Record: Equatable, Sendable {
        var id: SessionID
        var clientID: Secret
        var endedAt: Timestamp
        /// By number.
        var replies: [StoredEntry]
    }

    struct StoredEntry: Equatable, Sendable {
        var number: UInt64
        var reply: Reply
    }

    typealias Records = Deque<Record>

    /// In the order of their ends.
    private(set) var records: Records = []
    /// How many records were forgotten: the place of a record in `records` is its number in
    /// `numbers` less this.
    private var forgotten = 0
    private var numbers: [SessionID: Int] = [:]
    private var clientIDs: Set<Secret> = []
    private var replyCount = 0
    private var replyByteCount = 0

    func contains(openedAs clientID: Secret) -> Bool { clientIDs.contains(clientID) }

    func record(of id: SessionID) -> Record? {
        numbers[id].map { records[$0 - forgotten] }
    }

    mutating func append(_ record: Record) {
        numbers[record.id] = forgotten + records.count
        clientIDs.insert(record.clientID)
        replyCount += record.replies.count
        replyByteCount += Self.byteCount(of: record)
        records.append(record)
    }

    private static func byteCount(of record: Record) -> Int {
        record.replies.reduce(0) { $0 + $1.reply.keptByteCount }
    }

    /// Forgets what is too old, or over the quota.
    mutating func trim(now: Timestamp, quotas: Quotas) {
        let keep = UInt64(clamping: quotas.endedFor.nanoseconds / 1_000)
        while let first = records.first {
            let age = now.microseconds - min(first.endedAt.microseconds, now.microseconds)
            guard
                age >= keep || records.count > quotas.ended || replyCount > quotas.endedReplies
                    || replyByteCount > quotas.endedReplyByteCount
            else { return }
            numbers[first.id] = nil
            clientIDs.remove(first.clientID)
            replyCount -= first.replies.count
            replyByteCount -= Self.byteCount(of: first)
            records.removeFirst()
            forgotten += 1
        }
    }
}
