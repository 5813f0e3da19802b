public import ConclaveBase
package import ConclaveClientCore
package import ConclaveWire

/// A member of a task group, as it was when it joined, but for the state.
public struct GroupMember: Hashable, Sendable {
    /// Names this membership: no other one of the group ever has it. Members are ranked by it.
    public let token: FencingToken
    public let session: SessionID
    public let host: NodeID
    public let pid: UInt32
    public let uid: UInt32
    public let label: String
    /// What it says of itself.
    public let attributes: [String: String]
    /// It is to have the state that the programs of the group have in common, or has it.
    public var sharesState: Bool { possession != .none }
    /// It has the state: see `Membership.adopt()`.
    public var hasState: Bool { possession == .held }
    let possession: StatePossession

    package init(_ member: ConclaveWire.GroupMember) {
        token = member.token
        session = member.session
        host = member.host
        pid = member.pid
        uid = member.uid
        label = member.label
        attributes = Dictionary(
            member.attributes.entries.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
        possession = member.possession
    }
}

/// A member that is none any more.
public struct GroupDeparture: Hashable, Sendable {
    /// How a membership ended. New reasons may be added.
    public struct Reason: Hashable, Sendable, CustomStringConvertible {
        public let description: String

        /// It left, or its session was closed.
        public static let left = Reason(description: "left")
        /// Its process died.
        public static let died = Reason(description: "died")
        /// Its session's validity ran out.
        public static let expired = Reason(description: "expired")
        /// Its session was lost with its host.
        public static let hostLost = Reason(description: "hostLost")
        /// Somebody else put it out.
        public static let evicted = Reason(description: "evicted")

        private init(description: String) {
            self.description = description
        }

        init(_ reason: GroupDepartureReason) {
            self =
                switch reason {
                case .left: .left
                case .died: .died
                case .expired: .expired
                case .hostLost: .hostLost
                case .evicted: .evicted
                }
        }
    }

    public let member: GroupMember
    public let reason: Reason

    package init(_ loss: ClientCore.GroupLoss) {
        member = GroupMember(loss.member)
        reason = Reason(loss.reason)
    }
}

/// Who belongs to a task group, from one version on. Everybody who follows the group is told the
/// same views, in the same order.
public struct GroupView: Hashable, Sendable {
    public let group: String
    /// Grows by one from view to view as long as the group is not forgotten, and is never given out
    /// again; 0: nobody has joined it yet, as far as is known.
    public let number: UInt64
    /// At which it began, or of which it is told.
    public let version: Version
    /// By rank, which is the order of joining.
    public let members: [GroupMember]
    /// What made it another one than the view before; all are empty where a follower begins.
    public let joined: [GroupMember]
    public let departed: [GroupDeparture]
    /// Who has the group's state from this view on, if that is what made it another one.
    public let adopted: GroupMember?

    package init(
        _ picture: ClientCore.GroupPicture, joined: [ConclaveWire.GroupMember] = [],
        departed: [ClientCore.GroupLoss] = [], adopted: ConclaveWire.GroupMember? = nil
    ) {
        group = picture.name.text
        number = picture.number
        version = picture.version
        members = picture.members.map { GroupMember($0) }
        self.joined = joined.map { GroupMember($0) }
        self.departed = departed.map { GroupDeparture($0) }
        self.adopted = adopted.map { GroupMember($0) }
    }

    /// The rank of that member; `nil`: it does not belong to the view.
    public func rank(of token: FencingToken) -> Int? {
        members.firstIndex { $0.token == token }
    }
}

/// What somebody said to a task group.
public struct GroupMessage: Hashable, Sendable {
    /// At which it was ordered.
    public let version: Version
    public let time: Timestamp
    /// Of the view in which it is: all its members are told it in that view.
    public let viewNumber: UInt64
    public let sender: SessionID
    /// The sender's membership; `nil`: it is no member.
    public let member: FencingToken?
    /// The sender's rank in the view; `nil`: it is no member.
    public let rank: Int?
    public let host: NodeID
    public let pid: UInt32
    public let payload: [UInt8]

    /// `payload` as text; what is not UTF-8 is replaced.
    public var text: String { String(decoding: payload, as: UTF8.self) }

    package init(_ delivery: ClientCore.GroupDelivery) {
        version = delivery.version
        time = delivery.time
        viewNumber = delivery.number
        sender = delivery.message.sender
        member = delivery.message.member
        rank = delivery.rank.map { Int($0) }
        host = delivery.message.host
        pid = delivery.message.pid
        payload = delivery.message.payload
    }
}

/// What a follower of a task group is told, in order. New kinds may be added: a `switch` needs a
/// default.
public struct GroupUpdate: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// `view`: the first one, or another one than before.
        case view
        /// `view` replaces what was known: views and messages since the last update are lost for
        /// this follower, since it was behind for too long.
        case resync
        /// `message`.
        case message
        /// For now there may be views and messages that are not told: no daemon is there, or it is
        /// outside the majority. The reason is for people.
        case doubtful(reason: String)
        /// Everything is told again.
        case assured
    }

    public let kind: Kind
    /// With `view` and `resync`.
    public let view: GroupView?
    /// With `message`.
    public let message: GroupMessage?

    package init(_ kind: Kind, view: GroupView? = nil, message: GroupMessage? = nil) {
        self.kind = kind
        self.view = view
        self.message = message
    }

    /// `nil`: it tells of no view and no message.
    init?(_ update: ClientCore.GroupUpdate) {
        switch update {
        case .state(let picture, let isResync):
            self.init(isResync ? .resync : .view, view: GroupView(picture))
        case .view(let picture, _, let joined, let departed):
            self.init(.view, view: GroupView(picture, joined: joined, departed: departed))
        case .message(let delivery): self.init(.message, message: GroupMessage(delivery))
        case .adopted(let picture, _, let member):
            self.init(.view, view: GroupView(picture, adopted: member))
        case .provided, .over: return nil
        }
    }
}
