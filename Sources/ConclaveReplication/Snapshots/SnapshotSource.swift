import ConclaveWire

/// A state on its way to a file or to a member, in pieces; what goes on meanwhile does not show in
/// it. Each goes at its own pace. A class, so that a turn that has none to tell need not know how
/// large a state is.
///
///     +--------+-----+--------+-----+ … +--------+------------+
///     | length | row | length | row |   |   0    |   digest   |
///     +--------+-----+--------+-----+ … +--------+------------+
final class SnapshotSource<Machine: StateMachine> {
    let header: SnapshotHeader
    private var state: Machine.Frozen
    private var digest = StateDigest()
    private var isOver = false
    /// Told, and more than a piece had room for.
    private var rest: ArraySlice<UInt8> = []

    init(_ header: SnapshotHeader, of machine: Machine) {
        self.header = header
        state = machine.freeze()
    }

    /// About `byteCount` bytes, at most twice as many; nil after the last.
    func next(_ byteCount: Int) -> [UInt8]? {
        if let piece = takeRest(byteCount) { return piece }
        guard !isOver else { return nil }
        var writer = ByteWriter(reserving: byteCount + byteCount / 4)
        while writer.bytes.count < byteCount, !isOver { addRow(to: &writer) }
        guard writer.bytes.count > 2 * byteCount else { return writer.bytes }
        rest = writer.bytes[...]
        return takeRest(byteCount)
    }

    private func takeRest(_ byteCount: Int) -> [UInt8]? {
        guard !rest.isEmpty else { return nil }
        let piece = Array(rest.prefix(byteCount))
        rest = rest.dropFirst(byteCount)
        return piece
    }

    private func addRow(to writer: inout ByteWriter) {
        let start = writer.bytes.count
        writer.integer(UInt32(0))
        guard state.encodeRow(into: &writer) else {
            isOver = true
            return writer.integer(digest.value)
        }
        let row = start + 4..<writer.bytes.count
        writer.patch(UInt32(row.count), at: start)
        digest.add(rowOf: writer.bytes, in: row)
    }
}
