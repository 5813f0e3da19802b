package import ConclaveBase

/// What the shell is to do for the clients, in order.
package enum ServiceEffect: Equatable, Sendable {
    /// Whole frames. With `attachPage` the validity page's descriptor goes along (SCM_RIGHTS).
    case send(ConnectionID, [UInt8], attachPage: Bool)
    /// Closes the connection once what was sent has gone out.
    case close(ConnectionID)
    /// There is no more use for the connection's pidfd either.
    case forget(ConnectionID)
    case pauseReading(ConnectionID)
    case resumeReading(ConnectionID)
    /// Writes into the validity page. `.distantPast`: withdrawn, and never to be extended.
    case show(slot: UInt32, session: SessionID, deadline: Instant)
}
