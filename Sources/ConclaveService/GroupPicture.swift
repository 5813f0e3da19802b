package import ConclaveBase
package import ConclaveWire

/// What a daemon knows of its group beside the replicated state: for the queries about it.
package struct GroupPicture: Sendable {
    package var lineage: Lineage
    package var view: View
    package var version: Version
    /// All configured machines, by id.
    package var members: [(node: NodeID, state: MemberState)]
    /// Known views, the newest last.
    package var views: [(view: InstalledView, at: Timestamp)]

    package init(
        lineage: Lineage, view: View, version: Version,
        members: [(node: NodeID, state: MemberState)],
        views: [(view: InstalledView, at: Timestamp)]
    ) {
        self.lineage = lineage
        self.view = view
        self.version = version
        self.members = members
        self.views = views
    }

    package static let blank = GroupPicture(
        lineage: .none, view: View(epoch: .none, members: []), version: .zero, members: [],
        views: [])
}
