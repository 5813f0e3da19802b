import ConclaveBase
import Testing

@testable import ConclaveReplication

/// Several replicas with a network that loses nothing.
extension TestReplica {
    /// `count` members that serve in their first view.
    static func group(
        _ count: UInt32, durability: Durability = .disk
    ) throws -> [TestReplica] {
        let nodes = Array(1...count)
        let group = try nodes.map { try TestReplica($0, of: nodes, durability: durability) }
        for replica in group { replica.connect(to: group) }
        group.live(500)
        for replica in group { try #require(replica.replica.isServing) }
        return group
    }

    /// A path to each of the others, both ways.
    func connect(to others: [TestReplica]) {
        for other in others where other.node != node {
            hear(.connected(other.member))
            other.hear(.connected(member))
        }
    }

    /// The others see that it is gone.
    func disconnect(from others: [TestReplica]) {
        fabric.sent = []
        for other in others where other.node != node {
            other.fabric.sent.removeAll { $0.to == node }
            other.hear(.disconnected(node, byPeer: true))
        }
    }
}

extension [TestReplica] {
    /// - Parameters:
    ///   - cut: From whom to whom nothing arrives.
    ///   - node: Only frames to that one are lost; nil: to all.
    ///   - isLost: Of the control frames, which do not arrive.
    func live(
        _ milliseconds: Int64, cut: Set<[UInt32]> = [], to node: NodeID? = nil,
        losing isLost: (ControlFrame) -> Bool = { _ in false }
    ) {
        for _ in 0..<(milliseconds / 25) {
            for replica in self { replica.live(25) }
            carry(cut: cut, to: node, losing: isLost)
        }
    }

    /// The same where each frame is `delay` milliseconds on its way.
    func live(_ milliseconds: Int64, delay: Int64) {
        var onTheirWay: [[(from: NodeID, item: HeldFabric.Sent)]] = []
        for _ in 0..<(milliseconds / 25) {
            for replica in self { replica.live(25) }
            onTheirWay.append([])
            for from in self {
                onTheirWay[onTheirWay.count - 1] += from.fabric.sent.map { (from.node, $0) }
                from.fabric.sent = []
            }
            guard onTheirWay.count > delay / 25 else { continue }
            for (from, item) in onTheirWay.removeFirst() {
                first { $0.node == item.to }?.hear(item.input(from: from))
            }
        }
    }

    /// What was sent arrives, and what is sent in answer.
    private func carry(
        cut: Set<[UInt32]>, to node: NodeID?, losing isLost: (ControlFrame) -> Bool
    ) {
        for _ in 0..<6 {
            for from in self {
                let sent = from.fabric.sent
                from.fabric.sent = []
                for item in sent
                where !cut.contains([from.node.number, item.to.number]) {
                    if node ?? item.to == item.to, item.isLost(isLost) { continue }
                    first { $0.node == item.to }?.hear(item.input(from: from.node))
                }
            }
            for replica in self { replica.turn() }
        }
    }
}

extension HeldFabric.Sent {
    fileprivate func isLost(_ isLost: (ControlFrame) -> Bool) -> Bool {
        guard case .control(_, let bytes) = self, let (_, frame) = try? ControlFrame.decode(bytes)
        else { return false }
        return isLost(frame)
    }
}
