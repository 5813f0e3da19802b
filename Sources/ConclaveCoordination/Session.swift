import ConclaveBase
import ConclaveWire

/// A client's presence. It owns its locks, terms and places in queues.
struct Session: Sendable {
    let id: SessionID
    /// The client's own name for it (K9).
    let clientID: Secret
    let secret: Secret
    let ttl: Interval
    let label: String
    var process: ProcessIdentity
    var attachment: Attachment
    /// Another process that wants the session and waits until the old validity is over (K7).
    var takeover: ResumeCommand?
    /// It ends as soon as its validity is over, or withdrawn (K6).
    var isForced = false
    var replies = Replies()
}
