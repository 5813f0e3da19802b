/// Why a member is not in the next view.
public enum DepartureReason: UInt8, Sendable, CaseIterable {
    /// It asked to leave, in good order.
    case left = 1
    /// Its connection was closed by the other end, or a new incarnation showed up.
    case died = 2
    /// No heartbeat for the suspicion time.
    case silent = 3
    /// It sent heartbeats but no acknowledgements for the stall time.
    case stalled = 4
    /// Members that go on could not hear it, or it them.
    case unreachable = 5
    /// It came back without state, or with an older one.
    case withoutState = 6
    /// It was removed from the member list.
    case removed = 7
}
