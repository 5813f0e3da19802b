/// The body of every frame that carries an `Operation`. The frame's `number` is the request number.
///
///      0             8         9
///      +-------------+---------+-------------
///      |  confirmed  | on loss | operation …
///      +-------------+---------+-------------
package struct OperationFrame: Equatable, Sendable {
    /// Every reply up to this number is in the client's hands.
    package var confirmed: UInt64
    /// What becomes of the process before what the operation is granted is somebody else's. The
    /// daemon keeps that to itself: it is not ordered.
    package var onLoss: LossAction
    package var operation: Operation

    package init(confirmed: UInt64, onLoss: LossAction = .notify, operation: Operation) {
        self.confirmed = confirmed
        self.onLoss = onLoss
        self.operation = operation
    }

    package init?(_ type: ClientFrameType, from reader: inout ByteReader) throws(WireError) {
        confirmed = try reader.integer("confirmed")
        onLoss = try reader.choice("on loss")
        guard let operation = try Operation.decode(type, from: &reader) else { return nil }
        guard onLoss == .notify || LossGuards.count(of: operation) > 0 else {
            throw .invalid(field: "on loss", reason: "nothing is held after \(type)")
        }
        self.operation = operation
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(confirmed)
        writer.integer(onLoss.rawValue)
        operation.encode(into: &writer)
    }
}
