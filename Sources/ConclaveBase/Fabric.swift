/// The network between members, as the layers without I/O see it.
///
/// Two kinds of traffic share a path and keep no order between each other: *control* frames, in
/// order, by `NodeID`; and *row writes*, in order and without a gap within one epoch on one
/// connection, or the path counts as broken for the rest of that epoch (V1). Calls never block and
/// copy their bytes. What comes in is told as `FabricInput`.
package protocol Fabric: AnyObject {
    /// Sends one control frame. It is dropped without a word if there is no path: every protocol
    /// step on top has its own timeout.
    func send(_ frame: [UInt8], to node: NodeID)

    /// Copies `byteCount` bytes at `offset` of the own row of `epoch` to the same place at `node`.
    /// Writes to one node in one epoch arrive in the order of the calls.
    func write(row bytes: UnsafeRawBufferPointer, at offset: Int, epoch: Epoch, to node: NodeID)

    /// Breaks the path to `node`; it is made again in time. Both ends are told `disconnected`.
    func disconnect(_ node: NodeID)

    /// Sends out what the calls of this turn collected: one write per peer.
    func flush()

    /// The lineage this member now belongs to; strangers of another one are refused by name. Those of
    /// a history that was `givenUp` for this one are told so.
    func adopt(lineage: Lineage, givenUp: [Lineage])

    /// Whom there may be paths to, this member included, and where they are: others are refused by
    /// name, and paths to who is no longer among them break.
    func adopt(members: [MemberList.Entry])
}

/// What the fabric tells the member.
package enum FabricInput {
    /// A path to this incarnation of `node` is open, both ways.
    case connected(Member)
    /// The path is gone. `byPeer`: the other end closed or reset it, which a live daemon does not
    /// do; otherwise this end gave up.
    case disconnected(NodeID, byPeer: Bool)
    case control(from: NodeID, bytes: [UInt8])
    case row(from: NodeID, epoch: Epoch, offset: Int, bytes: [UInt8])
    /// Somebody who is refused says that this member's history was given up for its own.
    case givenUp(by: NodeID)
}

extension Fabric {
    package func adopt(lineage: Lineage) { adopt(lineage: lineage, givenUp: []) }
}
