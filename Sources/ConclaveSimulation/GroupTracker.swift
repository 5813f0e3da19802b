import ConclaveBase
import ConclaveClientCore
import ConclaveWire

/// Holds what one follower of a task group is told against what happened to the group: the members
/// first, then every view, and every message if wanted, once and in order.
struct GroupTracker {
    let follow: GroupFollow
    /// The newest that was told.
    private(set) var last: Version?
    private(set) var members: [GroupMember] = []
    private(set) var isOver = false
    private var doubt = FollowersDoubt()

    init(_ follow: GroupFollow) {
        self.follow = follow
    }

    /// It was told a state, and is told everything since.
    var isSure: Bool { last != nil && !doubt.isDoubtful && !isOver }

    /// Returns whether there is no more.
    mutating func take(
        _ answer: ClientCore.Answer, world: ClientWorld
    ) throws(Violation) -> Bool {
        switch answer {
        case .report(.groupUpdates(let updates)):
            for update in updates { try take(update, world: world) }
        case .report(.doubtful): try doubt.begins(of: follow.name)
        case .report(.assured): try doubt.ends(of: follow.name)
        case .failed: isOver = true
        case .reply, .report:
            throw Violation(.exactlyOnce, "a follower of \(follow.name) was told \(answer)")
        }
        return isOver
    }

    private mutating func take(
        _ update: ClientCore.GroupUpdate, world: ClientWorld
    ) throws(Violation) {
        guard !isOver else {
            throw broken(.exactlyOnce, "was told \(update) after the end")
        }
        switch update {
        case .state(let picture, let isResync):
            try checkState(picture, isResync: isResync, world: world)
            last = picture.version
            members = picture.members
        case .view(let picture, let time, let joined, let departed):
            let content = GroupEntry.Content.view(
                joined: joined,
                departed: departed.map { gone in
                    GroupDeparture(
                        member: gone.member.token, session: gone.member.session,
                        reason: gone.reason)
                })
            try check(
                GroupEntry(
                    version: picture.version, time: time, number: picture.number,
                    content: content), world: world)
            try checkMembers(of: picture, world: world)
            members = picture.members
        case .message(let delivery):
            let rank = members.firstIndex { $0.token == delivery.message.member }
            guard delivery.rank == rank.map({ UInt32($0) }) else {
                throw broken(.totalOrder, "was told the wrong rank: \(delivery)")
            }
            try check(
                GroupEntry(
                    version: delivery.version, time: delivery.time, number: delivery.number,
                    content: .message(delivery.message)), world: world)
        case .adopted(let picture, let time, let member):
            guard let member else { throw broken(.totalOrder, "does not know who adopts") }
            try check(
                GroupEntry(
                    version: picture.version, time: time, number: picture.number,
                    content: .adopted(member.token)), world: world)
            try checkMembers(of: picture, world: world)
            members = picture.members
        case .provided(let state): try check(state, world: world)
        case .over:
            isOver = true
            guard let own = follow.member, !members.contains(where: { $0.token == own }) else {
                throw broken(.exactlyOnce, "is told that it is no member, but it is")
            }
        }
    }

    /// What it is handed comes without a version of its own.
    private mutating func check(
        _ state: ProvidedState, world: ClientWorld
    ) throws(Violation) {
        guard let last else { throw broken(.totalOrder, "is told \(state) before any state") }
        let all = missing(after: last, upTo: world.order.version, world: world)
        guard let entry = all.first, entry.content == .provided(state) else {
            throw broken(.exactlyOnce, "was told \(state), but there was \(all.first as Any)")
        }
        self.last = entry.version
    }

    private func broken(_ promise: ContractPromise, _ message: String) -> Violation {
        Violation(promise, "a follower of \(follow.name) \(message)")
    }

    /// What was told before is dropped only if there is no other way.
    private func checkState(
        _ picture: ClientCore.GroupPicture, isResync: Bool, world: ClientWorld
    ) throws(Violation) {
        let version = picture.version
        try checkMembers(of: picture, world: world)
        let joined = follow.start ?? follow.member.map { Version($0.number) }
        if isResync {
            guard let known = last ?? joined else {
                throw broken(.progress, "begins anew before it began")
            }
            guard version >= known else {
                throw broken(.totalOrder, "was at \(known), then at \(version)")
            }
            guard !world.order.keepsGroup(follow.name, after: known) else {
                throw broken(.progress, "must begin anew, though all after \(known) is kept")
            }
        } else {
            guard last == nil, joined ?? version == version else {
                throw broken(.totalOrder, "is told a state at \(version), and nobody says why")
            }
        }
    }

    private func checkMembers(
        of picture: ClientCore.GroupPicture, world: ClientWorld
    ) throws(Violation) {
        guard picture.version <= world.order.version else {
            throw broken(.nothingLost, "knows of version \(picture.version.counter)")
        }
        let known = world.order.groupPicture(of: follow.name, at: picture.version)
        guard known?.members ?? [] != picture.members else { return }
        throw broken(
            .totalOrder,
            "was told of \(picture.members) at \(picture.version.counter), but there were "
                + "\(known?.members ?? [])")
    }

    /// Nothing but this happened since it was told something last.
    private mutating func check(
        _ entry: GroupEntry, world: ClientWorld
    ) throws(Violation) {
        guard let last else { throw broken(.totalOrder, "is told \(entry) before any state") }
        let expected = missing(after: last, upTo: entry.version, world: world)
        guard expected == [entry] else {
            throw broken(
                expected.count > 1 ? .nothingLost : .exactlyOnce,
                "was told \(entry) after \(last.counter), but there was \(expected)")
        }
        self.last = entry.version
    }

    private func missing(
        after version: Version, upTo end: Version, world: ClientWorld
    ) -> [GroupEntry] {
        world.order.groupEntries(of: follow.name, after: version, upTo: end).filter { entry in
            switch entry.content {
            case .view, .adopted: true
            case .message: follow.withMessages
            case .provided(let state): follow.withMessages && state.to == follow.member
            }
        }
    }

    /// Everything up to `version` was told, if anything may be expected of it.
    func checkIsTold(upTo version: Version, world: ClientWorld) throws(Violation) {
        guard isSure, let last else { return }
        let missing = missing(after: last, upTo: version, world: world)
        guard !missing.isEmpty else { return }
        throw broken(.progress, "was not told \(missing)")
    }
}
