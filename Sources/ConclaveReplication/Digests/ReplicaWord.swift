import ConclaveBase
import ConclaveWire

/// What a replica itself puts into the order, between the commands for the machine. It takes no
/// version, and the machine does not see it.
enum ReplicaWord: Equatable {
    /// The digest of the sender's state at that version.
    case digest(Version, UInt64)

    var bytes: [UInt8] {
        var writer = ByteWriter(reserving: 17)
        switch self {
        case .digest(let version, let digest):
            writer.integer(UInt8(1))
            writer.integer(version.number)
            writer.integer(digest)
        }
        return writer.bytes
    }

    init(from reader: inout ByteReader) throws(WireError) {
        let kind = try reader.byte("word")
        guard kind == 1 else { throw .unknown(field: "word", value: UInt64(kind)) }
        self = .digest(try reader.version("version"), try reader.integer("digest"))
        try reader.finish()
    }
}
