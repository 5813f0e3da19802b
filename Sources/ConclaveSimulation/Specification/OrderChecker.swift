import ConclaveBase
import ConclaveCoordination
import ConclaveWire

/// Holds every machine of a group against the specification, along the one total order.
///
/// The first machine that applies a step decides what the step is; what must follow from it is
/// asked of the specification once, and every machine that applies it, at once, later, or again
/// after a restart, must come to that. So a state that a snapshot lost shows in what the machine
/// does with it. Beside that, the checker knows of each request the one reply that there is (C4),
/// and of each lock and slot what it was at every version, for those who are told of it.
final class OrderChecker: CoordinationWitness, @unchecked Sendable {
    /// What a step must lead to, without what only people read.
    private struct Step {
        var command: Command?
        /// Instead of a command.
        var view: InstalledView?
        var effects: [CoordinationEffect]
    }

    private(set) var specification: Specification
    /// With which the first view began.
    private var firstStart: Version?
    /// What it was at each version, if another history may go on from any of them.
    private var past: [Version: Specification] = [:]
    private let keepsPast: Bool
    /// Of any session, as the group was founded with.
    private let longestTTL: Interval
    private var steps: [Version: Step] = [:]
    /// Each request's one reply, and the version that gave it.
    private(set) var replies: [SessionID: [UInt64: (reply: Reply, version: Version)]] = [:]
    private var branches = Branches<[SessionID: [UInt64: (reply: Reply, version: Version)]]>()
    private(set) var histories: [ObjectKey: ObjectHistory] = [:]
    private(set) var keyPictures = KeyPictures()
    private(set) var leasePictures = LeasePictures()
    private(set) var latchPictures = LatchPictures()
    private(set) var groupPictures = GroupPictures()
    private(set) var pasts = PastPictures()
    /// The first thing that was wrong; a witness cannot throw.
    private(set) var found: Violation?
    /// Told of what follows from each step, when it is applied for the first time anywhere.
    var follower: ((CoordinationEffect) -> Void)?
    /// Told of each lease that ends since nobody has renewed it, likewise.
    var leaseExpired: ((ObjectName, FencingToken) -> Violation?)?
    /// Told when nothing is granted any more, since state was lost, and when grants begin again.
    var grantsSuspended: (() -> Void)?
    var grantsOpened: (() -> Void)?
    /// Sessions in which somebody sends numbers in an order of his own.
    var unruly: Set<SessionID> = []
    /// Requests that processes sent which had lost their session to another one.
    var overtaken: [SessionID: Set<UInt64>] = [:]

    /// - Parameter keepsPast: A history may be given up.
    init(quotas: Quotas, longestTTL: Interval, keepsPast: Bool = false) {
        specification = Specification(quotas: quotas)
        self.longestTTL = longestTTL
        self.keepsPast = keepsPast
    }

    func report(_ promise: ContractPromise, _ message: String) {
        found = found ?? Violation(promise, message)
    }

    // MARK: - What machines say

    func applied(
        _ command: Command?, after previous: Version, by machine: Coordinator,
        effects: ArraySlice<CoordinationEffect>
    ) {
        let version = machine.version
        if version > specification.version {
            // One that went on alone, and ended before that counted, may do so again in the same era.
            if version.era > previous.era { goBack(to: previous, before: version) }
            first(command, machine)
        }
        compare(command, nil, effects, at: version)
        guard version == specification.version else { return }
        compareCounts(machine)
        compareHistory(machine)
        compareOpenRequests(machine)
    }

    /// What nobody refers to any more is gone, and nothing else.
    private func compareCounts(_ machine: Coordinator) {
        let sessionCount = specification.sessions.count
        let objectCount = specification.objectCount
        let memberCount = specification.memberCount
        guard
            machine.sessionCount != sessionCount || machine.objectCount != objectCount
                || machine.groupMembershipCount != memberCount
        else { return }
        report(
            .progress,
            "at version \(machine.version.counter) there are \(machine.sessionCount) sessions, "
                + "\(machine.objectCount) objects and \(machine.groupMembershipCount) members of "
                + "groups, not \(sessionCount), \(objectCount) and \(memberCount)")
    }

