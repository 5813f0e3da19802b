package import ConclaveBase
package import ConclaveWire

/// How far a follower of a task group has come, over all its connections.
///
/// Others rely on this: what `take` gives is the members first; then every view and message once, in
/// order, and nothing is missing, unless the members come again. A member hears of nothing after the
/// view without it.
struct GroupProgress {
    private let follow: GroupFollow
    /// Of everything up to here nothing is missing: from here on it is resumed.
    private(set) var upTo: Version?
    private var picture: ClientCore.GroupPicture
    /// Of a state that is still coming.
    private var gathered: GroupStatePart?
    private(set) var isOver = false

    init(_ follow: GroupFollow) {
        self.follow = follow
        upTo = follow.from
        picture = ClientCore.GroupPicture(
            name: follow.name, number: 0, version: .zero, members: [])
    }

    /// As it is asked on another connection. Who does not know the members has to be told them.
    var resumed: GroupFollow {
        var asked = follow
        asked.from = upTo
        return asked
    }

    /// What is to be told now, in order.
    mutating func take(_ news: GroupNews) -> [ClientCore.GroupUpdate] {
        guard !isOver else { return [] }
        switch news {
        case .state(let part): return take(part)
        case .entries(let entries, let upTo):
            var updates: [ClientCore.GroupUpdate] = []
            for entry in entries where !isOver && entry.version > self.upTo ?? .zero {
                self.upTo = entry.version
                updates.append(take(entry))
                if isOver { updates.append(.over) }
            }
            self.upTo = max(self.upTo ?? .zero, upTo)
            return updates
        }
    }

    private mutating func take(_ entry: GroupEntry) -> ClientCore.GroupUpdate {
        switch entry.content {
        case .message(let message):
            let rank = picture.members.firstIndex { $0.token == message.member }
            return .message(
                ClientCore.GroupDelivery(
                    version: entry.version, time: entry.time, number: entry.number,
                    rank: rank.map { UInt32($0) }, message: message))
        case .view(let joined, let departed):
            var gone: [ClientCore.GroupLoss] = []
            for departure in departed {
                if departure.member == follow.member { isOver = true }
                guard
                    let index = picture.members.firstIndex(where: {
                        $0.token == departure.member
                    })
                else { continue }
                let member = picture.members.remove(at: index)
                gone.append(ClientCore.GroupLoss(member: member, reason: departure.reason))
            }
            let tokens = Set(joined.map(\.token))
            picture.members.removeAll { tokens.contains($0.token) }
            picture.members += joined
            begin(entry)
            return .view(picture, time: entry.time, joined: joined, departed: gone)
        case .adopted(let token):
            let index = picture.members.firstIndex { $0.token == token }
            if let index { picture.members[index].possession = .held }
            begin(entry)
            return .adopted(
                picture, time: entry.time, member: index.map { picture.members[$0] })
        case .provided(let state): return .provided(state)
        }
    }

    private mutating func begin(_ entry: GroupEntry) {
        picture.number = entry.number
        picture.version = entry.version
    }

    private mutating func take(_ part: GroupStatePart) -> [ClientCore.GroupUpdate] {
        if part.isFirst {
            gathered = part
        } else if gathered?.version == part.version {
            gathered?.members += part.members
        } else {
            return []
        }
        guard part.isLast, let whole = gathered else { return [] }
        gathered = nil
        picture.number = whole.number
        picture.version = whole.version
        picture.members = whole.members
        upTo = whole.version
        let state = ClientCore.GroupUpdate.state(picture, isResync: whole.isResync)
        guard let own = follow.member, !whole.members.contains(where: { $0.token == own }) else {
            return [state]
        }
        isOver = true
        return [state, .over]
    }

    /// The connection is gone: what of a state has come is of no use.
    mutating func interrupt() { gathered = nil }
}

extension ClientCore {
    /// A view of a task group.
    package struct GroupPicture: Equatable, Sendable {
        package var name: ObjectName
        /// 0: nobody has joined the group yet, as far as is known.
        package var number: UInt64
        package var version: Version
        /// By rank.
        package var members: [GroupMember]

        package init(
            name: ObjectName, number: UInt64, version: Version, members: [GroupMember]
        ) {
            self.name = name
            self.number = number
            self.version = version
            self.members = members
        }
    }

    /// A member that is none any more.
    package struct GroupLoss: Equatable, Sendable {
        package var member: GroupMember
        package var reason: GroupDepartureReason

        package init(member: GroupMember, reason: GroupDepartureReason) {
            self.member = member
            self.reason = reason
        }
    }

    package struct GroupDelivery: Equatable, Sendable {
        package var version: Version
        package var time: Timestamp
        /// Of the view in which it is.
        package var number: UInt64
        /// The sender's rank in that view; `nil`: it is no member.
        package var rank: UInt32?
        package var message: GroupMessage

        package init(
            version: Version, time: Timestamp, number: UInt64, rank: UInt32?,
            message: GroupMessage
        ) {
            self.version = version
            self.time = time
            self.number = number
            self.rank = rank
            self.message = message
        }
    }

    /// What a follower of a task group is told.
    package enum GroupUpdate: Equatable, Sendable {
        /// The members at a version. With `isResync` views and messages since what was told before
        /// may be missing.
        case state(GroupPicture, isResync: Bool)
        case view(GroupPicture, time: Timestamp, joined: [GroupMember], departed: [GroupLoss])
        case message(GroupDelivery)
        /// A view in which that member has the group's state; `nil`: one that is not known here.
        case adopted(GroupPicture, time: Timestamp, member: GroupMember?)
        /// To this member.
        case provided(ProvidedState)
        /// The follower is no member any more.
        case over
    }
}
