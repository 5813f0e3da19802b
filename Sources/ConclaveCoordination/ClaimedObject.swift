import ConclaveBase
import ConclaveWire

/// A lock, a semaphore or a leader slot: who has it, and who comes next.
///
/// There may be a million of them: what most have nothing of lies elsewhere.
struct ClaimedObject: NamedRow {
    /// What most have nothing of.
    private struct Rest: Sendable {
        var reservedPermitCount: UInt64 = 0
        var reserved = ClaimList()
        var coming = ClaimList()
        var upgrading = RowLink.none
        var closure: Closure?
        var previousValue: [UInt8] = []

        var isNothing: Bool {
            reservedPermitCount == 0 && reserved.isEmpty && coming.isEmpty && upgrading == .none
                && closure == nil && previousValue.isEmpty
        }
    }

    let name: ObjectName
    /// Permits that are given out or reserved; more than `limit` only if that was lowered meanwhile.
    var permitCount: UInt64 = 0
    var nextTicket: UInt64 = 0
    var queue = ClaimQueue()
    /// One or none.
    private var rest: [Rest] = []
    /// In the order in which they were granted; more than one only if all are shared, or have
    /// permits.
    var holders = ClaimList()
    /// How many permits a semaphore gives out, or places a leader slot has; `nil`: it is neither.
    var limit: UInt32?
    /// How the last holder that left did so.
    var previousEnd = PreviousEnd.none

    init(name: ObjectName, limit: UInt32?) {
        self.name = name
        self.limit = limit
    }

    /// Of the permits, those that are reserved.
    var reservedPermitCount: UInt64 {
        get { rest.first?.reservedPermitCount ?? 0 }
        set { changeRest { $0.reservedPermitCount = newValue } }
    }

    /// Kept for requests that wait for the rest of what they ask for as one.
    var reserved: ClaimList {
        get { rest.first?.reserved ?? ClaimList() }
        set { changeRest { $0.reserved = newValue } }
    }

    /// Of requests that come to it later, in the order in which they were made.
    var coming: ClaimList {
        get { rest.first?.coming ?? ClaimList() }
        set { changeRest { $0.coming = newValue } }
    }

    /// The holder that waits to have it alone: nobody is granted before it.
    var upgrading: Int? {
        get { rest.first?.upgrading.index }
        set { changeRest { $0.upgrading = RowLink(newValue) } }
    }

    /// Since when nobody is granted it, and for how long; `nil`: it is open.
    var closure: Closure? {
        get { rest.first?.closure }
        set { changeRest { $0.closure = newValue } }
    }

    /// What the last holder that left had published.
    var previousValue: [UInt8] {
        get { rest.first?.previousValue ?? [] }
        set {
            // Each release of a lock comes here.
            if rest.isEmpty, newValue.isEmpty { return }
            changeRest { $0.previousValue = newValue }
        }
    }

    // Not inlined: it is rarely called.
    @inline(never)
    private mutating func changeRest(_ change: (inout Rest) -> Void) {
        var changed = rest.first ?? Rest()
        change(&changed)
        if !changed.isNothing {
            rest = [changed]
        } else if !rest.isEmpty {
            rest = []
        }
    }

    var isUnused: Bool { holders.isEmpty && waiterCount == 0 && closure == nil }

    var waiterCount: Int { reserved.count + queue.count + coming.count }
}

struct Closure: Equatable, Sendable {
    var since: Version
    var delay: Interval
}
