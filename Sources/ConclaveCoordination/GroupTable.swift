import ConclaveBase
import ConclaveWire
import DequeModule

/// The task groups that have members, and those that had some not long ago.
///
/// **What the log promises.** Of every group everything that happened after its floor is in its log,
/// by version. Of a name without a group nothing happened after the table's floor. So whoever knew
/// the members at a version that is not before the floor, and then every entry after it, has missed
/// nothing.
///
/// A group without members is kept for those who still have to be told that; when there are too many
/// of them, or bytes are short, they go first, in the order in which they were left.
struct GroupTable: Sendable {
    private(set) var rows = Arena<TaskGroup>()
    /// Of names without a group.
    private(set) var floor = Version.zero
    /// Of members and logs together.
    private(set) var byteCount = 0
    /// Entries of all logs.
    private(set) var logCount = 0
    private var byteCountsByUID: [UInt32: Int] = [:]
    private var byName = RowIndex()
    /// By the version at which the last member left, and by name.
    private var deserted: Deque<Int> = []
    private var memberships: [SessionID: Set<Int>] = [:]

    /// Groups with members.
    var count: Int { rows.count - deserted.count }

    var desertedCount: Int { deserted.count }

    subscript(index: Int) -> TaskGroup { rows[index] }

    @inline(__always)
    func index(of name: ObjectName) -> Int? { byName.find(name, in: rows) }

    func byteCount(ofUID uid: UInt32) -> Int { byteCountsByUID[uid] ?? 0 }

    func membershipCount(of session: SessionID) -> Int { memberships[session]?.count ?? 0 }

    var membershipCount: Int { memberships.values.reduce(0) { $0 + $1.count } }

    /// Who must come to a barrier of that group, by rank, and the number of its view.
    func parties(of group: BarrierGroup) -> (members: [GroupMember], view: UInt64) {
        guard let index = index(of: group.name) else { return ([], 0) }
        let members = rows[index].members
        guard !group.among.isEmpty else { return (members, rows[index].number) }
        let among = Set(group.among)
        return (members.filter { among.contains($0.token) }, rows[index].number)
    }

    /// The groups that the session belongs to, by name.
    func groups(of session: SessionID) -> [Int] {
        (memberships[session] ?? []).sorted { rows[$0].name < rows[$1].name }
    }

    /// Everything that happened to it after this version is known.
    func floor(of name: ObjectName) -> Version {
        index(of: name).map { rows[$0].floor } ?? floor
    }

    /// Of a membership: with the views that it will make, so that whoever leaves needs no more room than
    /// it had.
    static func byteCount(of member: GroupMember) -> Int {
        member.byteCount + TaskGroup.Record.byteCount(ofViewsBy: member)
    }

    // MARK: - Changing

    /// - Precondition: the session does not belong to it.
    mutating func join(_ name: ObjectName, _ member: GroupMember, at moment: Moment) -> Int {
        let index = self.index(of: name) ?? insert(name, at: moment.version)
        if rows[index].isEmpty { deserted.removeAll { $0 == index } }
        changeLog(of: index, for: member.uid) { $0.join(member, at: moment) }
        memberships[member.session, default: []].insert(index)
        count(Self.byteCount(of: member), for: member.uid)
        return index
    }

    private mutating func insert(_ name: ObjectName, at version: Version) -> Int {
        // The view before the first is none; that it begins now is counted by `join`.
        let index = rows.insert(
            TaskGroup(name: name, number: version.number - 1, changed: floor, floor: floor))
        byName.insert(name, at: index, of: rows)
        return index
    }

    /// - Precondition: the member is there.
    mutating func depart(
        _ token: FencingToken, from index: Int, _ reason: GroupDepartureReason,
        at moment: Moment
    ) {
        guard let member = rows[index].member(token) else { return }
        // What is added to a record counts for whom the record does.
        let last = rows[index].log.last
        let uid = last?.version == moment.version ? last?.uid : nil
        changeLog(of: index, for: uid ?? member.uid) { $0.depart(token, reason, at: moment) }
        memberships[member.session]?.remove(index)
        if memberships[member.session]?.isEmpty == true { memberships[member.session] = nil }
        count(-Self.byteCount(of: member), for: member.uid)
        if rows[index].isEmpty { noteDeserted(index) }
    }

    /// - Precondition: the member is there.
    mutating func adopt(
        _ token: FencingToken, isFounding: Bool, in index: Int, at moment: Moment
    ) {
        guard let member = rows[index].member(token) else { return }
        changeLog(of: index, for: member.uid) {
            $0.adopt(token, isFounding: isFounding, at: moment)
        }
    }

    mutating func provide(
        _ state: ProvidedState, in index: Int, uid: UInt32, at moment: Moment
    ) {
        changeLog(of: index, for: uid) { $0.provide(state, uid: uid, at: moment) }
    }

    mutating func say(
        _ message: GroupMessage, in index: Int, uid: UInt32, at moment: Moment
    ) {
        changeLog(of: index, for: uid) { $0.say(message, uid: uid, at: moment) }
    }

