package import ConclaveBase

/// The network as one process sees it: what it sends in a turn leaves with `flush`, and it knows of
/// a connection only what it has been told.
package final class SimulatedFabric: Fabric {
    private struct Peer {
        /// The connection that the process was told of; 0: none.
        var connection: UInt32 = 0
        /// The process has closed it and waits to be told so.
        var isClosing = false
        var control: [FabricFrame] = []
        var rows: [FabricFrame] = []
    }

    private let network: SimulatedNetwork
    private let host: Int
    private let nodes: [NodeID]
    private var peers: [Peer]
    /// Something waits for `flush`, perhaps.
    private var isFilled = false
    /// Told of each frame to another member, when it is said.
    var sent: (([UInt8]) -> Void)?
    /// The last row write: the same one goes to several peers.
    private var copied: (epoch: Epoch, offset: Int, bytes: [UInt8]) = (.none, 0, [])

    /// `nodes` are the hosts' NodeIDs, by host.
    package init(network: SimulatedNetwork, host: Int, nodes: [NodeID]) {
        self.network = network
        self.host = host
        self.nodes = nodes
        peers = Array(repeating: Peer(), count: nodes.count)
    }

    /// What the process is to be told of a delivery, at the moment its turn reaches it: `nil` if it
    /// belongs to a connection that the process itself has closed.
    package func admit(_ delivery: FabricDelivery) -> FabricInput? {
        let peer = delivery.peer
        if case .opened(let member) = delivery.content {
            peers[peer].connection = delivery.connection
            peers[peer].isClosing = false
            return .connected(member)
        }
        if case .givenUp = delivery.content { return .givenUp(by: nodes[peer]) }
        guard peers[peer].connection == delivery.connection else { return nil }
        if case .closed(let byPeer) = delivery.content {
            peers[peer] = Peer()
            return .disconnected(nodes[peer], byPeer: byPeer)
        }
        guard !peers[peer].isClosing else { return nil }
        switch delivery.content {
        case .opened, .closed, .givenUp:
            return nil
        case .frame(.control(let bytes)):
            return .control(from: nodes[peer], bytes: bytes)
        case .frame(.row(let epoch, let offset, let bytes)):
            return .row(from: nodes[peer], epoch: epoch, offset: offset, bytes: bytes)
        }
    }

    /// The peer that a frame to `node` goes to, if the process has a path there.
    private func openPeer(_ node: NodeID) -> Int? {
        guard let peer = nodes.firstIndex(of: node), peers[peer].connection != 0,
            !peers[peer].isClosing
        else { return nil }
        return peer
    }

    /// The bytes as an array; the same one if it is the write before again, to the next peer.
    private func copy(_ bytes: UnsafeRawBufferPointer, at offset: Int, epoch: Epoch) -> [UInt8] {
        let isAgain =
            copied.offset == offset && copied.epoch == epoch && copied.bytes.count == bytes.count
        if isAgain, unsafe copied.bytes.withUnsafeBytes({ unsafe Self.areEqual($0, bytes) }) {
            return copied.bytes
        }
        copied = (epoch, offset, unsafe Array(bytes))
        return copied.bytes
    }

    /// Rows are made of words, so that comparing words is enough for most of them.
    private static func areEqual(
        _ one: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer
    ) -> Bool {
        let wordsEnd = one.count & ~7
        for offset in stride(from: 0, to: wordsEnd, by: 8)
        where unsafe one.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            != other.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        {
            return false
        }
        return unsafe one[wordsEnd...].elementsEqual(other[wordsEnd...])
    }

    // MARK: - Fabric

    package func send(_ frame: [UInt8], to node: NodeID) {
        guard let peer = openPeer(node) else { return }
        sent?(frame)
        peers[peer].control.append(.control(frame))
        isFilled = true
    }

    package func write(
        row bytes: UnsafeRawBufferPointer, at offset: Int, epoch: Epoch, to node: NodeID
    ) {
        guard let peer = openPeer(node) else { return }
        isFilled = true
        peers[peer].rows.append(
            .row(epoch, offset: offset, unsafe copy(bytes, at: offset, epoch: epoch)))
    }

    package func disconnect(_ node: NodeID) {
        guard let peer = openPeer(node) else { return }
        network.closeOwnEnd(of: host, to: peer, connection: peers[peer].connection)
        peers[peer].isClosing = true
        peers[peer].control.removeAll()
        peers[peer].rows.removeAll()
    }

    package func flush() {
        guard isFilled else { return }
        isFilled = false
        for peer in peers.indices where peers[peer].connection != 0 && !peers[peer].isClosing {
            let connection = peers[peer].connection
            if !peers[peer].control.isEmpty {
                network.post(
                    peers[peer].control, from: host, to: peer, connection: connection, kind: 0)
                peers[peer].control.removeAll(keepingCapacity: true)
            }
            if !peers[peer].rows.isEmpty {
                network.post(
                    peers[peer].rows, from: host, to: peer, connection: connection, kind: 1)
                peers[peer].rows.removeAll(keepingCapacity: true)
            }
        }
    }

    package func adopt(lineage: Lineage, givenUp: [Lineage]) {
        network.adopt(lineage: lineage, givenUp: givenUp, on: host)
    }

    package func adopt(members: [MemberList.Entry]) {
        network.adopt(
            known: nodes.map { node in members.contains { $0.node == node } }, on: host)
    }
}
