package import ConclaveBase

/// The processes that there are paths to, one for each machine, in the order of their NodeIDs. There are so
/// few that looking at one after the other costs less than a hash.
package struct Paths {
    private var members: [Member] = []

    package init() {}

    package var isEmpty: Bool { members.isEmpty }
    package var nodes: [NodeID] { members.map(\.node) }

    package subscript(node: NodeID) -> Member? {
        get { members.first { $0.node == node } }
        set {
            members.removeAll { $0.node == node }
            guard let newValue else { return }
            let place = members.firstIndex { $0.node > node } ?? members.count
            members.insert(newValue, at: place)
        }
    }
}
