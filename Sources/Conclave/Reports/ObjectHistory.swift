public import ConclaveBase
package import ConclaveWire

/// What happened to the lock, leader slot, barrier and lease of one name, as far back as it is kept.
public struct ObjectHistory: Hashable, Sendable {
    /// Somebody who held something, or broke a barrier, as it was known then.
    public struct Holder: Hashable, Sendable {
        /// `nil` for a lease, which belongs to no session; so are `host` and `pid`.
        public let session: SessionID?
        public let host: NodeID?
        public let pid: UInt32?
        public let uid: UInt32
        /// The session's label; of a lease, the name that its holder goes by.
        public let label: String

        init(_ holder: HistoryHolder) {
            session = holder.process?.session
            host = holder.process?.host
            pid = holder.process?.pid
            uid = holder.uid
            label = holder.label
        }
    }

    /// What somebody held.
    public struct Holding: Hashable, Sendable {
        public let holder: Holder
        /// Of a leader, its term.
        public let token: FencingToken
        public let since: Timestamp
        /// Of a lock; what is not one is had alone.
        public let mode: Lock.Mode
        /// Which of a slot's places a leader has; else 0.
        public let place: Int

        init(_ holding: HistoryHolding) {
            holder = Holder(holding.holder)
            token = holding.token
            since = holding.since
            mode = Lock.Mode(holding.mode)
            place = Int(holding.place)
        }
    }

    /// Why something ended. New reasons may be added.
    public struct Reason: Hashable, Sendable, CustomStringConvertible {
        public let description: String

        /// Let go, or resigned.
        public static let released = Reason(description: "released")
        /// The session said goodbye while holding.
        public static let goodbye = Reason(description: "goodbye")
        /// The process died.
        public static let died = Reason(description: "died")
        /// The session's validity ran out; of a lease, its time.
        public static let expired = Reason(description: "expired")
        /// The host was outside the view for longer than the session's time.
        public static let hostLost = Reason(description: "hostLost")
        /// An administrator ended the session.
        public static let forced = Reason(description: "forced")
        /// The leader gave its place to a standby.
        public static let handedOver = Reason(description: "handedOver")
        /// A lease was given to somebody else.
        public static let transferred = Reason(description: "transferred")
        /// The history that granted a lease was given up: see `conclave recover`.
        public static let givenUp = Reason(description: "givenUp")
        /// Of a barrier: see `BarrierReport.Reason`.
        public static let partyEnded = Reason(description: "partyEnded")
        public static let timedOut = Reason(description: "timedOut")
        public static let cancelled = Reason(description: "cancelled")
        public static let disagreement = Reason(description: "disagreement")
    }

    /// What happened. New kinds may be added.
    public struct What: Hashable, Sendable, CustomStringConvertible {
        public let description: String

        /// A lock or lease was granted, or a leader elected.
        public static let granted = What(description: "granted")
        /// A shared lock is had alone from here on.
        public static let upgraded = What(description: "upgraded")
        /// A lock that was had alone is shared from here on.
        public static let downgraded = What(description: "downgraded")
        /// What was held is held no longer.
        public static let ended = What(description: "ended")
        /// All parties of a barrier had come.
        public static let tripped = What(description: "tripped")
        /// A barrier's generation broke.
        public static let broken = What(description: "broken")
        /// A semaphore's limit was changed.
        public static let limited = What(description: "limited")
        /// Nobody was granted the lock for a while, since a holder was lost: see `lockDelay`.
        public static let closed = What(description: "closed")
        /// That was over.
        public static let opened = What(description: "opened")
    }

    public struct Event: Hashable, Sendable {
        public let version: Version
        /// Of the group's order, which follows the members' wall clocks.
        public let time: Timestamp
        /// The number of the view in which it was ordered.
        public let epoch: Epoch
        public let kind: ObjectStatus.Kind
        public let what: What
        /// Why it ended; else `nil`.
        public let reason: Reason?
        /// What is or was held; `nil` for a barrier.
        public let holding: Holding?
        /// Who broke a barrier; else `nil`.
        public let breaker: Holder?
        /// Who changed a semaphore's limit; else `nil`.
        public let limiter: Holder?
        /// The limit before, and from here on, if it was changed.
        public let limitBefore: UInt32?
        public let limit: UInt32?
        /// For how long from here on nobody was to be granted the lock, if it was closed.
        public let closedFor: Duration?
        /// Of a barrier; else zero.
        public let generation: UInt64
        /// How many parties a barrier had, and how many of them had arrived; else zero.
        public let partyCount: Int
        public let arrivedCount: Int
    }

