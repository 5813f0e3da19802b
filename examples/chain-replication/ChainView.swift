import Conclave

/// A view of the group as one of its members sees the chain.
struct ChainView: Sendable {
    static let socketAttribute = "socket"

    struct Neighbour: Equatable {
        /// Names its membership.
        let token: UInt64
        let socket: String

        init(_ member: GroupMember) {
            token = member.token.number
            socket = member.attributes[ChainView.socketAttribute] ?? ""
        }
    }

    let number: UInt64
    let rank: Int
    let members: [Neighbour]

    /// `nil`: the member does not belong to it.
    init?(_ view: GroupView, of token: FencingToken) {
        guard let rank = view.rank(of: token) else { return nil }
        number = view.number
        self.rank = rank
        members = view.members.map(Neighbour.init)
    }

    var own: Neighbour { members[rank] }
    var predecessor: Neighbour? { rank > 0 ? members[rank - 1] : nil }
    var successor: Neighbour? { rank + 1 < members.count ? members[rank + 1] : nil }
    var isHead: Bool { predecessor == nil }
    var isTail: Bool { successor == nil }

    var description: String {
        let place =
            switch (isHead, isTail) {
            case (true, true): "alone"
            case (true, false): "head"
            case (false, true): "tail"
            case (false, false): "middle"
            }
        return "view \(number): \(place), rank \(rank) of \(members.count)"
    }
}
