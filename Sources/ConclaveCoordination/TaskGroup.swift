import ConclaveBase
import ConclaveWire
import DequeModule

/// A task group: who belongs to it, and what happened to it last.
///
/// Views are numbered from the version of the first joining at a name on, and each takes a version
/// of its own. So the numbers of a name only grow, even if the group was forgotten in between; within
/// one life of a group there is none missing.
struct TaskGroup: NamedRow {
    let name: ObjectName
    /// Of the present view.
    private(set) var number: UInt64
    /// When the present view began.
    private(set) var changed: Version
    /// When a member last began the state that they have in common, since nobody had it.
    private(set) var founded: Version
    /// By rank, which is the order of joining, so by token.
    private(set) var members: [GroupMember] = []
    /// Everything that happened after this version is in `log`.
    private(set) var floor: Version
    /// By version.
    private(set) var log: Deque<Record> = []
    /// Bytes of the log.
    private(set) var logByteCount = 0
    private var logByteCountsByUID: [UInt32: Int] = [:]

    /// An entry of the log.
    struct Record: Sendable {
        enum Content: Sendable {
            case view(joined: [GroupMember], departed: [Departed])
            case message(GroupMessage)
            case adopted(FencingToken)
            case provided(ProvidedState)
        }

        struct Departed: Sendable {
            var member: GroupMember
            var reason: GroupDepartureReason
        }

        let version: Version
        let time: Timestamp
        /// Of the view that begins, or in which the message is.
        let number: UInt64
        /// For whom its bytes count.
        let uid: UInt32
        var content: Content
    }

    init(
        name: ObjectName, number: UInt64, changed: Version, founded: Version = .zero,
        floor: Version
    ) {
        self.name = name
        self.number = number
        self.changed = changed
        self.founded = founded
        self.floor = floor
    }

    var isEmpty: Bool { members.isEmpty }

    func member(_ token: FencingToken) -> GroupMember? {
        index(of: token).map { members[$0] }
    }

    func member(of session: SessionID) -> GroupMember? {
        members.first { $0.session == session }
    }

    /// Who belonged to it at `version`, by rank.
    ///
    /// - Precondition: `version` is not before `floor`.
    func members(at version: Version) -> [GroupMember] {
        var found = members.filter { $0.token.number <= version.number }
        let count = found.count
        var adoptedLater: Set<FencingToken> = []
        for record in log.reversed() {
            guard record.version > version else { break }
            switch record.content {
            case .view(_, let departed):
                for gone in departed where gone.member.token.number <= version.number {
                    found.append(gone.member)
                }
            case .adopted(let token): adoptedLater.insert(token)
            case .message, .provided: break
            }
        }
        if found.count > count { found.sort { $0.token < $1.token } }
        for place in found.indices where adoptedLater.contains(found[place].token) {
            found[place].possession = .wanted
        }
        return found
    }

    /// Of the view at `version`.
    ///
    /// - Precondition: `version` is not before `floor`.
    func number(at version: Version) -> UInt64 {
        let next = firstLogged(after: version)
        guard next < log.count else { return number }
        switch log[next].content {
        case .view, .adopted: return log[next].number - 1
        case .message, .provided: return log[next].number
        }
    }

    func firstLogged(after version: Version) -> Int {
        var low = 0
        var high = log.count
        while low < high {
            let middle = (low + high) / 2
            if log[middle].version > version { high = middle } else { low = middle + 1 }
        }
        return low
    }

    // MARK: - Changing

    /// - Precondition: nothing else happened to it at this version, which is the member's token.
    mutating func join(_ member: GroupMember, at moment: Moment) {
        members.append(member)
        begin(moment.version)
        append(
            Record(
                version: moment.version, time: moment.time, number: number, uid: member.uid,
                content: .view(joined: [member], departed: [])))
    }

    /// Everyone who leaves at one version leaves with one view.
    ///
    /// - Precondition: the member is there.
    mutating func depart(
        _ token: FencingToken, _ reason: GroupDepartureReason, at moment: Moment
    ) {
        guard let index = index(of: token) else {
            preconditionFailure("\(token) is no member of \(name)")
        }
        let gone = Record.Departed(member: members.remove(at: index), reason: reason)
        if let last = log.last, last.version == moment.version,
            case .view(let joined, let departed) = last.content
        {
            log[log.count - 1].content = .view(joined: joined, departed: departed + [gone])
            count(log[log.count - 1].byteCount - last.byteCount, for: last.uid)
            return
        }
        begin(moment.version)
        // What began at this version is forgotten already.
        guard floor < moment.version else { return }
        append(
            Record(
                version: moment.version, time: moment.time, number: number,
                uid: gone.member.uid, content: .view(joined: [], departed: [gone])))
    }

