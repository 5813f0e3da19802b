package import ConclaveCoordination
package import ConclaveWire

/// What the shell tells of its clients. A connection that the service closed, or that was never
/// opened, may still be told about: it is ignored.
package enum ClientInput {
    /// A connection was accepted; who it is says the kernel. `canBeStopped`: the daemon may signal
    /// the process.
    case opened(ConnectionID, ProcessIdentity, canBeStopped: Bool = true)
    case frame(ConnectionID, FrameBuffer.Frame)
    /// The stream does not decode any further.
    case malformed(ConnectionID, WireError)
    /// End of file or reset: a hint only, since the process may live.
    case closed(ConnectionID)
    /// The process that opened the connection is dead, says its pidfd, which is watched until
    /// `ServiceEffect.forget`.
    case processDied(ConnectionID)
    /// At the end of a turn so many bytes of what was sent could not be written yet. Until
    /// `drained` the service adds to this what it sends.
    case stalled(ConnectionID, byteCount: Int)
    /// Everything that was sent has been written, after `stalled` said otherwise.
    case drained(ConnectionID)
}
