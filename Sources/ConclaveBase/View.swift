/// The numbered, ordered list of members. The place in `members` is the rank.
public struct View: Hashable, Sendable {
    public var epoch: Epoch
    public var members: [Member]

    /// What is written or sent of a view is refused if it has more members.
    package static let maximumMembers = 64

    public init(epoch: Epoch, members: [Member]) {
        self.epoch = epoch
        self.members = members
    }

    /// How many of these members must accept the next view.
    public var quorum: Int { members.count / 2 + 1 }

    public func rank(of node: NodeID) -> Rank? {
        members.firstIndex { $0.node == node }.map(Rank.init)
    }

    public func contains(_ member: Member) -> Bool {
        members.contains(member)
    }
}
