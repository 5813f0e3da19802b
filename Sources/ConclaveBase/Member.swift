/// One member of a view: which machine, and which start of its daemon.
public struct Member: Hashable, Sendable {
    public var node: NodeID
    public var incarnation: Incarnation

    public init(node: NodeID, incarnation: Incarnation) {
        self.node = node
        self.incarnation = incarnation
    }
}
