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
    func work(now: Instant)
    var nextTick: Instant { get }
    /// Asks to leave in good order.
    func leave(now: Instant) -> Bool
    /// Whether it takes requests.
    var isServing: Bool { get }
    /// The newest view that it knows.
    var view: View { get }
    /// It found that the members' states differ and none has a majority.
    var isDivided: Bool { get }
}

extension Replica: SimulatedDaemon {
    package func step(_ input: ClientInput, now: Instant) {
        preconditionFailure("a replica alone has no clients")
    }
}