    func installed(
        _ view: InstalledView, after previous: Version, by machine: Coordinator,
        effects: ArraySlice<CoordinationEffect>
    ) {
        let version = machine.version
        if version > specification.version {
            if view.historyWasGivenUp, !view.stateWasLost, version.era > previous.era {
                goBack(to: previous, before: version)
            }
            if view.stateWasLost {
                specification = Specification(quotas: specification.quotas)
                for key in histories.keys { histories[key]!.clear(at: version) }
                keyPictures.reset(to: SpecifiedKeys(), at: version)
                leasePictures.note([:], at: version)
                latchPictures.note([:], at: version)
                groupPictures.reset(to: [:], at: version)
                pasts.reset(to: SpecifiedPast(), upTo: .zero, at: version)
            } else if view.view.epoch == Epoch(1), view.view.members.count == 1,
                specification.version == firstStart
            {
                // The founder, alone, lost the record of the first view before anything was done in it.
                specification = Specification(quotas: specification.quotas)
            } else if version != specification.version.next, specification.version != .zero {
                report(.totalOrder, "view \(view.view.epoch) begins at \(version.counter)")
            }
            specification.version = version
            if view.view.epoch == Epoch(1) { firstStart = version }
            let expected = specification.install(view, time: machine.time)
            if view.stateWasLost || view.historyWasGivenUp { grantsSuspended?() }
            note(nil, view, expected, isToldOfEnds: !view.historyWasGivenUp)
        }
        compare(nil, view, effects, at: version)
    }

    /// As many things happened, and as many of them are kept.
    private func compareHistory(_ machine: Coordinator) {
        let (count, happened) = (specification.past.count, specification.past.nextOrdinal)
        guard machine.historyCount != count || machine.happenedCount != happened else { return }
        report(
            .nothingLost,
            "at version \(machine.version.counter) \(machine.happenedCount) things have happened, "
                + "of which \(machine.historyCount) are kept, not \(happened) and \(count); the last "
                + "were \(specification.happened)")
    }

    /// What counts towards the quotas of sessions; now and then, since it goes through all of them.
    private func compareOpenRequests(_ machine: Coordinator) {
        guard machine.version.number % 16 == 0 else { return }
        let count = specification.sessions.values.reduce(0) { $0 + $1.openCount }
        guard machine.openRequestCount != count else { return }
        report(
            .totalOrder,
            "at version \(machine.version.counter) \(machine.openRequestCount) requests are open, "
                + "not \(count)")
    }

    /// Another history goes on from what one member had at `previous`, under versions of a later era:
    /// what came after that is lost, and never happened in this one.
    private func goBack(to previous: Version, before version: Version) {
        guard let past = past[previous] ?? (previous == specification.version ? specification : nil)
        else {
            return report(.totalOrder, "era \(version.era) begins after \(previous.counter)")
        }
        specification = past
        // Where an era begins is told by its first step.
        specification.version = Version(version.number - 1)
        replies = branches.leave(replies, at: specification.version, backTo: previous)
        for (session, all) in replies {
            replies[session] = all.filter { $0.value.version <= previous }
        }
        for key in histories.keys {
            histories[key]!.note(
                specification.queues[key], of: key.kind, at: specification.version)
        }
        keyPictures.reset(to: specification.keys, at: specification.version)
        leasePictures.note(specification.leases, at: specification.version)
        latchPictures.note(specification.latchReports, at: specification.version)
        groupPictures.reset(to: specification.groups, at: specification.version)
        pasts.reset(to: specification.past, upTo: previous, at: specification.version)
    }

