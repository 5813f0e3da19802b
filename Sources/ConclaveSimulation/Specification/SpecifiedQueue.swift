import ConclaveBase
import ConclaveWire

/// A lock, a semaphore or a leader slot: who holds it and who waits, in order.
struct SpecifiedQueue {
    struct Claim: Equatable {
        var session: SessionID
        var number: UInt64
        var mode: LockMode
        var priority: Int32 = 0
        var lockDelay = Interval.zero
        var task: TaskReference
        /// They wait as long as it waits.
        var within: [TaskReference] = []
        var value: [UInt8] = []
        /// Which of a slot's places a leader has.
        var place: UInt32 = 0
        /// When it was granted.
        var since = Timestamp.zero
        /// 0 while it waits.
        var token: UInt64 = 0
        /// When it was asked for.
        var asked = Version.zero
        /// It waits as one of several.
        var isOfSet = false
    }

    /// Of a semaphore, or how many lead a slot at once.
    var limit: UInt32?
    var holders: [Claim] = []
    var waiters: [Claim] = []
    /// Kept for those that ask for several and wait for the rest.
    var reserved: [Claim] = []
    /// They ask for several, and come to this one later.
    var coming: [Claim] = []
    /// The request by which a holder waits to be the only one.
    var upgrade: (session: SessionID, number: UInt64)?
    var previousEnd = PreviousEnd.none
    var previousValue: [UInt8] = []

    /// Since when nobody is granted it, and for how long: a holder was lost.
    var closure: (since: Version, delay: Interval)?

    var isUnused: Bool { holders.isEmpty && all.isEmpty && closure == nil }

    /// Whoever waits for it in any way.
    var all: [Claim] { reserved + waiters + coming }

    /// Whoever keeps others from having it.
    var taken: [Claim] { holders + reserved }

    var valueByteCount: Int {
        (holders + waiters).reduce(0) { $0 + $1.value.count }
    }

    func admits(_ mode: LockMode) -> Bool {
        if let count = mode.permitCount {
            return taken.reduce(count) { $0 + ($1.mode.permitCount ?? 0) } <= limit ?? 0
        }
        return taken.isEmpty || (mode == .shared && taken.allSatisfy { $0.mode == .shared })
    }

    /// Whether somebody who asks for `mode` takes it for what it is.
    func isMeant(by mode: LockMode) -> Bool {
        switch (mode, limit) {
        case (.permits(let count, let named), let limit?):
            count <= limit && (named == nil || named == limit)
        case (.permits, nil): false
        case (_, let limit): limit == nil
        }
    }

    /// Before everybody of a lower priority, or who has asked later, and after the others.
    mutating func wait(_ claim: Claim) {
        let place = waiters.firstIndex {
            $0.priority < claim.priority
                || ($0.priority == claim.priority && claim.asked < $0.asked)
        }
        waiters.insert(claim, at: place ?? waiters.endIndex)
    }

    mutating func removeWaiters(of session: SessionID) {
        waiters.removeAll { $0.session == session }
        reserved.removeAll { $0.session == session }
        coming.removeAll { $0.session == session }
    }

    /// Nobody who waits comes before a new one of that priority.
    func isNext(_ priority: Int32) -> Bool {
        upgrade == nil && closure == nil && waiters.allSatisfy { $0.priority < priority }
    }

    /// All that wait, whoever holds it meanwhile first.
    var allWaiters: [Claim] { holders.filter { $0.session == upgrade?.session } + waiters }

    /// The request by which a session holds it or waits.
    func request(of session: SessionID) -> UInt64? {
        (holders + all).first { $0.session == session }?.number
    }

    /// The lowest that nobody has.
    var freePlace: UInt32 {
        (0...UInt32(holders.count)).first { place in holders.allSatisfy { $0.place != place } }!
    }

    func holds(_ session: SessionID, under token: FencingToken) -> Bool {
        holders.contains { $0.session == session && $0.token == token.number }
    }
}
