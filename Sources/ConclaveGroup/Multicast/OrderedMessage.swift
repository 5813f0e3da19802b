package import ConclaveBase

/// One message of an epoch: the unit of order, acknowledgement, journal and transfer.
package struct OrderedMessage: Equatable, Sendable {
    /// The sender's rank in the epoch's view.
    package var sender: Int
    /// Its place among all indexes of its sender, nulls included; it decides the order.
    package var index: UInt64
    /// Its place among the sender's messages, nulls not counted; acknowledgements and trims count
    /// these.
    package var ordinal: UInt64
    package var timestamp: Timestamp
    package var payload: [UInt8]

    package init(
        sender: Int, index: UInt64, ordinal: UInt64, timestamp: Timestamp, payload: [UInt8]
    ) {
        self.sender = sender
        self.index = index
        self.ordinal = ordinal
        self.timestamp = timestamp
        self.payload = payload
    }

    /// The place in the total order of an epoch with that many members.
    package func position(memberCount: Int) -> UInt64 {
        index * UInt64(memberCount) + UInt64(sender)
    }
}
