import ConclaveBase
package import ConclaveCoordination
import ConclaveWire

/// All rows of a state behind each other, each behind its length, and an empty one at the end.
extension Coordinator {
    package func encodeSnapshot() -> [UInt8] {
        var frozen = freeze()
        return frozen.encodeRest()
    }

    package init(snapshot: [UInt8], quotas: Quotas = Quotas()) throws {
        var builder = CoordinatorBuilder(like: Coordinator(quotas: quotas))
        var reader = ByteReader(snapshot)
        while true {
            let length: UInt32 = try reader.integer("length")
            if length == 0 { break }
            try builder.take(try reader.part("row", count: Int(length)))
        }
        try reader.finish()
        self = try builder.finish()
    }
}

extension FrozenCoordinator {
    /// The next row behind its length; nothing if there is none left.
    package mutating func nextRow() -> [UInt8] {
        var row = ByteWriter()
        guard encodeRow(into: &row) else { return [] }
        var writer = ByteWriter()
        writer.bytes(row.bytes)
        return writer.bytes
    }

    package mutating func encodeRest() -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            let row = nextRow()
            guard !row.isEmpty else { return bytes + [0, 0, 0, 0] }
            bytes += row
        }
    }
}
