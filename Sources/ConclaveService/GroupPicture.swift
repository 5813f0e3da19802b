package import ConclaveBase
package import ConclaveWire

/// What a daemon knows of its group beside the replicated state: for the queries about it.
package struct GroupPicture: Sendable {
    package var lineage: Lineage
    package var view: View
    package var version: Version
    /// All machines of the member list, by id.
    package var members: [(node: NodeID, state: MemberState)]
    /// Where they are, as the list has it.
    package var addresses: [MemberList.Entry]
    package typealias KnownView = (view: InstalledView, at: Timestamp)

    /// The newest last.
    package var views: [KnownView]

    package init(
        lineage: Lineage, view: View, version: Version,
        members: [(node: NodeID, state: MemberState)], addresses: [MemberList.Entry] = [],
        views: [KnownView]
    ) {
        self.lineage = lineage
        self.view = view
        self.version = version
        self.members = members
        self.addresses = addresses
        self.views = views
    }

    package static let blank = GroupPicture(
        lineage: .none, view: View(epoch: .none, members: []), version: .zero, members: [],
        views: [])
}
