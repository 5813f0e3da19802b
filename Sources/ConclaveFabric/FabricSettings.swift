package import ConclaveBase

/// The times and limits of a `TCPFabric`.
package struct FabricSettings: Equatable, Sendable {
    package var dialTimeout = Interval.seconds(1)
    /// From the connection to the hello, and for the last words of one that is given up.
    package var helloTimeout = Interval.seconds(2)
    /// Before a dial that follows a failed one; doubled each time.
    package var firstDialPause = Interval.milliseconds(10)
    package var lastDialPause = Interval.milliseconds(250)
    /// The longest pause of a process that another one with its node number is preferred to.
    package var namesakePause = Interval.seconds(10)
    /// A path whose other end has taken nothing for so long is given up, and made anew. More than
    /// the suspicion time, or a silence would break paths before it is a suspicion.
    package var unheardLimit = Interval.seconds(2)
    /// Connections without an accepted hello, and those that are being given up.
    package var maximumStrangers = 64
    /// Bytes that wait for one peer.
    package var maximumOutputByteCount = 64 << 20
    /// Bytes of one row write of a peer.
    package var maximumRowByteCount = 128 << 20
    /// The same event about the same peer is told once in this time.
    package var eventInterval = Interval.seconds(10)
    /// How long nothing is accepted after the descriptors ran out.
    package var acceptPause = Interval.milliseconds(100)

    package init() {}
}
