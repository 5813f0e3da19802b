package import ConclaveBase
import ConclaveReactor

/// Whom there may be paths to changes with the member list.
extension TCPFabric {
    package func adopt(members: [MemberList.Entry]) {
        for peer in peers where !members.contains(where: { $0.node == peer.node }) {
            remove(peer.node)
        }
        for entry in members where entry.node != own.node {
            guard let address = address(of: entry) else {
                report(node: entry.node, address: listenAddress, .addressUnknown)
                continue
            }
            if let index = index(of: entry.node) {
                peers[index].address = address
            } else {
                add(Peer(node: entry.node, address: address, pause: settings.firstDialPause))
            }
        }
    }

    /// Nobody's name is resolved while the loop turns: what is not numeric must be in the
    /// configuration, which was resolved at the start.
    private func address(of entry: MemberList.Entry) -> SocketAddress? {
        let text = String(decoding: entry.address, as: UTF8.self)
        return (try? SocketAddress(text)) ?? configured[entry.node]
    }

    private func add(_ peer: Peer) {
        var peer = peer
        if isStarted, peer.node < own.node {
            peer.nextDial = .distantPast
            schedule(.distantPast)
        }
        peers.append(peer)
        peers.sort { $0.node < $1.node }
    }

    private func remove(_ node: NodeID) {
        guard let index = index(of: node) else { return }
        if let path = peers[index].path {
            endPath(
                path, byPeer: false, saying: "\(FabricRefusal.unknownNode(node))", tell: .nextTurn)
        }
        // The path is gone, and with it what was known of the order of the others.
        if let index = self.index(of: node) {
            peers[index].dial?.close()
            peers.remove(at: index)
        }
    }
}
