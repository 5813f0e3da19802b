import ConclaveBase
import ConclaveReplication
import ConclaveService

/// A daemon with everything that serves clients, as a simulated host runs it.
final class SimulatedService: SimulatedDaemon {
    let host: Host
    /// What its clients map; a new one in each run.
    let page = ValidityPage()
    private(set) var effects: [HostEffect] = []

    init(host: Host) {
        self.host = host
    }

    func step(_ input: FabricInput, now: Instant) { host.step(.fabric(input), now: now) }

    func step(_ input: DiskInput, now: Instant) { host.step(.disk(input), now: now) }

    func step(_ input: ClientInput, now: Instant) { host.step(.client(input), now: now) }

    func tick(now: Instant) { host.step(.tick, now: now) }

    func endTurn(now: Instant, wallClock: Timestamp) {
        host.endTurn(now: now, wallClock: wallClock, effects: &effects)
    }

    func work(now: Instant) { host.work(now: now) }

    var isDivided: Bool { host.replica.isDivided }

    var nextTick: Instant { host.nextTick }

    func leave(now: Instant) -> Bool {
        host.stop(now: now)
        return true
    }

    var isServing: Bool { host.replica.isServing }

    var view: View { host.replica.view }

    var lineage: Lineage { host.replica.lineage }

    var list: MemberList { host.replica.list }

    var hasAnyState: Bool { host.replica.hasAnyState }

    var remembered: Remembered { host.replica.remembered }

    var acknowledged: (epoch: Epoch, vector: [UInt64])? { host.replica.acknowledged }

    var heldVector: [UInt64]? { host.replica.heldVector }

    var version: Version { host.replica.version }

    var isGoingOnAlone: Bool { host.replica.isGoingOnAlone }

    func salvage(eraAtLeast: UInt16, now: Instant) {
        host.replica.salvage(eraAtLeast: eraAtLeast, now: now)
    }

    func takeEffects() -> [HostEffect] {
        defer { effects.removeAll(keepingCapacity: true) }
        return effects
    }
}
