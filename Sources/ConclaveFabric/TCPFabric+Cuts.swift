package import ConclaveBase

/// Paths that carry nothing for a while, though both ends live: an administrator's way to see what a cut
/// does. What was on its way arrives when it is over, as after a cut that TCP has outlasted.
extension TCPFabric {
    /// Nothing comes from `node` or goes to it before `end`; a path that breaks meanwhile is not made again.
    package func cut(_ node: NodeID, until end: Instant) {
        guard let index = index(of: node) else { return }
        peers[index].cutUntil = end
        peers[index].path?.hold(true)
        schedule(end)
    }

    package func endCuts() {
        for index in peers.indices where peers[index].cutUntil != nil { endCut(index) }
    }

    func endCuts(now: Instant) {
        for index in peers.indices {
            guard let end = peers[index].cutUntil else { continue }
            if end <= now { endCut(index) } else { schedule(end) }
        }
    }

    private func endCut(_ index: Int) {
        peers[index].cutUntil = nil
        peers[index].path?.hold(false)
    }

    func isCut(_ node: NodeID) -> Bool {
        index(of: node).map { peers[$0].cutUntil != nil } ?? false
    }
}
