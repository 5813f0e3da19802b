/// The machines that may be members of a group, as the group has agreed on them: part of every
/// view, and changed only together with one.
///
/// Entries are in the order of their ids, and no id is there twice.
package struct MemberList: Hashable, Sendable {
    package struct Entry: Hashable, Sendable {
        package var node: NodeID
        /// For the fabric alone: nobody else looks into it.
        package var address: [UInt8]

        package init(node: NodeID, address: [UInt8]) {
            self.node = node
            self.address = address
        }
    }

    package static let maximumCount = 16
    package static let maximumAddressByteCount = 255

    package private(set) var entries: [Entry]
    /// What was asked for as `minimumMembers`; 0: the majority of the list.
    package let givenMinimum: Int

    /// Of entries with one id the first counts.
    package init(_ entries: [Entry], givenMinimum: Int) {
        self.entries = []
        self.givenMinimum = givenMinimum
        self.entries.reserveCapacity(entries.count)
        var isInOrder = true
        for entry in entries where !contains(entry.node) {
            if let last = self.entries.last, last.node > entry.node { isInOrder = false }
            self.entries.append(entry)
        }
        if !isInOrder { self.entries.sort { $0.node < $1.node } }
    }

    package static let empty = MemberList([], givenMinimum: 0)

    package var nodes: [NodeID] { entries.map(\.node) }

    /// A view with fewer members serves nothing (V21).
    package var minimumMembers: Int {
        givenMinimum == 0 ? entries.count / 2 + 1 : givenMinimum
    }

    package func contains(_ node: NodeID) -> Bool {
        entries.contains { $0.node == node }
    }

    package func address(of node: NodeID) -> [UInt8]? {
        entries.first { $0.node == node }?.address
    }

    package func adding(_ entry: Entry) -> MemberList {
        guard !contains(entry.node) else { return self }
        return MemberList(entries + [entry], givenMinimum: givenMinimum)
    }

    package func removing(_ node: NodeID) -> MemberList {
        MemberList(entries.filter { $0.node != node }, givenMinimum: givenMinimum)
    }
}
