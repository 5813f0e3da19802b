public import ConclaveBase
package import ConclaveWire

/// A configured machine as the asked daemon sees it.
public struct MemberStatus: Hashable, Sendable {
    /// New states may be added.
    public struct State: Hashable, Sendable, CustomStringConvertible {
        public let description: String

        /// In the installed view.
        public static let member = State(description: "member")
        /// Connected, not in the view: learning, or waiting to be let in.
        public static let joining = State(description: "joining")
        /// In no contact.
        public static let absent = State(description: "absent")
        /// In the installed view, and suspected.
        public static let suspected = State(description: "suspected")
    }

    public let node: NodeID
    public let address: String
    public let state: State
    /// Its position in the installed view.
    public let rank: Int?

    package init(_ report: MemberReport) {
        node = report.node
        address = report.address
        rank = report.rank.map { Int($0) }
        state =
            switch report.state {
            case .member: .member
            case .joining: .joining
            case .absent: .absent
            case .suspected: .suspected
            }
    }
}
