package import ConclaveBase
package import ConclaveWire

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
    /// To be done to the very process that opened the connection, which may be closed by now: the one
    /// of its pidfd.
    case stop(ConnectionID, session: SessionID, LossAction)
    /// Writes into the validity page. `.distantPast`: withdrawn, and never to be extended.
    case show(slot: UInt32, session: SessionID, deadline: Instant)
}
