import ConclaveBase
import ConclaveWire

/// Who follows task groups, and how far each is in the log of its group. One that the log has gone
/// past begins anew.
struct GroupFollowers {
    enum Place: Equatable {
        /// The members at `version` are being told; up to `after` they were.
        case state(Version, after: FencingToken?, isResync: Bool)
        case entries(after: Version)
    }

    typealias Table = Followers<GroupFollow, Place>
    typealias ID = Table.ID

    private(set) var table = Table()
    /// Those that were told everything, by group.
    private var idle: [ObjectName: Set<ID>] = [:]

    var line: TurnLine {
        get { table.line }
        _modify { yield &table.line }
    }

    mutating func add(_ id: ID, _ follow: GroupFollow, at place: Place, uid: UInt32) {
        remove(id)
        table.add(id, follow, at: place, uid: uid)
    }

    mutating func remove(_ id: ID) {
        guard let follower = table.remove(id), !follower.isBehind else { return }
        forgetIdle(id, follower.subject.name)
    }

    mutating func removeAll(of connection: ConnectionID) {
        line.closed(connection)
        for id in table.ids(of: connection) { remove(id) }
    }

    mutating func moved(_ id: ID, to place: Place, isBehind: Bool) {
        guard let follower = table[id] else { return }
        table.moved(id, to: place, isBehind: isBehind)
        if !isBehind { idle[follower.subject.name, default: []].insert(id) }
    }

    /// Something happened to the group at `version`: who had been told everything before it knows all
    /// up to there.
    mutating func noteChange(of name: ObjectName, at version: Version) {
        for id in (idle[name] ?? []).sorted() {
            guard case .entries(let after)? = table[id]?.place, after < version else { continue }
            setBehind(id, at: .entries(after: Version(version.number &- 1)))
        }
    }

    /// What had led to the state was not told: all look anew.
    mutating func noteEverything() {
        for id in table.ids {
            guard let follower = table[id], !follower.isBehind else { continue }
            setBehind(id, at: follower.place)
        }
    }

    private mutating func setBehind(_ id: ID, at place: Place) {
        guard let follower = table[id] else { return }
        forgetIdle(id, follower.subject.name)
        table.setBehind(id, at: place)
    }

    private mutating func forgetIdle(_ id: ID, _ name: ObjectName) {
        idle[name]?.remove(id)
        if idle[name]?.isEmpty == true { idle[name] = nil }
    }
}
