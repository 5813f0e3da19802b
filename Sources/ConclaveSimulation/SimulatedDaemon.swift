package import ConclaveBase
package import ConclaveReplication
package import ConclaveService

/// What runs on a simulated host: the daemon's own objects, without the shell around them.
package protocol SimulatedDaemon: AnyObject {
    func step(_ input: FabricInput, now: Instant)
    func step(_ input: DiskInput, now: Instant)
    func step(_ input: ClientInput, now: Instant)
    func tick(now: Instant)
    func endTurn(now: Instant, wallClock: Timestamp)
    var nextTick: Instant { get }
    /// Asks to leave in good order.
    func leave(now: Instant) -> Bool
    /// Whether it serves in a view of all `count` members.
    func seesWholeGroup(of count: Int) -> Bool
}

extension Replica: SimulatedDaemon {
    package func step(_ input: ClientInput, now: Instant) {
        preconditionFailure("a replica alone has no clients")
    }

    package func seesWholeGroup(of count: Int) -> Bool {
        isServing && view.members.count == count
    }
}
