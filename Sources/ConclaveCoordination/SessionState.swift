package import ConclaveBase
package import ConclaveWire

/// A session as a daemon needs to know it.
package struct SessionState: Equatable, Sendable {
    package var id: SessionID
    /// The client's own name for it.
    package var clientID: Secret
    package var secret: Secret
    package var ttl: Interval
    package var label: String
    package var process: ProcessIdentity
    package var attachment: Attachment
    /// Another process waits to take the session over (K7).
    package var isWanted: Bool
    /// An administrator wants it to end (K6).
    package var isForced: Bool

    init(_ session: Session) {
        id = session.id
        clientID = session.clientID
        secret = session.secret
        ttl = session.ttl
        label = session.label
        process = session.process
        attachment = session.attachment
        isWanted = session.takeover != nil
        isForced = session.isForced
    }
}
