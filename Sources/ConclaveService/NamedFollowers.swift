import ConclaveBase

/// Something that is followed by its name.
protocol Named {
    var name: ObjectName { get }
}

/// Who follows named things, and who of them was told everything, so that a change finds those.
struct NamedFollowers<Subject: Named & Sendable, Place: Equatable & Sendable>: Sendable {
    typealias Table = Followers<Subject, Place>
    typealias ID = Subscriptions.Subscriber

    private(set) var table = Table()
    private var idle: [ObjectName: Set<ID>] = [:]

    var line: TurnLine {
        get { table.line }
        _modify { yield &table.line }
    }

    mutating func add(_ id: ID, _ subject: Subject, at place: Place, uid: UInt32) {
        remove(id)
        table.add(id, subject, at: place, uid: uid)
    }

    mutating func remove(_ id: ID) {
        guard let follower = table.remove(id), !follower.isBehind else { return }
        forgetIdle(id, follower.subject.name)
    }

    mutating func removeAll(of connection: ConnectionID) {
        line.closed(connection)
        for id in table.ids(of: connection) { remove(id) }
    }

    mutating func nextToTell(
        _ connections: [ConnectionID: Connection], of count: inout Int
    ) -> (id: ID, follower: Table.Follower)? {
        table.nextToTell(connections, of: &count)
    }

    mutating func moved(_ id: ID, to place: Place, isBehind: Bool) {
        guard let follower = table[id] else { return }
        table.moved(id, to: place, isBehind: isBehind)
        if !isBehind { idle[follower.subject.name, default: []].insert(id) }
    }

    /// Those that were told everything about `name`.
    func told(of name: ObjectName) -> [ID] { (idle[name] ?? []).sorted() }

    /// What had led to the state was not told: all look anew.
    mutating func noteEverything() {
        for id in table.ids {
            guard let follower = table[id], !follower.isBehind else { continue }
            setBehind(id, at: follower.place)
        }
    }

    mutating func setBehind(_ id: ID, at place: Place) {
        guard let follower = table[id] else { return }
        forgetIdle(id, follower.subject.name)
        table.setBehind(id, at: place)
    }

    private mutating func forgetIdle(_ id: ID, _ name: ObjectName) {
        idle[name]?.remove(id)
        if idle[name]?.isEmpty == true { idle[name] = nil }
    }
}
