import ConclaveBase
import ConclaveGroup
import ConclaveWire

/// One journalled or transferred message with the epoch it belongs to.
struct JournalRecord: Equatable {
    var epoch: Epoch
    var message: OrderedMessage

    static let overhead = 40
    /// Centuries of messages.
    private static let indexBound: UInt64 = 1 << 56

    func encode(into writer: inout ByteWriter) {
        writer.integer(epoch.number)
        writer.integer(UInt32(message.sender))
        writer.integer(UInt32(message.payload.count))
        writer.integer(message.index)
        writer.integer(message.ordinal)
        writer.integer(message.timestamp.microseconds)
        writer.raw(message.payload)
    }

    init(epoch: Epoch, message: OrderedMessage) {
        self.epoch = epoch
        self.message = message
    }

    init(from reader: inout ByteReader) throws(WireError) {
        epoch = try reader.epoch("epoch")
        let sender: UInt32 = try reader.integer("sender")
        let length: UInt32 = try reader.integer("length")
        let index: UInt64 = try reader.integer("index")
        let ordinal: UInt64 = try reader.integer("ordinal")
        let timestamp = try reader.timestamp("timestamp")
        // A place in the order is index times members: it must be a number, whatever somebody says.
        guard sender < View.maximumMembers else {
            throw .outOfRange(
                field: "sender", value: UInt64(sender),
                maximum: UInt64(View.maximumMembers - 1))
        }
        guard index < Self.indexBound, ordinal < Self.indexBound else {
            throw .outOfRange(
                field: "index", value: max(index, ordinal), maximum: Self.indexBound - 1)
        }
        message = OrderedMessage(
            sender: Int(sender), index: index, ordinal: ordinal, timestamp: timestamp,
            payload: try reader.array("payload", count: Int(length)))
    }
}
