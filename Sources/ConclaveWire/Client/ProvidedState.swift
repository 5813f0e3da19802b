package import ConclaveBase

/// A part of a task group's state, which a member that has it hands to one that wants it.
package struct ProvidedState: Hashable, Sendable {
    package var from: FencingToken
    package var to: FencingToken
    /// The state is that after everything that the group was told up to here, a view that the newcomer
    /// belongs to.
    package var upTo: Version
    package var part: UInt32
    package var partCount: UInt32
    package var payload: [UInt8]

    package init(
        from: FencingToken, to: FencingToken, upTo: Version, part: UInt32, partCount: UInt32,
        payload: [UInt8]
    ) {
        self.from = from
        self.to = to
        self.upTo = upTo
        self.part = part
        self.partCount = partCount
        self.payload = payload
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        from = try reader.token("provider")
        to = try reader.token("newcomer")
        upTo = try reader.version("up to")
        part = try reader.integer("part")
        partCount = try reader.integer("parts")
        let maximum = UInt32(ClientLimits.groupStateParts)
        guard (1...maximum).contains(partCount) else {
            throw .outOfRange(
                field: "parts", value: UInt64(partCount), maximum: UInt64(maximum))
        }
        guard part < partCount else {
            throw .outOfRange(
                field: "part", value: UInt64(part), maximum: UInt64(partCount - 1))
        }
        payload = try reader.bytes("payload", maximum: ClientLimits.groupStatePart)
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(from.number)
        writer.integer(to.number)
        writer.integer(upTo.number)
        writer.integer(part)
        writer.integer(partCount)
        writer.bytes(payload)
    }
}
