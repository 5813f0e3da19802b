package import ConclaveBase

/// What became of a history that a daemon was told to go on with alone.
package struct RecoverReport: Equatable, Sendable {
    /// The view with which the new history begins, and the version of that moment.
    package var epoch: Epoch
    package var lineage: Lineage
    package var version: Version
    /// Messages that were received and not known to be delivered.
    package var appliedCount: UInt64
    /// Who may be a member from now on, and who was removed since it was not reached.
    package var kept: [NodeID]
    package var removed: [NodeID]
    /// For how long nothing is granted.
    package var quietFor: Interval
    /// It begins with an empty state, since nobody who was reached had any.
    package var stateWasLost: Bool

    package init(
        epoch: Epoch, lineage: Lineage, version: Version, appliedCount: UInt64, kept: [NodeID],
        removed: [NodeID], quietFor: Interval, stateWasLost: Bool = false
    ) {
        self.epoch = epoch
        self.lineage = lineage
        self.version = version
        self.appliedCount = appliedCount
        self.kept = kept
        self.removed = removed
        self.quietFor = quietFor
        self.stateWasLost = stateWasLost
    }

    package init(from reader: inout ByteReader) throws(WireError) {
        epoch = try reader.epoch("epoch")
        lineage = try reader.lineage("lineage")
        version = try reader.version("version")
        appliedCount = try reader.integer("applied")
        kept = try Self.nodes("kept", from: &reader)
        removed = try Self.nodes("removed", from: &reader)
        quietFor = Interval(nanoseconds: try reader.integer("quiet for"))
        stateWasLost = try reader.flag("state was lost")
    }

    package func encode(into writer: inout ByteWriter) {
        writer.integer(epoch.number)
        writer.lineage(lineage)
        writer.integer(version.number)
        writer.integer(appliedCount)
        writer.list(kept) { $1.integer($0.number) }
        writer.list(removed) { $1.integer($0.number) }
        writer.integer(quietFor.nanoseconds)
        writer.flag(stateWasLost)
    }

    private static func nodes(
        _ field: String, from reader: inout ByteReader
    ) throws(WireError) -> [NodeID] {
        var nodes: [NodeID] = []
        for _ in 0..<(try reader.count(field, maximum: MemberList.maximumCount)) {
            nodes.append(try reader.node(field))
        }
        return nodes
    }
}