    private func first(_ command: Command?, _ machine: Coordinator) {
        let version = machine.version
        guard version == specification.version.next else {
            return report(
                .totalOrder,
                "version \(version.counter) is applied, but nobody applied those before it")
        }
        if let command { checkNumber(of: command) }
        if case .open(let open)? = command, open.ttl > longestTTL {
            report(
                .mutualExclusion,
                "a session is opened with ttl \(open.ttl), and after a loss of state grants wait "
                    + "for \(longestTTL) only")
        }
        if case .expireLease(let name, let renewed)? = command,
            let lease = specification.leases[name], lease.renewed == renewed
        {
            found = found ?? leaseExpired?(name, lease.token)
        }
        let wereSuspended = specification.grantsAreSuspended
        let expected = specification.apply(command, at: version, time: machine.time)
        if wereSuspended, !specification.grantsAreSuspended { grantsOpened?() }
        note(command, nil, expected)
    }

    private func note(
        _ command: Command?, _ view: InstalledView?, _ effects: [CoordinationEffect],
        isToldOfEnds: Bool = true
    ) {
        let version = specification.version
        if keepsPast { past[version] = specification }
        steps[version] = Step(command: command, view: view, effects: effects)
        for effect in effects {
            if case .reply(let session, let number, let reply) = effect {
                noteReply(reply, to: number, of: session)
            }
            // With a history all sessions in it end, whoever believes in them: grants wait for that.
            if !isToldOfEnds, case .sessionEnded = effect { continue }
            follower?(effect)
        }
        for key in specification.touched {
            histories[key, default: ObjectHistory()].note(
                specification.queues[key], of: key.kind, at: version)
        }
        keyPictures.note(specification.changedKeys)
        if specification.leasesHaveChanged { leasePictures.note(specification.leases, at: version) }
        pasts.note(specification.happened, specification.past, at: version)
        if specification.latchesHaveChanged {
            latchPictures.note(specification.latchReports, at: version)
        }
        for change in specification.changedGroups {
            groupPictures.note(change.picture, of: change.name)
        }
    }

    private func compare(
        _ command: Command?, _ view: InstalledView?, _ effects: ArraySlice<CoordinationEffect>,
        at version: Version
    ) {
        guard found == nil, let step = steps[version] else { return }
        guard step.view == view else {
            return report(
                .totalOrder,
                "version \(version.counter) of era \(version.era) begins "
                    + "\(Self.words(view)) at one machine, and \(Self.words(step.view)) at another")
        }
        guard step.command == command else {
            return report(
                .totalOrder,
                "at version \(version.counter) one machine applied \(Self.words(step.command)), "
                    + "another one \(Self.words(command))")
        }
        let actual = effects.map(\.withoutWords)
        guard actual != step.effects else { return }
        report(
            Self.promise(of: actual, step.effects),
            "at version \(version.counter) \(Self.words(command)) led to \(actual), "
                + "but it should to \(step.effects)")
    }

    private static func words(_ view: InstalledView?) -> String {
        view.map { "view \($0.view.epoch) of \($0.view.members.map(\.node))" } ?? "no view"
    }

    private static func words(_ command: Command?) -> String {
        command.map { "\($0)" } ?? "a view, or what does not decode"
    }

    /// The promise that the first difference breaks.
    private static func promise(
        of actual: [CoordinationEffect], _ expected: [CoordinationEffect]
    ) -> ContractPromise {
        let index = zip(actual, expected).enumerated().first { $0.1.0 != $0.1.1 }?.offset
        let place = index ?? min(actual.count, expected.count)
        for effects in [actual, expected] where place < effects.count {
            switch effects[place] {
            case .reply(_, _, .tripped), .reply(_, _, .broken), .reply(_, _, .counted):
                return .barriers
            case .reply(_, _, .granted), .reply(_, _, .elected): return .mutualExclusion
            case .detachRequested, .attached: return .mutualExclusion
            case .reply(_, _, .leased), .leaseSet, .leaseEnded: return .mutualExclusion
            case .leaderChanged, .keysChanged, .groupChanged: return .progress
            default: continue
            }
        }
        return .exactlyOnce
    }

