package import ConclaveBase
package import ConclaveWire

/// One thing that a client process did or was told, at a time of a clock that all processes share.
///
/// A history is a list of these by time. It is written as it happens, so that of a process that is
/// killed everything is there: what was called and never answered has an unknown outcome.
package struct HistoryEvent: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        /// The process has this session now; it has one at most in its life.
        case opened(SessionID)
        /// The operation begins, before anything of it is sent.
        case called(HistoryCall)
        /// The process no longer wants the answer, and asks for a definite one.
        case gaveUp
        case answered(HistoryAnswer)
        /// The process asks for the end of its session.
        case goodbye
        /// The goodbye was answered: the session is over.
        case closed
        /// The session is lost. It was valid, by the process's own clock, until `since`.
        case lost(since: UInt64)
        /// `since`: until when its session was valid by its own clock, if anybody knows.
        case died(since: UInt64?)
        /// What an observer of a slot was told.
        case observed(HistoryObservation)
        /// What a reader of keys was answered.
        case read(HistoryRead)
        /// What a watcher of keys was told.
        case watched(HistoryWatch)
    }

    package var nanoseconds: UInt64
    package var process: UInt64
    /// Which operation of the process; 0 for what belongs to none.
    package var call: UInt64
    package var kind: Kind

    package init(at nanoseconds: UInt64, process: UInt64, call: UInt64 = 0, _ kind: Kind) {
        self.nanoseconds = nanoseconds
        self.process = process
        self.call = call
        self.kind = kind
    }
}

/// What a process asks of an object.
package struct HistoryCall: Equatable, Sendable {
    package enum Action: Equatable, Sendable {
        /// `lockDelay`: for how long nobody is to have it once this holder is lost. `isOfSet`: with
        /// others, as one; each of them is a call of its own here.
        case acquire(
            LockMode, isTry: Bool, lockDelay: Interval = .zero, isOfSet: Bool = false)
        case release(FencingToken)
        case downgrade(FencingToken)
        case upgrade(FencingToken)
        /// Of a semaphore.
        case limit(UInt32)
        /// `places`: how many lead at once, if it is named.
        case campaign(value: [UInt8], places: UInt32? = nil)
        case announce(FencingToken, value: [UInt8])
        case resign(FencingToken)
        case handOver(FencingToken, to: SessionID)
        /// `generation`: the one that is meant, if it is not just the present one.
        case arrive(parties: UInt32, rank: UInt32?, generation: UInt64?, payload: [UInt8])
        case transact(KeyTransaction)
    }

    package var name: ObjectName
    package var action: Action

    package init(_ action: Action, _ name: ObjectName) {
        self.action = action
        self.name = name
    }

    /// `nil`: keys, of which one call may concern several.
    package var kind: ObjectKind? {
        switch action {
        case .acquire, .release, .downgrade, .upgrade, .limit: .lock
        case .campaign, .announce, .resign, .handOver: .leaderSlot
        case .arrive: .barrier
        case .transact: nil
        }
    }
}

/// What a process was answered.
package enum HistoryAnswer: Equatable, Sendable {
    case granted(FencingToken, after: PreviousEnd)
    case busy(holder: SessionID?)
    case elected(
        FencingToken, place: UInt32 = 0, after: PreviousEnd, previousValue: [UInt8])
    /// Released, announced, resigned, handed over.
    case done
    /// The payloads of all parties, by rank.
    case tripped(generation: UInt64, rank: UInt32, payloads: [[UInt8]])
    case broken(generation: UInt64, BarrierBreakReason)
    /// Given up in time: it has had no effect, and will have none.
    case cancelled
    /// Nobody can tell whether it had an effect.
    case unknown
    /// It had no effect.
    case refused(RefusalCode)
    case written(KeysWritten)
    /// It had no effect, since a compare did not hold.
    case mismatched(KeyMismatch)
}

/// A question about keys and its answer. If it was not a local one, the answer holds everything
/// that was acknowledged before the question.
package struct HistoryRead: Equatable, Sendable {
    /// When it was asked, in nanoseconds of the history's clock.
    package var asked: UInt64
    package var query: KeyQuery
    package var report: KeyReport

    package init(asked: UInt64, query: KeyQuery, report: KeyReport) {
        self.asked = asked
        self.query = query
        self.report = report
    }
}

/// News of one watch of a process: a whole state first, or again when changes may be missing; else
/// changes of which none is missing.
package struct HistoryWatch: Equatable, Sendable {
    package var watch: KeyWatch
    package var news: KeyNews

    package init(watch: KeyWatch, news: KeyNews) {
        self.watch = watch
        self.news = news
    }
}

/// A leader slot as it was at a version: of several leaders, the one with the first place.
///
/// Reads of this kind are local: a daemon answers from its own copy, which may be older than what
/// others have. What is promised is *some state not older than what this process was told before*,
/// so the versions that one process is told never go back; and each is a state that there was.
package struct HistoryObservation: Equatable, Sendable {
    package var slot: ObjectName
    package var version: Version
    /// `nil`: nobody led.
    package var token: FencingToken?
    package var value: [UInt8]

    package init(
        slot: ObjectName, version: Version, token: FencingToken?, value: [UInt8]
    ) {
        self.slot = slot
        self.version = version
        self.token = token
        self.value = value
    }
}
