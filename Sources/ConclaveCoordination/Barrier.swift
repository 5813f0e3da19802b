import ConclaveBase
import ConclaveWire

/// A cyclic barrier: one generation that gathers, and those before it that somebody may still ask
/// about.
///
/// Generations are numbered from the version of the first arrival at a name on, and each decision
/// takes a version of its own, so that the numbers of a name only grow, even if the barrier was
/// forgotten in between.
struct Barrier: NamedRow {
    /// How many parties a broken generation names as missing.
    static let listedAbsences = 64

    let name: ObjectName
    /// Whose process came to it first.
    let uid: UInt32
    /// The number of the generation that gathers.
    var generation: UInt64
    /// As the first arrival named it; 0 before, and as long as members of `group` come.
    private(set) var parties: UInt32 = 0
    /// Whose members the parties are, as the first arrival named it; `nil`: they are counted.
    private(set) var group: BarrierGroup?
    /// Of `group`, when it is to be decided: by rank.
    private(set) var roster: Roster?
    /// In order of arrival.
    private(set) var arrivals: [Arrival] = []
    private var arrivalsByRank: [UInt32: Int] = [:]
    /// By generation.
    private(set) var decisions: [BarrierDecision] = []

    init(name: ObjectName, uid: UInt32, generation: UInt64) {
        self.name = name
        self.uid = uid
        self.generation = generation
    }

    /// Who was to come, where that is known.
    struct Roster: Sendable {
        /// The number of the group's view.
        var view: UInt64
        var parties: [BarrierDecision.KnownParty]
    }

    var isComplete: Bool { !arrivals.isEmpty && arrivals.count == Int(parties) }
    var isUnused: Bool { arrivals.isEmpty && decisions.isEmpty }
    /// The generation that gathers, as it is told when it is over.
    var past: HistoryGeneration {
        HistoryGeneration(
            number: generation, parties: parties, arrivedCount: UInt32(arrivals.count))
    }
    /// What is kept of the generation that gathers, in bytes: payloads, and members that are named.
    var gatheredByteCount: Int {
        arrivals.reduce(group?.byteCount ?? 0) { $0 + $1.payload.count }
    }
    var missingCount: UInt32 { parties - UInt32(arrivals.count) }

    func decision(of generation: UInt64) -> BarrierDecision? {
        index(of: generation).map { decisions[$0] }
    }

    /// Why this arrival cannot belong to the generation that gathers; `nil` if it can.
    func disagreement(
        with arrival: Arrival, parties named: UInt32, of other: BarrierGroup? = nil
    ) -> String? {
        guard !arrivals.isEmpty else { return nil }
        if group != other {
            return "the parties disagree: \(Self.words(parties, group)) and "
                + "\(Self.words(named, other)) were named"
        }
        if named != parties {
            return "the parties disagree: \(parties) and \(named) of them were named"
        }
        if let rank = arrival.rank, let other = arrivalsByRank[rank] {
            let first = arrivals[other]
            return "rank \(rank) came twice: pid \(first.pid) on host \(first.host) and "
                + "pid \(arrival.pid) on host \(arrival.host)"
        }
        return nil
    }

    private static func words(_ count: UInt32, _ group: BarrierGroup?) -> String {
        guard let group else { return "\(count) of them" }
        let who = group.among.isEmpty ? "the members" : "\(group.among.count) members"
        return "\(who) of group \(group.name)"
    }

    /// - Precondition: nothing disagrees, and the generation is not complete.
    mutating func gather(
        _ arrival: Arrival, parties named: UInt32, of other: BarrierGroup? = nil
    ) {
        precondition(arrivals.isEmpty || (named == parties && other == group))
        precondition(arrivals.count < named || other != nil)
        parties = named
        group = other
        if let rank = arrival.rank { arrivalsByRank[rank] = arrivals.count }
        arrivals.append(arrival)
    }

    /// It is not awaited any more, nor does it wait. Returns the arrivals that are gone.
    ///
    /// - Precondition: the parties are members of a group.
    mutating func withdraw(where isGone: (Arrival) -> Bool) -> [Arrival] {
        precondition(group != nil, "the parties of barrier \(name) are counted")
        let gone = arrivals.filter(isGone)
        arrivals.removeAll(where: isGone)
        if arrivals.isEmpty { group = nil }
        return gone
    }

    /// Who belongs to the group when it is to be decided: they are the parties.
    ///
    /// - Precondition: each arrival is of one of them, and no two of the same.
    mutating func settle(_ members: [GroupMember], view: UInt64) {
        parties = UInt32(members.count)
        var ranks: [FencingToken: UInt32] = [:]
        for (rank, member) in members.enumerated() { ranks[member.token] = UInt32(rank) }
        for index in arrivals.indices {
            guard let rank = arrivals[index].member.flatMap({ ranks[$0] }) else {
                preconditionFailure("an arrival at \(name) is of nobody")
            }
            arrivals[index].rank = rank
            arrivalsByRank[rank] = index
        }
        roster = Roster(
            view: view,
            parties: members.enumerated().map { rank, member in
                BarrierDecision.KnownParty(
                    rank: UInt32(rank), session: member.session, host: member.host,
                    pid: member.pid, lastSeen: nil, hasArrived: false)
            })
    }

    /// Ends the generation that gathers and begins the next. Returns its arrivals with the ranks
    /// that they have in it.
    mutating func decide(
        _ outcome: BarrierDecision.Outcome, absent: [BarrierDecision.KnownParty]
    ) -> [(arrival: Arrival, rank: UInt32)] {
        let ranks = ranks()
        let decided = Array(zip(arrivals, ranks)).map { (arrival: $0.0, rank: $0.1) }
        let came = decided.map { arrival, rank in
            BarrierDecision.KnownParty(
                rank: rank, session: arrival.session, host: arrival.host, pid: arrival.pid,
                lastSeen: arrival.at, hasArrived: true)
        }
        let decision = BarrierDecision(
            generation: generation, outcome: outcome, parties: parties,
            ranksWereGiven: arrivalsByRank.count == arrivals.count,
            known: (came + absent).sorted { $0.rank < $1.rank }, view: roster?.view)
        restore(decision)
        generation += 1
        parties = 0
        group = nil
        roster = nil
        arrivals = []
        arrivalsByRank = [:]
        return decided
    }

    /// Each arrival's rank: its own, or the lowest that nobody claimed, in order of arrival.
    func ranks() -> [UInt32] {
        var next: UInt32 = 0
        return arrivals.map { arrival in
            if let rank = arrival.rank { return rank }
            while arrivalsByRank[next] != nil { next += 1 }
            defer { next += 1 }
            return next
        }
    }

    mutating func refer(to generation: UInt64) {
        guard let index = index(of: generation) else { return }
        decisions[index].references += 1
    }

    /// Returns the decision if nothing refers to it any longer: it is gone from here.
    mutating func release(_ generation: UInt64) -> BarrierDecision? {
        guard let index = index(of: generation) else { return nil }
        decisions[index].references -= 1
        return decisions[index].references > 0 ? nil : decisions.remove(at: index)
    }

    /// - Precondition: `decision` is newer than those there.
    mutating func restore(_ decision: BarrierDecision) {
        precondition(decisions.last.map { $0.generation < decision.generation } ?? true)
        decisions.append(decision)
    }

    private func index(of generation: UInt64) -> Int? {
        var low = 0
        var high = decisions.count
        while low < high {
            let middle = (low + high) / 2
            if decisions[middle].generation < generation { low = middle + 1 } else { high = middle }
        }
        return low < decisions.count && decisions[low].generation == generation ? low : nil
    }
}
