import ConclaveBase
import ConclaveWire

/// Who follows task groups, and how far each is.
///
/// As with watchers of keys, a follower has a place in the group's log and nothing else. So one that
/// does not read costs nobody anything, and begins anew when the log has gone past its place.
struct GroupFollowers {
    enum Place: Equatable {
        /// The members at `version` are being told; up to `after` they were.
        case state(Version, after: FencingToken?, isResync: Bool)
        case entries(after: Version)
    }

    struct Follower {
        let follow: GroupFollow
        var place: Place
        let uid: UInt32
        let serial: UInt64
        /// The first piece of news is the reply to the request.
        var isAnswered = false
        /// There may be something to tell.
        var isBehind = true
    }

    typealias ID = Subscriptions.Subscriber

    private var followers: [ID: Follower] = [:]
    private var numbers: [ConnectionID: Set<UInt64>] = [:]
    private var counts: [UInt32: Int] = [:]
    private var lastSerial: UInt64 = 0
    /// Those that were told everything.
    private var idle: [ObjectName: Set<ID>] = [:]
    /// Those that may have something to be told.
    var line = TurnLine()

    func count(of connection: ConnectionID) -> Int { numbers[connection]?.count ?? 0 }

    func count(ofUID uid: UInt32) -> Int { counts[uid] ?? 0 }

    subscript(id: ID) -> Follower? { followers[id] }

    /// `nil`: whoever had this place in the line is gone.
    func follower(at place: TurnLine.Place) -> Follower? {
        followers[place.id].flatMap { $0.serial == place.serial ? $0 : nil }
    }

    mutating func add(_ id: ID, _ follow: GroupFollow, at place: Place, uid: UInt32) {
        remove(id)
        lastSerial += 1
        followers[id] = Follower(follow: follow, place: place, uid: uid, serial: lastSerial)
        numbers[id.connection, default: []].insert(id.number)
        counts[uid, default: 0] += 1
        line.append(TurnLine.Place(id: id, serial: lastSerial))
    }

    mutating func remove(_ id: ID) {
        guard let follower = followers.removeValue(forKey: id) else { return }
        numbers[id.connection]?.remove(id.number)
        if numbers[id.connection]?.isEmpty == true { numbers[id.connection] = nil }
        let count = counts[follower.uid] ?? 0
        counts[follower.uid] = count > 1 ? count - 1 : nil
        if follower.isBehind { line.leave(id) } else { forgetIdle(id, follower.follow.name) }
    }

    mutating func removeAll(of connection: ConnectionID) {
        line.closed(connection)
        for number in (numbers[connection] ?? []).sorted() {
            remove(ID(connection: connection, number: number))
        }
    }

    /// The follower, which was behind, has been told what could be told, and is at `place` now.
    mutating func moved(_ id: ID, to place: Place, isBehind: Bool) {
        guard let follower = followers[id] else { return }
        followers[id]?.place = place
        followers[id]?.isAnswered = true
        guard follower.isBehind, !isBehind else { return }
        followers[id]?.isBehind = false
        idle[follower.follow.name, default: []].insert(id)
    }

    /// Something happened to the group at `version`: who had been told everything before it knows all
    /// up to there.
    mutating func noteChange(of name: ObjectName, at version: Version) {
        for id in (idle[name] ?? []).sorted() {
            guard case .entries(let after)? = followers[id]?.place, after < version else {
                continue
            }
            followers[id]?.place = .entries(after: Version(version.number &- 1))
            setBehind(id)
        }
    }

    /// What had led to the state was not told: all look anew.
    mutating func noteEverything() {
        for id in followers.keys.sorted() where followers[id]?.isBehind == false {
            setBehind(id)
        }
    }

    private mutating func setBehind(_ id: ID) {
        guard let follower = followers[id] else { return }
        followers[id]?.isBehind = true
        forgetIdle(id, follower.follow.name)
        line.append(TurnLine.Place(id: id, serial: follower.serial))
    }

    private mutating func forgetIdle(_ id: ID, _ name: ObjectName) {
        idle[name]?.remove(id)
        if idle[name]?.isEmpty == true { idle[name] = nil }
    }
}
