import ConclaveBase
import ConclaveGroup
import ConclaveWire

/// The point of the order that a state belongs to, with all that is needed to go on from there. It
/// stands in front of the state, in a file and in a transfer alike.
struct SnapshotHeader: Equatable {
    /// The decided view that began the epoch of this point.
    var current: NextView
    /// For each sender of that epoch, how many of its messages are applied.
    var delivered: [UInt64]
    var version: Version
    var time: Timestamp

    var mark: SegmentJournal.Mark {
        SegmentJournal.Mark(epoch: current.epoch, vector: delivered)
    }

    init(current: NextView, delivered: [UInt64], version: Version, time: Timestamp) {
        self.current = current
        self.delivered = delivered
        self.version = version
        self.time = time
    }

    init(from reader: inout ByteReader) throws(WireError) {
        current = try NextView(from: &reader)
        delivered = []
        for _ in 0..<(try reader.count("delivered", maximum: View.maximumMembers)) {
            delivered.append(try reader.integer("delivered"))
        }
        guard delivered.count == current.members.count else {
            throw .invalid(field: "delivered", reason: "has not one number a member")
        }
        version = try reader.version("version")
        guard version.counter < Version.counterMask / 2 else {
            throw .invalid(field: "version", reason: "is at the end of its era")
        }
        time = try reader.timestamp("time")
    }

    func encode(into writer: inout ByteWriter) {
        current.encode(into: &writer)
        writer.list(delivered) { $1.integer($0) }
        writer.integer(version.number)
        writer.integer(time.microseconds)
    }

    var bytes: [UInt8] {
        var writer = ByteWriter(reserving: 512)
        encode(into: &writer)
        return writer.bytes
    }
}