    /// Who held an object at the moment that was asked for.
    public struct State: Hashable, Sendable {
        public let kind: ObjectStatus.Kind
        /// By token: the first 256. Of a barrier, none.
        public let holdings: [Holding]
        /// With those that are not named.
        public let holderCount: Int
    }

    public let name: String
    /// Of every kind of object of that name that was there at the moment, or of which something is
    /// kept.
    public let states: [State]
    /// The oldest first.
    public private(set) var events: [Event]
    /// There are older ones, beyond the limit that was asked for.
    public private(set) var hasOlder: Bool
    /// Of the copy that answered; where there was more than one page, of the first answer.
    public let version: Version
    /// From here on nothing is missing, of any kind that was asked for. Of what happened up to here
    /// some may be told and some not.
    public private(set) var floor: Version
    public private(set) var floorTime: Timestamp

    package init(_ name: String, _ report: HistoryReport) {
        self.name = name
        states = report.states.map { state in
            State(
                kind: ObjectStatus.Kind(state.kind), holdings: state.holdings.map(Holding.init),
                holderCount: Int(state.holderCount))
        }
        events = report.entries.reversed().map(Event.init)
        hasOlder = report.next != nil
        version = report.version
        floor = report.floor
        floorTime = report.floorTime
    }

    /// Puts the next older page in front. What was forgotten since the last one was read is missing.
    mutating func add(_ page: ObjectHistory) {
        // Where the state was lost since, its history begins anew, and so do its pages.
        events.insert(contentsOf: page.events.filter { $0.version <= version }, at: 0)
        hasOlder = page.hasOlder
        if floor < page.floor { (floor, floorTime) = (page.floor, page.floorTime) }
    }
}

extension ObjectHistory.Event {
    init(_ entry: HistoryEntry) {
        version = entry.version
        time = entry.time
        epoch = entry.epoch
        kind = ObjectStatus.Kind(entry.kind)
        var (reason, holding, breaker): (ObjectHistory.Reason?, HistoryHolding?, HistoryHolder?)
        var generation = HistoryGeneration(number: 0, parties: 0, arrivedCount: 0)
        var limits: (before: UInt32, after: UInt32, by: HistoryHolder)?
        var closedFor: Interval?
        switch entry.event {
        case .granted(let granted): (what, holding) = (.granted, granted)
        case .upgraded(let upgraded, _, _): (what, holding) = (.upgraded, upgraded)
        case .downgraded(let downgraded): (what, holding) = (.downgraded, downgraded)
        case .ended(let ended, let end):
            (what, holding, reason) = (.ended, ended, ObjectHistory.Reason(end))
        case .tripped(let tripped): (what, generation) = (.tripped, tripped)
        case .broken(let broken, let why, let holder):
            (what, generation, breaker) = (.broken, broken, holder)
            reason = ObjectHistory.Reason(why)
        case .limited(let before, let limit, let holder):
            (what, limits) = (.limited, (before, limit, holder))
        case .closed(let delay): (what, closedFor) = (.closed, delay)
        case .opened: what = .opened
        }
        limiter = limits.map { ObjectHistory.Holder($0.by) }
        limitBefore = limits?.before
        limit = limits?.after
        self.closedFor = closedFor.map { Duration($0) }
        self.reason = reason
        self.holding = holding.map(ObjectHistory.Holding.init)
        self.breaker = breaker.map(ObjectHistory.Holder.init)
        self.generation = generation.number
        partyCount = Int(generation.parties)
        arrivedCount = Int(generation.arrivedCount)
    }
}

extension ObjectHistory.Reason {
    init(_ end: HoldingEnd) {
        self =
            switch end {
            case .released: .released
            case .goodbye: .goodbye
            case .died: .died
            case .expired: .expired
            case .hostLost: .hostLost
            case .forced: .forced
            case .handedOver: .handedOver
            case .transferred: .transferred
            case .givenUp: .givenUp
            }
    }
}

extension ObjectHistory.Reason {
    init(_ reason: BarrierBreakReason) {
        self =
            switch reason {
            case .partyEnded: .partyEnded
            case .timedOut: .timedOut
            case .cancelled: .cancelled
            case .disagreement: .disagreement
            }
    }
}

extension ObjectStatus.Kind {
    init(_ kind: HistoryKind) {
        self =
            switch kind {
            case .lock: .lock
            case .leaderSlot: .leaderSlot
            case .barrier: .barrier
            case .lease: .lease
            }
    }

    var historyKind: HistoryKind? { HistoryKind.allCases.first { Self($0) == self } }
}
