/// The body of every frame that carries an `Operation`: what is confirmed by the way, then the
/// operation. The frame's `number` is the request number.
package struct OperationFrame: Equatable, Sendable {
    /// Every reply up to this number is in the client's hands.
    package var confirmed: UInt64
    package var operation: Operation

    package init(confirmed: UInt64, operation: Operation) {
        self.confirmed = confirmed
        self.operation = operation
    }

    package init?(_ type: ClientFrameType, from reader: inout ByteReader) throws(WireError) {
        confirmed = try reader.integer("confirmed")
        guard let operation = try Operation.decode(type, from: &reader) else { return nil }
        self.operation = operation
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(confirmed)
        operation.encode(into: &writer)
    }
}
