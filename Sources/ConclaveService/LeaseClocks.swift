import ConclaveBase
import ConclaveCoordination
import HeapModule

/// Since when this daemon has known of each lease, by its own clock, and when it proposes the end of
/// those that nobody renews.
///
/// Whoever has a lease counts from when it asked, and that is no later than this daemon heard of the
/// answer: so what has passed since counts, in whichever view. A lease has one timer, whose time is
/// looked at anew when it runs out; renewing costs a word in a table.
struct LeaseClocks {
    private struct Clock {
        var renewed: Version
        var ttl: Interval
        var knownAt: Instant
        /// Of its timer; `nil`: its end was proposed.
        var timer: Instant?

        /// On any clock more than its time has passed then.
        func due(_ plant: Plant?) -> Instant {
            knownAt.advanced(by: plant == .leaseEndsAtTTL ? ttl : ClockDrift.lengthened(ttl))
        }
    }

    private struct Timer: Comparable {
        var due: Instant
        var name: ObjectName

        static func < (lhs: Self, rhs: Self) -> Bool {
            lhs.due == rhs.due ? lhs.name < rhs.name : lhs.due < rhs.due
        }
    }

    private static let spareCount = 64

    private let plant: Plant?
    private var clocks: [ObjectName: Clock] = [:]
    private var timers = Heap<Timer>()
    /// Those whose end was proposed in this epoch.
    private var proposed: Set<ObjectName> = []
    /// The members before this one in the view propose first; `nil`: it is in none.
    private var delay: Interval?
    private var earliest = Instant.distantPast
    /// When `takeDue` is to be called.
    private(set) var nextDue = Instant.distantFuture

    init(plant: Plant?) {
        self.plant = plant
    }

    mutating func note(_ term: LeaseTerm, now: Instant) {
        var clock = Clock(
            renewed: term.renewed, ttl: term.ttl, knownAt: now, timer: clocks[term.name]?.timer)
        if plant == .leaseClockKept, let known = clocks[term.name] { clock.knownAt = known.knownAt }
        if clock.timer.map({ clock.due(plant) < $0 }) ?? true { start(&clock, term.name) }
        clocks[term.name] = clock
        if timers.count > 2 * clocks.count + Self.spareCount { startAll() }
        findNextDue()
    }

    mutating func forget(_ name: ObjectName) {
        clocks[name] = nil
        proposed.remove(name)
    }

    /// How long it is until the lease's end is proposed, if nobody renews it; `nil`: this daemon has
    /// not heard of that term yet.
    func remaining(of term: LeaseTerm, now: Instant) -> Interval? {
        guard let clock = clocks[term.name], clock.renewed == term.renewed else { return nil }
        return max(clock.due(plant).since(now), .zero)
    }

    /// The leases that there are, when what led to them was not told.
    mutating func review(_ terms: [LeaseTerm], now: Instant) {
        let before = clocks
        clocks = [:]
        for term in plant == .learnedLeaseUntimed ? [] : terms {
            let known = before[term.name].flatMap { $0.renewed == term.renewed ? $0.knownAt : nil }
            clocks[term.name] = Clock(
                renewed: term.renewed, ttl: term.ttl, knownAt: known ?? now, timer: nil)
        }
        startAll()
        findNextDue()
    }

    // MARK: - Epochs

    /// An epoch has ended, and with it what was proposed.
    mutating func suspend() {
        delay = nil
        findNextDue()
    }

    /// In this epoch, others propose first for so long. And none before `pause` has passed, so that
    /// a renewal that was asked for in time, and waits for this view, comes first.
    mutating func begin(after delay: Interval, pause: Interval, now: Instant) {
        self.delay = delay
        earliest = now.advanced(by: pause + delay)
        for name in proposed {
            guard var clock = clocks[name], clock.timer == nil else { continue }
            start(&clock, name)
            clocks[name] = clock
        }
        proposed.removeAll()
        findNextDue()
    }

    /// Those whose end is to be proposed, each once in an epoch.
    mutating func takeDue(now: Instant) -> [LeaseTerm] {
        guard nextDue <= now, let delay else { return [] }
        var due: [LeaseTerm] = []
        while let timer = timers.min, timer.due.advanced(by: delay) <= now {
            timers.removeMin()
            guard var clock = clocks[timer.name], clock.timer == timer.due else { continue }
            if clock.due(plant) > timer.due {
                start(&clock, timer.name)
            } else {
                clock.timer = nil
                proposed.insert(timer.name)
                due.append(LeaseTerm(name: timer.name, renewed: clock.renewed, ttl: clock.ttl))
            }
            clocks[timer.name] = clock
        }
        findNextDue()
        return due
    }

    private mutating func start(_ clock: inout Clock, _ name: ObjectName) {
        let due = clock.due(plant)
        clock.timer = due
        timers.insert(Timer(due: due, name: name))
    }

    /// Without timers of leases that are gone.
    private mutating func startAll() {
        timers = []
        proposed.removeAll()
        for (name, var clock) in clocks {
            start(&clock, name)
            clocks[name] = clock
        }
    }

    private mutating func findNextDue() {
        guard let delay, let timer = timers.min else { return nextDue = .distantFuture }
        nextDue = max(earliest, timer.due.advanced(by: delay))
    }
}
