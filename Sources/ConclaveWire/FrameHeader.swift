/// The first 16 bytes of every frame, between members and between client and daemon alike. All
/// integers little-endian.
///
///      0        4        6        8                16
///      +--------+--------+--------+-----------------+----------
///      | length |  type  | flags  |     number      | body …
///      +--------+--------+--------+-----------------+----------
package struct FrameHeader: Equatable, Sendable {
    package static let byteCount = 16
    /// The largest `length` that is taken from anybody: 1 MiB.
    package static let maximumLength: UInt32 = 1 << 20

    package struct Flags: OptionSet, Equatable, Sendable {
        package var rawValue: UInt16
        package init(rawValue: UInt16) { self.rawValue = rawValue }

        package static let reply = Flags(rawValue: 1 << 0)
        package static let error = Flags(rawValue: 1 << 1)
        package static let event = Flags(rawValue: 1 << 2)
        package static let last = Flags(rawValue: 1 << 3)
    }

    package var bodyByteCount: Int
    package var type: UInt16
    package var flags: Flags
    package var number: UInt64

    package init(bodyByteCount: Int, type: UInt16, flags: Flags = [], number: UInt64 = 0) {
        self.bodyByteCount = bodyByteCount
        self.type = type
        self.flags = flags
        self.number = number
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        let length: UInt32 = try reader.integer("length")
        bodyByteCount = try Self.bodyByteCount(ofLength: length)
        type = try reader.integer("type")
        flags = Flags(rawValue: try reader.integer("flags"))
        number = try reader.integer("number")
    }

    static func bodyByteCount(ofLength length: UInt32) throws(WireError) -> Int {
        guard length >= 12 else {
            throw .invalid(field: "length", reason: "\(length) is less than the header's 12")
        }
        guard length <= maximumLength else {
            throw .outOfRange(
                field: "length", value: UInt64(length), maximum: UInt64(maximumLength))
        }
        return Int(length) - 12
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(UInt32(bodyByteCount + 12))
        writer.integer(type)
        writer.integer(flags.rawValue)
        writer.integer(number)
    }

    /// A whole frame: this type, flags and number with `body`.
    package static func frame(
        type: UInt16, flags: Flags = [], number: UInt64 = 0, body: [UInt8]
    ) -> [UInt8] {
        frame(type: type, flags: flags, number: number, reserving: body.count) { $0.raw(body) }
    }

    /// With a body that is written behind the header at once; `reserving`: about as long as that is.
    package static func frame(
        type: UInt16, flags: Flags = [], number: UInt64 = 0, reserving bodyByteCount: Int,
        body: (inout ByteWriter) -> Void
    ) -> [UInt8] {
        var writer = ByteWriter(reserving: byteCount + bodyByteCount)
        FrameHeader(bodyByteCount: 0, type: type, flags: flags, number: number)
            .encode(into: &writer)
        body(&writer)
        writer.patch(UInt32(writer.bytes.count - MemoryLayout<UInt32>.size), at: 0)
        return writer.bytes
    }
}
