import ConclaveBase
import ConclaveWire

/// The barriers that somebody waits at, or whose decisions somebody may still ask for.
struct BarrierTable: Sendable {
    private var rows = Arena<Barrier>()
    private var byName = RowIndex()
    private var countsByUID: [UInt32: Int] = [:]
    /// Those that gather members of a group.
    private var indexesByGroup: [ObjectName: Set<Int>] = [:]
    /// Bytes of all payloads together, and of the members that are named.
    private(set) var payloadByteCount = 0
    /// The same of barriers to which processes of one user came first.
    private var payloadByteCountsByUID: [UInt32: Int] = [:]

    var count: Int { rows.count }

    var frozen: Arena<Barrier> { rows.frozen }

    subscript(index: Int) -> Barrier { rows[index] }

    @inline(__always)
    func index(of name: ObjectName) -> Int? { byName.find(name, in: rows) }

    func count(ofUID uid: UInt32) -> Int { countsByUID[uid] ?? 0 }

    func payloadByteCount(ofUID uid: UInt32) -> Int { payloadByteCountsByUID[uid] ?? 0 }

    private mutating func countPayload(_ growth: Int, uid: UInt32) {
        guard growth != 0 else { return }
        payloadByteCount += growth
        let count = payloadByteCount(ofUID: uid) + growth
        payloadByteCountsByUID[uid] = count == 0 ? nil : count
    }

    /// In no order that may show.
    var unsorted: [Int] { rows.indexes }

    mutating func insert(_ barrier: Barrier) -> Int {
        let index = rows.insert(barrier)
        byName.insert(barrier.name, at: index, of: rows)
        countsByUID[barrier.uid, default: 0] += 1
        let byteCount = barrier.decisions.reduce(barrier.gatheredByteCount) {
            $0 + $1.payloadByteCount
        }
        countPayload(byteCount, uid: barrier.uid)
        return index
    }

    /// - Precondition: nothing disagrees with the arrival, and the generation is not complete.
    mutating func gather(
        _ arrival: Arrival, parties: UInt32, of group: BarrierGroup? = nil, at index: Int
    ) {
        let named = rows[index].arrivals.isEmpty ? group?.byteCount ?? 0 : 0
        countPayload(named + arrival.payload.count, uid: rows[index].uid)
        rows[index].gather(arrival, parties: parties, of: group)
        if let group { indexesByGroup[group.name, default: []].insert(index) }
    }

    /// By name.
    func gathering(membersOf group: ObjectName) -> [Int] {
        (indexesByGroup[group] ?? []).sorted { rows[$0].name < rows[$1].name }
    }

    func count(gatheringMembersOf group: ObjectName) -> Int {
        indexesByGroup[group]?.count ?? 0
    }

    /// How many members those name together.
    func namedCount(gatheringMembersOf group: ObjectName) -> Int {
        (indexesByGroup[group] ?? []).reduce(0) { $0 + (rows[$1].group?.among.count ?? 0) }
    }

    /// Takes back arrivals of members of a group. The barrier goes with the last one if it says nothing
    /// else.
    mutating func withdraw(from index: Int, where isGone: (Arrival) -> Bool) -> [Arrival] {
        let group = rows[index].group
        let before = rows[index].gatheredByteCount
        let gone = rows[index].withdraw(where: isGone)
        countPayload(rows[index].gatheredByteCount - before, uid: rows[index].uid)
        if let group, rows[index].group == nil { forget(index, gathering: group) }
        removeIfUnused(index)
        return gone
    }

    private mutating func forget(_ index: Int, gathering group: BarrierGroup) {
        indexesByGroup[group.name]?.remove(index)
        if indexesByGroup[group.name]?.isEmpty == true { indexesByGroup[group.name] = nil }
    }

    /// - Precondition: it gathers members of a group, and these are they.
    mutating func settle(_ index: Int, _ members: [GroupMember], view: UInt64) {
        rows[index].settle(members, view: view)
    }

    func isThere(_ index: Int, name: ObjectName) -> Bool { self.index(of: name) == index }

    /// Puts back a decision as it was, from a snapshot.
    ///
    /// - Precondition: it is newer than those there.
    mutating func restore(_ decision: BarrierDecision, at index: Int) {
        rows[index].restore(decision)
        countPayload(decision.payloadByteCount, uid: rows[index].uid)
    }

    /// Ends the generation that gathers. The decision stays as long as `refer` was called more
    /// often for it than `release`.
    mutating func decide(
        _ outcome: BarrierDecision.Outcome, absent: [BarrierDecision.KnownParty] = [],
        at index: Int
    ) -> [(arrival: Arrival, rank: UInt32)] {
        let before = rows[index].gatheredByteCount
        if let group = rows[index].group { forget(index, gathering: group) }
        let decided = rows[index].decide(outcome, absent: absent)
        let kept = rows[index].decisions.last?.payloadByteCount ?? 0
        countPayload(kept - before, uid: rows[index].uid)
        return decided
    }

    mutating func refer(to reference: DecisionReference) {
        rows[reference.barrier].refer(to: reference.generation)
    }

    mutating func release(_ reference: DecisionReference) {
        if let gone = rows[reference.barrier].release(reference.generation) {
            countPayload(-gone.payloadByteCount, uid: rows[reference.barrier].uid)
        }
        removeIfUnused(reference.barrier)
    }

    mutating func removeIfUnused(_ index: Int) {
        guard rows[index].isUnused else { return }
        let gone = rows.remove(index)
        byName.remove(gone.name, at: index)
        let count = count(ofUID: gone.uid) - 1
        countsByUID[gone.uid] = count > 0 ? count : nil
    }

    func reply(_ reference: DecisionReference) -> Reply? {
        let barrier = rows[reference.barrier]
        return barrier.decision(of: reference.generation)?
            .reply(name: barrier.name, rank: reference.rank)
    }
}
