import ConclaveBase
import ConclaveClientCore
import ConclaveWire

/// What the programs of one world share: the checkers of what they are told, and what the seed drew
/// for them.
final class ClientWorld {
    let timeline: Timeline
    var exclusion: ExclusionChecker
    var barriers = BarrierChecker()
    var leases = LeaseBeliefs()
    var latches = LatchChecker()
    var doubleBarriers = DoubleBarrierChecker()
    var folds = GroupFolds()
    /// Members of task groups have a state in common, and hand it to newcomers.
    var sharesGroupStates = false
    /// What the group did, held against what it should.
    let order: OrderChecker
    /// What the processes did and were told; the check of it comes at the end.
    private(set) var events: [HistoryEvent] = []
    /// How long programs think, hold and wait, on the average.
    let pace: Interval
    /// The longest ttl of any session: who holds on for so long outlives what happens to its host.
    let longestTTL: Interval
    let lockNames: [String]
    let slotNames: [String]
    /// `nil`: there are no semaphores in this run.
    var semaphores: SemaphoreWork?
    /// `nil`: nobody but the wild takes a lock while it holds another.
    var nesting: NestedWork?
    /// `nil`: nobody asks for several locks as one.
    var lockSets: LockSets?
    /// `nil`: nobody asks for a delay.
    var lockDelays: LockDelays?
    /// `nil`: nobody asks to be stopped.
    var lossActions: LossActions?
    /// `nil`: one leads each slot.
    var leaderPlaces: LeaderPlaces?
    /// `nil`: leaders resign.
    var handOvers: HandOvers?
    /// `nil`: whatever is held stays exclusive or shared as it was granted.
    var modeChanges: ModeChanges?
    /// What the kernel keeps of what a client has not read.
    let socketByteCount: Int
    var requestCount = 0
    private var processCount: UInt64 = 0
    var arrivalCount: UInt64 = 0
    /// Values of keys that were put: each is another one.
    var valueCount: UInt64 = 0
    /// The newest version at which something happened that a client was told of.
    var newestAcknowledged = Version.zero

    static let keyNames = ["k/a", "k/a/1", "k/b", "k/b/2", "l", "l/1"]
    static let groupNames = ["g/a", "g/b", "h"]
    static let keyPrefixes = ["", "k/", "k/a", "l"]

    init(
        timeline: Timeline, order: OrderChecker, pace: Interval, longestTTL: Interval,
        lockNames: [String],
        slotNames: [String], socketByteCount: Int
    ) {
        self.order = order
        self.timeline = timeline
        self.pace = pace
        self.longestTTL = longestTTL
        self.lockNames = lockNames
        self.slotNames = slotNames
        self.socketByteCount = socketByteCount
        exclusion = ExclusionChecker()
    }

    func trace(_ text: () -> String) {
        guard timeline.trace.wantsLines else { return }
        timeline.trace.line(at: timeline.now, text())
    }

    // MARK: - History

    func drawProcessNumber() -> UInt64 {
        processCount += 1
        return processCount
    }

    /// `part`: of a call that is several in the history.
    func record(
        _ kind: HistoryEvent.Kind, of call: CallID? = nil, part: Int = 0, by client: ClientProcess
    ) {
        let call = call.map { $0.number + UInt64(part) << 40 }
        record(kind, call: call ?? 0, by: client.number)
    }

    func record(_ kind: HistoryEvent.Kind, call: UInt64, by process: UInt64) {
        events.append(
            HistoryEvent(at: timeline.now.nanoseconds, process: process, call: call, kind))
    }

    /// Reads the clock of a client's host; set by the world.
    var clock: (ClientProcess) -> SimulatedClock = { _ in preconditionFailure("no hosts yet") }

    /// Until when a client had its session for valid.
    func believedUntil(_ client: ClientProcess) -> Moment {
        client.believedUntil(clock: clock(client), now: timeline.now)
    }

    /// How the session of a client that asked for the end has ended, as far as it knows.
    func end(of client: ClientProcess) -> HistoryEvent.Kind {
        client.hasEnded ? .closed : .lost(since: believedUntil(client).nanoseconds)
    }

    func opened(_ client: ClientProcess) throws(Violation) {
        try exclusion.check(client)
    }

    func letGoOfEverything(_ client: ClientProcess) {
        exclusion.letGoOfEverything(client)
    }

    /// A while of thinking, holding or waiting.
    func pause(_ random: inout SeededRandom) -> Interval {
        WorldShape.logarithmic(pace / 8...pace * 4, &random)
    }

    /// Nobody holds anything for long any more: who is promised an answer may stand behind many.
    var isHealing = false

    /// How long something is held; now and then for as long as a session lasts by itself.
    func holdingTime(_ random: inout SeededRandom) -> Interval {
        guard random.chance(perMille: 250), !isHealing else { return pause(&random) }
        return random.interval(in: longestTTL / 8...longestTTL * 2)
    }

    func name(_ text: String) -> ObjectName {
        do {
            return try ObjectName(text)
        } catch {
            preconditionFailure("\(text) is no name: \(error)")
        }
    }

    func name(from names: [String], _ random: inout SeededRandom) -> ObjectName {
        name(WorldShape.pick(names, &random))
    }

    func key(_ random: inout SeededRandom) -> ObjectName {
        name(from: Self.keyNames, &random)
    }

    /// Of a task group, as the order has it.
    func members(of group: ObjectName) -> [FencingToken] {
        order.groupPicture(of: group, at: order.version)?.members.map(\.token) ?? []
    }

    // MARK: - Expectations

    /// The answer to letting go of, or changing, what the session holds: done, unless the session
    /// is over.
    func expectLettingGo(
        _ answer: ClientCore.Answer, of name: ObjectName
    ) throws(Violation) {
        switch answer {
        case .reply(.done): return
        case .failed(.sessionLost), .failed(.outcomeUnknown), .failed(.unavailable): return
        case .failed(.refused(let refusal)) where refusal.code == .quotaExceeded && hasQuotas:
            return
        default:
            throw Violation(.exactlyOnce, "\(name) was held, but letting go says \(answer)")
        }
    }

    /// Some requests run into a quota.
    var hasQuotas = false

    /// Some changes of keys run into a quota of theirs.
    var hasKeyQuotas = false

    /// Some requests about task groups run into a quota of theirs.
    var hasGroupQuotas = false

    /// Some requests about latches run into a quota of theirs.
    var hasLatchQuotas = false

    /// Some arrivals of members run into a quota of theirs.
    var hasMemberPartyQuotas = false

    /// Nobody is elected to a place that the slot does not have.
    func checkPlace(of term: Term) throws(Violation) {
        guard let leaderPlaces else {
            guard term.place == 0 else {
                throw Violation(.mutualExclusion, "\(term.slot) has one place: \(term)")
            }
            return
        }
        guard term.place < leaderPlaces.count(of: term.slot) ?? .max else {
            throw Violation(.mutualExclusion, "\(term.slot) has no such place: \(term)")
        }
    }

    /// Whether programs may ask for more at once than the group keeps of a session.
    var bursts: ClientBursts?

    /// A request that failed changed nothing, or went down with its session: refusals that speak of
    /// something that the session does not have are wrong.
    func expectHarmless(
        _ failure: ClientCore.ClientFailure, of name: ObjectName
    ) throws(Violation) {
        guard case .refused(let refusal) = failure, refusal.code != .unavailable,
            refusal.code != .sessionEnded, refusal.code != .quotaExceeded || !hasQuotas
        else { return }
        throw Violation(.exactlyOnce, "\(name) was asked for, but refused: \(refusal)")
    }
}
