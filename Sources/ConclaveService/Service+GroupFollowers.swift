import ConclaveBase
import ConclaveCoordination
import ConclaveWire

/// Followers of task groups: first the members, then every view, and every message if wanted.
extension Service {
    /// What looking at one member or entry costs, told or not, as if it were bytes; and looking at all.
    private static let byteCountOfRecord = 64
    private static let byteCountOfLook = 256

    mutating func begin(_ follow: GroupFollow, _ id: GroupFollowers.ID, machine: Coordinator) {
        let place: GroupPlace
        if let from = follow.from, from <= machine.version {
            let isSkipping = settings.plant == .resumedMemberSkips
            place = .entries(after: isSkipping ? machine.version : from)
        } else {
            // What is later than everything that was acknowledged is of another history.
            let joined = follow.member.map { Version($0.number) }
            let isEarly = settings.plant == .adopterStartsEarly
            let start = (isEarly ? joined : follow.start) ?? joined ?? machine.version
            let isStrange = follow.from != nil || start > machine.version
            place = .state(
                isStrange ? machine.version : start, after: nil, isResync: isStrange)
        }
        groupFollowers.add(id, follow, at: place, uid: uid(of: id.connection))
    }

    /// Tells followers what is new to them, as far as their connections take it and `left` bytes go.
    mutating func tellGroupFollowers(
        _ left: inout Int, machine: Coordinator, effects: inout [ServiceEffect]
    ) {
        var count = groupFollowers.line.count
        while left > 0, let (id, follower) = groupFollowers.nextToTell(connections, of: &count) {
            left -= tell(follower, id, machine: machine, effects: &effects)
        }
    }

    /// A piece of news, and what is known of the follower then.
    private struct Telling {
        var news: GroupNews
        var place: GroupPlace
        /// The follower was a member, and is none: there is no more.
        var isOver: Bool
        /// Members and entries that were looked at.
        var lookedCount: Int
    }

    /// One piece of news; returns what it costs, in bytes: also that nothing was found.
    private mutating func tell(
        _ follower: GroupFollowers.Table.Follower, _ id: GroupFollowers.ID, machine: Coordinator,
        effects: inout [ServiceEffect]
    ) -> Int {
        let telling = telling(follower, machine: machine)
        let isBehind = telling.place != .entries(after: machine.version)
        groupFollowers.moved(id, to: telling.place, isBehind: isBehind)
        if telling.isOver { groupFollowers.remove(id) }
        let cost = Self.byteCountOfLook + telling.lookedCount * Self.byteCountOfRecord
        if case .entries(let entries, _) = telling.news, entries.isEmpty, follower.isAnswered {
            return cost
        }
        var writer = ByteWriter()
        telling.news.encode(into: &writer)
        let kind: FrameHeader.Flags = follower.isAnswered ? .event : .reply
        send(
            .followGroup, telling.isOver ? [kind, .last] : kind, number: id.number,
            to: id.connection, effects: &effects
        ) { $0.raw(writer.bytes) }
        return max(writer.bytes.count, cost)
    }

    private var groupBudgetOfPiece: GroupBudget {
        GroupBudget(count: settings.keysPerPiece, byteCount: ClientLimits.keyPage)
    }

    private func telling(
        _ follower: GroupFollowers.Table.Follower, machine: Coordinator
    ) -> Telling {
        let follow = follower.subject
        let floor = machine.groupFloor(follow.name)
        switch follower.place {
        case .state(let version, let after, let isResync) where floor <= version:
            return state(
                of: follow, at: version, after: after, isResync: isResync, machine: machine)
        case .entries(let after) where floor <= after:
            let reading = machine.groupEntries(
                follow.name, after: after, withMessages: follow.withMessages,
                member: follow.member, groupBudgetOfPiece)
            return Telling(
                news: .entries(reading.entries, upTo: reading.upTo),
                place: .entries(after: reading.upTo), isOver: reading.isOver,
                lookedCount: reading.lookedCount)
        case .state(_, _, let isResync):
            // The log has gone past it. A member misses what was said since it has joined; anybody else
            // was told nothing yet.
            return state(
                of: follow, at: machine.version, after: nil,
                isResync: isResync || follow.member != nil, machine: machine)
        case .entries:
            // What was missed shows in the members only.
            return state(
                of: follow, at: machine.version, after: nil, isResync: true, machine: machine)
        }
    }

    private func state(
        of follow: GroupFollow, at version: Version, after: FencingToken?, isResync: Bool,
        machine: Coordinator
    ) -> Telling {
        let page = machine.groupMembers(
            follow.name, at: version, after: after, member: follow.member, groupBudgetOfPiece)
        let part = GroupStatePart(
            version: version, number: page.number, isFirst: after == nil, isLast: page.isLast,
            isResync: isResync, members: page.members)
        let next =
            page.isLast
            ? GroupPlace.entries(after: version)
            : .state(version, after: page.members.last?.token ?? after, isResync: isResync)
        return Telling(
            news: .state(part), place: next, isOver: page.isLast && page.isOver,
            lookedCount: page.lookedCount)
    }
}
