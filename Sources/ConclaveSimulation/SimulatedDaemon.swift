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
    /// Of the newest view that it knows.
    var lineage: Lineage { get }
    var list: MemberList { get }
    /// What it has found on its disk, as long as it has not entered a view.
    var remembered: Remembered { get }
    /// The epoch that it is in, and how many messages of each sender it has acknowledged.
    var acknowledged: (epoch: Epoch, vector: [UInt64])? { get }
    /// How many messages of each sender it holds outside of its epoch; nil: it has no state.
    var heldVector: [UInt64]? { get }
    /// What it has applied last.
    var version: Version { get }
    /// It has a state of some view.
    var hasAnyState: Bool { get }
    /// It is at it, and has not said how it went.
    var isGoingOnAlone: Bool { get }
    /// An operator has it go on without the others (V27).
    func salvage(eraAtLeast: UInt16, now: Instant)
}

extension Replica: SimulatedDaemon {
    package func step(_ input: ClientInput, now: Instant) {
        preconditionFailure("a replica alone has no clients")
    }

    package func salvage(eraAtLeast: UInt16, now: Instant) {
        salvage(SalvageWish(eraAtLeast: eraAtLeast, by: "operator"), number: 1, now: now)
    }
}
