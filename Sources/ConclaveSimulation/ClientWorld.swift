import ConclaveBase
import ConclaveClientCore
import ConclaveWire

/// What the programs of one world share: the checkers of what they are told, and what the seed drew
/// for them.
final class ClientWorld {
    let timeline: Timeline
    var exclusion: ExclusionChecker
    var barriers = BarrierChecker()
    /// How long programs think, hold and wait, on the average.
    let pace: Interval
    /// The longest ttl of any session: who holds on for so long outlives what happens to its host.
    let longestTTL: Interval
    let lockNames: [String]
    let slotNames: [String]
    /// What the kernel keeps of what a client has not read.
    let socketByteCount: Int
    var requestCount = 0
    var arrivalCount: UInt64 = 0

    init(
        timeline: Timeline, pace: Interval, longestTTL: Interval, lockNames: [String],
        slotNames: [String], socketByteCount: Int
    ) {
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

    /// How long something is held; now and then for as long as a session lasts by itself.
    func holdingTime(_ random: inout SeededRandom) -> Interval {
        guard random.chance(perMille: 250) else { return pause(&random) }
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

    // MARK: - Expectations

    /// The answer to letting go of, or changing, what the session holds: done, unless the session
    /// is over.
    func expectLettingGo(
        _ answer: ClientCore.Answer, of name: ObjectName
    ) throws(Violation) {
        switch answer {
        case .reply(.done): return
        case .failed(.sessionLost), .failed(.outcomeUnknown), .failed(.unavailable): return
        default:
            throw Violation(.exactlyOnce, "\(name) was held, but letting go says \(answer)")
        }
    }

    /// A request that failed changed nothing, or went down with its session: refusals that speak of
    /// something that the session does not have are wrong.
    func expectHarmless(
        _ failure: ClientCore.ClientFailure, of name: ObjectName
    ) throws(Violation) {
        guard case .refused(let refusal) = failure, refusal.code != .unavailable,
            refusal.code != .sessionEnded
        else { return }
        throw Violation(.exactlyOnce, "\(name) was asked for, but refused: \(refusal)")
    }
}