    /// The requests of a session are its own process's, and applied in the order of their numbers.
    private func checkNumber(of command: Command) {
        guard case .request(let id, let number, _, _) = command else { return }
        if overtaken[id]?.contains(number) == true {
            return report(
                .exactlyOnce,
                "request \(number) of session \(id) is applied, and it was sent by a process that "
                    + "had lost it")
        }
        guard !unruly.contains(id),
            let session = specification.sessions[id], number < session.newest,
            case .unknown = session.standing(of: number)
        else { return }
        report(
            .totalOrder,
            "request \(number) of session \(id) is applied for the first time, after its "
                + "request \(session.newest)")
    }

    private func noteReply(_ reply: Reply, to number: UInt64, of session: SessionID) {
        guard let earlier = replies[session]?[number]?.reply else {
            replies[session, default: [:]][number] = (reply, specification.version)
            return
        }
        // Of a session that is over, what it was told may be forgotten.
        if case .refused(let refusal) = reply, refusal.code == .sessionEnded { return }
        guard earlier != reply else { return }
        report(
            .exactlyOnce,
            "request \(number) of session \(session) got \(earlier), then \(reply)")
    }

    var version: Version { specification.version }

    var time: Timestamp { specification.time }

    // MARK: - What the world asks

    func ttl(of session: SessionID) -> Interval? { specification.sessions[session]?.ttl }

    /// Sessions that an administrator wants to end (K6).
    var forced: Set<SessionID> { Set(specification.sessions.values.filter(\.isForced).map(\.id)) }

    /// Who holds what under which token, in an order that is the same for equal states.
    var holdings: [(session: SessionID, key: ObjectKey, token: FencingToken)] {
        specification.queues.keys.sorted().flatMap { key in
            specification.queues[key]!.holders.map {
                (session: $0.session, key: key, token: FencingToken($0.token))
            }
        }
    }

    /// What other processes want, and wait for (K7).
    var wanted: [SessionID: ResumeCommand] { specification.sessions.compactMapValues(\.takeover) }

    func isOpen(_ session: SessionID) -> Bool { specification.sessions[session] != nil }

    func process(of session: SessionID) -> ProcessIdentity? {
        specification.sessions[session]?.process
    }

    /// The version that answered a request; `nil`: none has.
    func answerVersion(of number: UInt64, of session: SessionID) -> Version? {
        replies[session]?[number]?.version
    }

    /// Whether the answer to a request is kept, to be told whenever its client comes; what is refused
    /// beyond all bounds is told only when it is asked for in order.
    func keepsAnswer(to number: UInt64, of session: SessionID) -> Bool {
        guard let session = specification.sessions[session] else { return true }
        return session.entries[number] != nil
    }

    var view: View { specification.view }

    /// Those that stand by for a slot, in the order of their turns.
    func standbys(of slot: ObjectName) -> [SessionID] {
        let queue = specification.queues[ObjectKey(kind: .leaderSlot, name: slot)]
        return queue?.waiters.map(\.session) ?? []
    }

    func anySession(_ random: inout SeededRandom) -> (SessionID, Attachment)? {
        let sessions = specification.sessions.keys.sorted()
        guard !sessions.isEmpty else { return nil }
        let id = WorldShape.pick(sessions, &random)
        return (id, specification.sessions[id]!.attachment)
    }

    /// A request that was applied, or answered before its session ended: to repeat it is of no effect
    /// but the same answer (K9).
    func anyRequest(_ random: inout SeededRandom) -> (SessionID, number: UInt64)? {
        if random.chance(perMille: 300), !specification.ended.isEmpty {
            let ended = WorldShape.pick(specification.ended, &random)
            let numbers = ended.replies.keys.sorted()
            return numbers.isEmpty ? nil : (ended.id, WorldShape.pick(numbers, &random))
        }
        guard let (id, _) = anySession(&random), let session = specification.sessions[id]
        else { return nil }
        let number = 1 + random.below(session.newest + 1)
        if case .unknown = session.standing(of: number) { return nil }
        return (id, number)
    }

    /// Whether the group has the request and owes it nothing yet.
    func isWaiting(_ number: UInt64, of session: SessionID) -> Bool {
        guard case .waiting? = specification.sessions[session]?.standing(of: number) else {
            return false
        }
        return true
    }
}