    /// - Precondition: the member is there, and nothing else happened to it at this version.
    mutating func adopt(_ token: FencingToken, isFounding: Bool, at moment: Moment) {
        guard let index = index(of: token) else {
            preconditionFailure("\(token) is no member of \(name)")
        }
        members[index].possession = .held
        if isFounding { founded = moment.version }
        begin(moment.version)
        append(
            Record(
                version: moment.version, time: moment.time, number: number,
                uid: members[index].uid, content: .adopted(token)))
    }

    mutating func provide(_ state: ProvidedState, uid: UInt32, at moment: Moment) {
        append(
            Record(
                version: moment.version, time: moment.time, number: number, uid: uid,
                content: .provided(state)))
    }

    mutating func say(_ message: GroupMessage, uid: UInt32, at moment: Moment) {
        append(
            Record(
                version: moment.version, time: moment.time, number: number, uid: uid,
                content: .message(message)))
    }

    /// A second change at one version, whose record was trimmed already, is of the same view.
    private mutating func begin(_ version: Version) {
        guard version > changed else { return }
        number += 1
        changed = version
    }

    private mutating func append(_ record: Record) {
        log.append(record)
        count(record.byteCount, for: record.uid)
    }

    private mutating func count(_ growth: Int, for uid: UInt32) {
        logByteCount += growth
        let count = logByteCount(ofUID: uid) + growth
        logByteCountsByUID[uid] = count > 0 ? count : nil
    }

    /// What counts for that user of the log.
    func logByteCount(ofUID uid: UInt32) -> Int { logByteCountsByUID[uid] ?? 0 }

    /// Forgets the oldest entry.
    ///
    /// - Precondition: there is one.
    mutating func forgetOldest() -> Record {
        let record = log.removeFirst()
        count(-record.byteCount, for: record.uid)
        floor = record.version
        return record
    }

    mutating func raiseFloor(to version: Version) { floor = max(floor, version) }

    // MARK: - From a snapshot

    /// - Precondition: it joined after those there.
    mutating func restore(_ member: GroupMember) { members.append(member) }

    /// - Precondition: it is later than those there.
    mutating func restore(_ record: Record) { append(record) }

    private func index(of token: FencingToken) -> Int? {
        var low = 0
        var high = members.count
        while low < high {
            let middle = (low + high) / 2
            if members[middle].token < token { low = middle + 1 } else { high = middle }
        }
        return low < members.count && members[low].token == token ? low : nil
    }
}

extension TaskGroup.Record {
    private static let overhead = 64

    var byteCount: Int {
        switch content {
        case .view(let joined, let departed):
            Self.overhead + joined.reduce(0) { $0 + $1.byteCount }
                + departed.reduce(0) { $0 + $1.member.byteCount }
        case .message(let message): Self.byteCount(ofPayload: message.payload)
        case .adopted: Self.byteCountOfAdoption
        case .provided(let state): Self.byteCount(ofPayload: state.payload)
        }
    }

    static func byteCount(ofPayload payload: [UInt8]) -> Int { overhead + 64 + payload.count }

    private static let byteCountOfAdoption = overhead

    /// Of the views that one member may make: when it goes, and when it has the state.
    static func byteCount(ofViewsBy member: GroupMember) -> Int {
        byteCount(ofViewBy: member) + (member.possession == .none ? 0 : byteCountOfAdoption)
    }

    /// Of a view that one member makes when it joins or goes.
    static func byteCount(ofViewBy member: GroupMember) -> Int { overhead + member.byteCount }

    /// As followers are told it.
    var entry: GroupEntry {
        let told: GroupEntry.Content =
            switch content {
            case .view(let joined, let departed):
                .view(
                    joined: joined,
                    departed: departed.map {
                        GroupDeparture(
                            member: $0.member.token, session: $0.member.session,
                            reason: $0.reason)
                    })
            case .message(let message): .message(message)
            case .adopted(let member): .adopted(member)
            case .provided(let state): .provided(state)
            }
        return GroupEntry(version: version, time: time, number: number, content: told)
    }

    /// Whether that member left with it.
    func ends(_ token: FencingToken) -> Bool {
        guard case .view(_, let departed) = content else { return false }
        return departed.contains { $0.member.token == token }
    }
    /// Whether a follower, who may be a member, is told it.
    func isTold(to member: FencingToken?, withMessages: Bool) -> Bool {
        switch content {
        case .view, .adopted: true
        case .message: withMessages
        case .provided(let state): withMessages && state.to == member
        }
    }
}
