import ConclaveBase
import ConclaveWire

/// One session's holding of, or place in the queue for, one lock or leader slot.
///
/// There may be a million of them: what takes most room comes first, so that nothing lies between.
struct Claim: Sendable {
    let request: RequestReference
    /// For how long nobody is granted the object once this holder was lost.
    let lockDelay: Interval
    /// Who holds it, or is to.
    let task: TaskReference
    /// Who waits, besides, as long as this one waits; nobody twice.
    let within: [TaskReference]
    /// Zero while it waits.
    var token = FencingToken(0)
    /// When it was granted, or began to wait.
    var since: Timestamp
    /// Its place in the object's queue, counted from the first waiter ever.
    var ticket: UInt64 = 0
    /// What a leader has published, or a candidate will.
    var value: [UInt8]
    /// 0: none.
    private var upgradeNumber: UInt64 = 0
    private let objectLink: RowLink
    fileprivate var previous = RowLink.none
    fileprivate var next = RowLink.none
    /// Among those that wait: the higher one comes first.
    let priority: Int32
    /// Which of a slot's places a leader has, from 0 on.
    var place: UInt32 = 0
    var mode: LockMode
    /// How far it has come, if it waits as one of several; `nil`: it is held, or waits for itself.
    var standing: WaitingSet.Standing?

    init(
        request: RequestReference, object: Int, mode: LockMode, priority: Int32,
        lockDelay: Interval, task: TaskReference, within: [TaskReference], since: Timestamp,
        value: [UInt8]
    ) {
        self.request = request
        objectLink = RowLink(object)
        self.mode = mode
        self.priority = priority
        self.lockDelay = lockDelay
        self.task = task
        self.within = within
        self.since = since
        self.value = value
    }

    /// Index of the object in the claim table.
    var object: Int { objectLink.index! }

    /// The request by which it waits to be the only one, while it is held with others. Requests are
    /// numbered from 1 on.
    var upgrade: UInt64? {
        get { upgradeNumber == 0 ? nil : upgradeNumber }
        set { upgradeNumber = newValue ?? 0 }
    }

    var isHeld: Bool { token.number != 0 }

    /// Of a semaphore, or of a slot's places.
    var permitCount: UInt32 { mode.permitCount ?? 0 }
}

/// Claims in order, linked through the claims themselves, so that the one in the middle of ten
/// thousand leaves without a search.
struct ClaimList: Sendable {
    private var head = RowLink.none
    private var tail = RowLink.none
    private var number: UInt32 = 0

    var count: Int { Int(number) }
    var isEmpty: Bool { number == 0 }
    var first: Int? { head.index }
    var last: Int? { tail.index }

    mutating func append(_ claim: Int, in claims: inout Arena<Claim>) {
        claims[claim].previous = tail
        claims[claim].next = .none
        setNext(of: tail, to: RowLink(claim), in: &claims)
        tail = RowLink(claim)
        number += 1
    }

    /// Puts it before all at the end that `comesAfter` says so of.
    mutating func insert(
        _ claim: Int, in claims: inout Arena<Claim>, beforeThose comesAfter: (Claim) -> Bool
    ) {
        var next = RowLink.none
        var previous = tail
        while let other = previous.index, comesAfter(claims[other]) {
            next = previous
            previous = claims[other].previous
        }
        claims[claim].previous = previous
        claims[claim].next = next
        setNext(of: previous, to: RowLink(claim), in: &claims)
        setPrevious(of: next, to: RowLink(claim), in: &claims)
        number += 1
    }

    mutating func remove(_ claim: Int, in claims: inout Arena<Claim>) {
        let previous = claims[claim].previous
        let next = claims[claim].next
        setNext(of: previous, to: next, in: &claims)
        setPrevious(of: next, to: previous, in: &claims)
        number -= 1
    }

    /// Of none: the first one is what comes next.
    private mutating func setNext(
        of link: RowLink, to next: RowLink, in claims: inout Arena<Claim>
    ) {
        if let claim = link.index { claims[claim].next = next } else { head = next }
    }

    /// Of none: the last one is what comes before.
    private mutating func setPrevious(
        of link: RowLink, to previous: RowLink, in claims: inout Arena<Claim>
    ) {
        if let claim = link.index { claims[claim].previous = previous } else { tail = previous }
    }

    func claim(after claim: Int, in claims: Arena<Claim>) -> Int? { claims[claim].next.index }

    func all(in claims: Arena<Claim>) -> [Int] {
        var all: [Int] = []
        all.reserveCapacity(count)
        var next = head
        while let claim = next.index {
            all.append(claim)
            next = claims[claim].next
        }
        return all
    }
}
