import ConclaveBase
import ConclaveWire

/// The state as rows: a copy that shares everything with this one tells them, and a builder makes a
/// coordinator of them again.
extension Coordinator {
    /// The state as it is now, to be told row by row while this one goes on. Costs the same however
    /// large the state is.
    package func freeze() -> FrozenCoordinator {
        FrozenCoordinator(self)
    }

    /// Makes a coordinator with the same quotas, of the rows of another one.
    package func makeBuilder() -> CoordinatorBuilder {
        CoordinatorBuilder(like: self)
    }

    /// Equal on all members at equal versions. It goes through all rows at once.
    package var digest: UInt64 {
        var frozen = freeze()
        var digest = StateDigest()
        while true {
            var writer = ByteWriter(reserving: 256)
            guard frozen.encodeRow(into: &writer) else { return digest.value }
            digest.add(rowOf: writer.bytes, in: 0..<writer.bytes.count)
        }
    }
}

/// What a row of a snapshot is, in the order in which they come. A row begins with it, and names
/// what it belongs to. The lists of a large object go into several rows.
enum SnapshotRow: UInt8 {
    case state = 1
    case session = 2
    case lock = 3
    case slot = 4
    case barrier = 5
    /// Of the barriers before.
    case arrivals = 6
    case decision = 7
    case replies = 8
    case ended = 9
    /// From where on the history of keys is kept.
    case keyFloor = 10
    case key = 11
    /// How a lock was lost that nobody holds or awaits.
    case end = 12
    case lease = 13
    /// From where on it is known what happened to task groups that are not there.
    case groupFloor = 14
    case group = 15
    /// Of the groups before.
    case groupMembers = 16
    case groupLog = 17
    /// With those that wait. It comes before the replies.
    case latch = 18
    /// From where on it is known what happened to objects of which nothing is kept.
    case historyFloor = 19
    /// An object with what happened to it.
    case history = 20

    static let format: UInt16 = 11

    /// No further entry of a list stands in a row beyond so many bytes.
    static let maximumByteCount = 32 * 1_024
}

extension ByteWriter {
    /// Writes entries of a list, from `first` on, behind their count, as long as a row holds them, but
    /// not more than `limit`. `encode` writes one and gives the next, if there is one.
    mutating func entries<Place>(
        from first: Place?, limit: Int, _ encode: (Place, inout ByteWriter) -> Place?
    ) -> (count: Int, next: Place?) {
        let start = bytes.count
        integer(UInt32(0))
        var count = 0
        var next = first
        while let place = next, count < limit,
            bytes.count - start < SnapshotRow.maximumByteCount
        {
            next = encode(place, &self)
            count += 1
        }
        patch(UInt32(count), at: start)
        return (count, next)
    }
}

extension ByteReader {
    /// A number that the state machine goes on counting from.
    mutating func counter(_ field: String) throws(WireError) -> UInt64 {
        let value: UInt64 = try integer(field)
        let maximum = UInt64.max - (1 << 40)
        guard value <= maximum else {
            throw .outOfRange(field: field, value: value, maximum: maximum)
        }
        return value
    }

    /// How many things follow; only the bytes that are there bound it.
    mutating func count(_ field: String) throws(WireError) -> Int {
        try count(field, maximum: Int(UInt32.max))
    }

    /// How many entries of the list were in rows before this one.
    mutating func offset(_ known: Int) throws(WireError) {
        let offset: UInt32 = try integer("offset")
        guard Int(offset) == known else {
            throw .outOfRange(field: "offset", value: UInt64(offset), maximum: UInt64(known))
        }
    }

    /// The index of a session that the snapshot holds.
    mutating func sessionIndex(
        _ field: String, in sessions: SessionTable
    ) throws(WireError) -> Int {
        let id = try session(field)
        guard let index = sessions.index(of: id) else {
            throw .unknown(field: field, value: id.number)
        }
        return index
    }
}
