package import ConclaveBase
package import ConclaveFabric

/// What a `Runtime` turns: a member of a group, and whatever its shell adds. All calls come on the
/// runtime's thread.
package protocol Engine: AnyObject {
    func step(_ input: FabricInput, now: Instant)
    func step(_ input: DiskInput, now: Instant)
    func tick(now: Instant)
    /// When `tick` is to be called at the latest.
    var nextTick: Instant { get }
    /// Once a turn, after its inputs. What it hands to the fabric is sent right afterwards.
    func endTurn(now: Instant, wallClock: Timestamp)
    /// Once a turn, after that: whatever can wait until the members have theirs.
    func turned(now: Instant)
    func report(_ event: FabricEvent)
}
