import ConclaveBase
import ConclaveWire

/// One session's holding of, or place in the queue for, one lock or leader slot.
struct Claim: Sendable {
    let request: RequestReference
    /// Index of the object in the claim table.
    let object: Int
    var mode: LockMode
    /// Among those that wait: the higher one comes first.
    let priority: Int32
    /// For how long nobody is granted the object once this holder was lost.
    let lockDelay: Interval
    /// Who holds it, or is to.
    let task: TaskReference
    /// Who waits, besides, as long as this one waits; nobody twice.
    let within: [TaskReference]
    /// Zero while it waits.
    var token = FencingToken(0)
    /// The request by which it waits to be the only one, while it is held with others.
    var upgrade: UInt64?
    /// When it was granted, or began to wait.
    var since: Timestamp
    /// Its place in the object's queue, counted from the first waiter ever.
    var ticket: UInt64 = 0
    /// How far it has come, if it waits as one of several; `nil`: it is held, or waits for itself.
    var standing: WaitingSet.Standing?
    /// Which of a slot's places a leader has, from 0 on.
    var place: UInt32 = 0
    /// What a leader has published, or a candidate will.
    var value: [UInt8]
    fileprivate var previous = ClaimList.none
    fileprivate var next = ClaimList.none

    init(
        request: RequestReference, object: Int, mode: LockMode, priority: Int32,
        lockDelay: Interval, task: TaskReference, within: [TaskReference], since: Timestamp,
        value: [UInt8]
    ) {
        self.request = request
        self.object = object
        self.mode = mode
        self.priority = priority
        self.lockDelay = lockDelay
        self.task = task
        self.within = within
        self.since = since
        self.value = value
    }

    var isHeld: Bool { token.number != 0 }

    /// Of a semaphore, or of a slot's places.
    var permitCount: UInt32 { mode.permitCount ?? 0 }
}

/// Claims in order, linked through the claims themselves, so that the one in the middle of ten
/// thousand leaves without a search.
struct ClaimList: Sendable {
    fileprivate static let none = -1

    fileprivate var head = none
    fileprivate var tail = none
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }
    var first: Int? { isEmpty ? nil : head }
    var last: Int? { isEmpty ? nil : tail }

    mutating func append(_ claim: Int, in claims: inout Arena<Claim>) {
        claims[claim].previous = tail
        claims[claim].next = Self.none
        if isEmpty { head = claim } else { claims[tail].next = claim }
        tail = claim
        count += 1
    }

    /// Puts it before all at the end that `comesAfter` says so of.
    mutating func insert(
        _ claim: Int, in claims: inout Arena<Claim>, beforeThose comesAfter: (Claim) -> Bool
    ) {
        var next = Self.none
        var previous = tail
        while previous != Self.none, comesAfter(claims[previous]) {
            next = previous
            previous = claims[previous].previous
        }
        claims[claim].previous = previous
        claims[claim].next = next
        if previous == Self.none { head = claim } else { claims[previous].next = claim }
        if next == Self.none { tail = claim } else { claims[next].previous = claim }
        count += 1
    }

    mutating func remove(_ claim: Int, in claims: inout Arena<Claim>) {
        let previous = claims[claim].previous
        let next = claims[claim].next
        if previous == Self.none { head = next } else { claims[previous].next = next }
        if next == Self.none { tail = previous } else { claims[next].previous = previous }
        count -= 1
    }

    func claim(after claim: Int, in claims: Arena<Claim>) -> Int? {
        let next = claims[claim].next
        return next == Self.none ? nil : next
    }

    func all(in claims: Arena<Claim>) -> [Int] {
        var all: [Int] = []
        all.reserveCapacity(count)
        var claim = head
        while claim != Self.none {
            all.append(claim)
            claim = claims[claim].next
        }
        return all
    }
}
