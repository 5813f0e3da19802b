import ConclaveBase
import ConclaveWire

/// Takes the pieces of a `SnapshotSource`, cut anywhere, and builds the machine as they come.
struct SnapshotReader<Machine: StateMachine> {
    /// A claimed length is no reason to wait for ever.
    private static var maximumRow: Int { 16 << 20 }

    private var builder: Machine.Builder
    private var digest = StateDigest()
    /// What does not make a row yet.
    private var rest: [UInt8] = []
    /// The whole of what was told, once all of it was taken.
    private(set) var machine: Machine?

    private let version: Version

    /// - Parameter version: The state is to be that of this version.
    init(like blank: Machine, at version: Version) {
        builder = blank.makeBuilder()
        self.version = version
    }

    mutating func take(_ piece: [UInt8]) throws(WireError) {
        guard machine == nil else { throw .trailing(byteCount: piece.count) }
        rest += piece
        var taken = 0
        while machine == nil, let length = try takeRow(at: taken) { taken += length }
        rest.removeFirst(taken)
        guard machine == nil || rest.isEmpty else { throw .trailing(byteCount: rest.count) }
    }

    /// Takes the row that begins there, and returns its length; nil if it is not whole yet.
    private mutating func takeRow(at start: Int) throws(WireError) -> Int? {
        guard rest.count - start >= 4 else { return nil }
        var reader = ByteReader(rest, in: start..<rest.count)
        let length = try reader.count("row", atMost: Self.maximumRow)
        guard length > 0 else { return try takeEnd(&reader) }
        guard reader.remaining >= length else { return nil }
        let row = start + 4..<start + 4 + length
        try builder.take(ByteReader(rest, in: row))
        digest.add(rowOf: rest, in: row)
        return 4 + length
    }

    private mutating func takeEnd(_ reader: inout ByteReader) throws(WireError) -> Int? {
        guard reader.remaining >= 8 else { return nil }
        let expected: UInt64 = try reader.integer("digest")
        guard expected == digest.value else {
            throw .invalid(field: "digest", reason: "is not that of the rows")
        }
        let told = try builder.finish()
        guard told.canBe(at: version) else {
            throw .invalid(field: "state", reason: "is of a later version than \(version)")
        }
        machine = told
        return 12
    }
}

extension ByteReader {
    /// A number of bytes that may not be here yet.
    fileprivate mutating func count(_ field: String, atMost maximum: Int) throws(WireError) -> Int {
        let value: UInt32 = try integer(field)
        guard value <= maximum else {
            throw .outOfRange(field: field, value: UInt64(value), maximum: UInt64(maximum))
        }
        return Int(value)
    }
}