    private mutating func changeLog(
        of index: Int, for uid: UInt32, _ change: (inout TaskGroup) -> Void
    ) {
        let before = (rows[index].logByteCount, rows[index].log.count)
        change(&rows[index])
        count(rows[index].logByteCount - before.0, for: uid)
        logCount += rows[index].log.count - before.1
    }

    private mutating func noteDeserted(_ index: Int) {
        var place = deserted.count
        while place > 0, isEarlier(index, than: deserted[place - 1]) { place -= 1 }
        deserted.insert(index, at: place)
    }

    private func isEarlier(_ index: Int, than other: Int) -> Bool {
        (rows[index].changed, rows[index].name) < (rows[other].changed, rows[other].name)
    }

    private mutating func count(_ growth: Int, for uid: UInt32) {
        byteCount += growth
        let count = (byteCountsByUID[uid] ?? 0) + growth
        byteCountsByUID[uid] = count > 0 ? count : nil
    }

    // MARK: - Forgetting

    /// Whether something of that size can be added for `uid`, to the group at `index` or a new one,
    /// when all has gone that goes first: groups without members, and then what that group's log has.
    mutating func makeRoom(
        for size: Int, uid: UInt32, in index: Int?, quotas: Quotas
    ) -> Bool {
        func lacks(_ size: Int) -> Bool { byteCount + size > quotas.groupByteCount }
        func userLacks(_ size: Int) -> Bool {
            uid != 0 && byteCount(ofUID: uid) + size > quotas.groupByteCountPerUID
        }
        func lacks(_ size: Int, _ sizeOfUID: Int) -> Bool { lacks(size) || userLacks(sizeOfUID) }
        while lacks(size), let oldest = deserted.first(where: { $0 != index }) { forget(oldest) }
        // What others have said in theirs makes no room for this user.
        while userLacks(size),
            let oldest = deserted.first(where: {
                $0 != index && rows[$0].logByteCount(ofUID: uid) > 0
            })
        { forget(oldest) }
        guard lacks(size, size) else { return true }
        guard let index else { return false }
        let own = rows[index].logByteCount(ofUID: uid)
        return !lacks(size - rows[index].logByteCount, size - own)
    }

    /// Forgets the oldest entries of a group until its log, and what counts for `uid`, is within
    /// bounds again; and the groups that nobody belongs to, if they are too many.
    mutating func trim(_ index: Int, uid: UInt32, quotas: Quotas) {
        while deserted.count > quotas.desertedGroups, let oldest = deserted.first {
            forget(oldest)
            if oldest == index { return }
        }
        while !rows[index].log.isEmpty,
            rows[index].log.count > quotas.groupLogCount
                || rows[index].logByteCount > quotas.groupLogByteCount
                || byteCount > quotas.groupByteCount
                || uid != 0 && byteCount(ofUID: uid) > quotas.groupByteCountPerUID
        {
            forgetOldest(of: index)
        }
    }

    private mutating func forgetOldest(of index: Int) {
        let record = rows[index].forgetOldest()
        logCount -= 1
        count(-record.byteCount, for: record.uid)
    }

    /// - Precondition: it has no members.
    private mutating func forget(_ index: Int) {
        while !rows[index].log.isEmpty { forgetOldest(of: index) }
        let group = rows.remove(index)
        byName.remove(group.name, at: index)
        deserted.removeAll { $0 == index }
        // What happened to the name last happened then, or was a message before.
        floor = max(floor, group.changed, group.floor)
    }

    /// Forgets everything that led to the present members: it begins at `version`, which is not
    /// before anything that happened.
    mutating func forgetHistory(at version: Version) {
        while let oldest = deserted.first { forget(oldest) }
        for index in rows.indexes {
            while !rows[index].log.isEmpty { forgetOldest(of: index) }
            rows[index].raiseFloor(to: version)
        }
        floor = version
    }
}

extension GroupTable {
    mutating func restore(floor: Version) { self.floor = floor }

    /// Puts back a group as it was, from a snapshot, without members and log; `restoreDeserted`
    /// follows when all are there.
    ///
    /// - Precondition: there is none of that name.
    mutating func restore(_ group: TaskGroup) {
        let index = rows.insert(group)
        byName.insert(group.name, at: index, of: rows)
    }

    /// - Precondition: it joined after those there, and its session does not belong to the group.
    mutating func restore(_ member: GroupMember, at index: Int) {
        rows[index].restore(member)
        memberships[member.session, default: []].insert(index)
        count(Self.byteCount(of: member), for: member.uid)
    }

    /// - Precondition: it is later than those there.
    mutating func restore(_ record: TaskGroup.Record, at index: Int) {
        rows[index].restore(record)
        logCount += 1
        count(record.byteCount, for: record.uid)
    }

    func belongs(_ session: SessionID, to index: Int) -> Bool {
        memberships[session]?.contains(index) == true
    }

    /// All groups are there.
    mutating func restoreDeserted() {
        let left = rows.indexes.filter { rows[$0].isEmpty }
        deserted = Deque(left.sorted { isEarlier($0, than: $1) })
    }
}
