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

    /// In the order of their ends.
    private(set) var records: Deque<Record> = []
    private var replyCount = 0
    private var clientIDs: Set<Secret> = []

    func contains(openedAs clientID: Secret) -> Bool { clientIDs.contains(clientID) }

    /// From the newest back, since whoever asks lost a session a moment ago.
    func record(of id: SessionID) -> Record? { records.last { $0.id == id } }

    mutating func append(_ record: Record) {
        records.append(record)
        clientIDs.insert(record.clientID)
        replyCount += record.replies.count
    }

    /// Forgets what is too old, or over the quota.
    mutating func trim(now: Timestamp, quotas: Quotas) {
        let keep = UInt64(clamping: quotas.endedFor.nanoseconds / 1_000)
        while let first = records.first {
            let age = now.microseconds - min(first.endedAt.microseconds, now.microseconds)
            guard
                age >= keep || records.count > quotas.ended || replyCount > quotas.endedReplies
            else { return }
            replyCount -= first.replies.count
            clientIDs.remove(first.clientID)
            records.removeFirst()
        }
    }
}
