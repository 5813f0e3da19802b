package import ConclaveBase
import ConclaveFabric
import ConclaveJournal
import ConclaveReactor
import Glibc

/// What an administrator has this machine suffer.
extension Runtime {
    /// Nothing comes from a member or goes to it.
    package func cut(_ node: NodeID, for duration: Interval) {
        network?.cut(node, until: reactor.now().advanced(by: duration))
    }

    /// Each sync takes so much longer.
    package func slowDisk(by pause: Interval, for duration: Interval) {
        disk.slowSyncs(by: pause)
        slowUntil = reactor.now().advanced(by: duration)
    }

    package func endDisturbances() {
        network?.endCuts()
        disk.slowSyncs(by: .zero)
        slowUntil = .distantFuture
    }

    /// The calling thread, and all that it runs, does nothing for so long.
    package func standStill(for duration: Interval) {
        let end = reactor.now().advanced(by: duration)
        while true {
            let rest = end.since(reactor.now())
            guard rest > .zero else { return }
            _ = poll(nil, 0, Int32(clamping: max(1, rest.nanoseconds / 1_000_000)))
        }
    }

    func endSlowness() {
        guard slowUntil <= reactor.now() else { return }
        disk.slowSyncs(by: .zero)
        slowUntil = .distantFuture
    }
}
