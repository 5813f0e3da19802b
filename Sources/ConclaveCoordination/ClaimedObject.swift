import ConclaveBase
import ConclaveWire

/// A lock, a semaphore or a leader slot: who has it, and who comes next.
struct ClaimedObject: NamedRow {
    let name: ObjectName
    /// How many permits a semaphore gives out, or places a leader slot has; `nil`: it is neither.
    var limit: UInt32?
    /// Permits that are given out or reserved; more than `limit` only if that was lowered meanwhile.
    var permitCount: UInt64 = 0
    /// Of these, those that are reserved.
    var reservedPermitCount: UInt64 = 0
    /// In the order in which they were granted; more than one only if all are shared, or have
    /// permits.
    var holders = ClaimList()
    var queue = ClaimQueue()
    /// Kept for requests that wait for the rest of what they ask for as one.
    var reserved = ClaimList()
    /// Of requests that come to it later, in the order in which they were made.
    var coming = ClaimList()
    /// The holder that waits to have it alone: nobody is granted before it.
    var upgrading: Int?
    var nextTicket: UInt64 = 0
    /// Since when nobody is granted it, and for how long; `nil`: it is open.
    var closure: Closure?
    /// How the last holder that left did so, and what it had published.
    var previousEnd = PreviousEnd.none
    var previousValue: [UInt8] = []

    var isUnused: Bool { holders.isEmpty && waiterCount == 0 && closure == nil }

    var waiterCount: Int { reserved.count + queue.count + coming.count }
}

struct Closure: Equatable, Sendable {
    var since: Version
    var delay: Interval
}
