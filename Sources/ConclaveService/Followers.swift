import ConclaveBase

/// Who follows something, and how far each is in being told of it.
///
/// A follower has a place in what is kept, and nothing else: what it is to be told is read from there
/// when its connection takes it. So one that does not read costs nobody anything.
struct Followers<Subject: Sendable, Place: Equatable & Sendable>: Sendable {
    struct Follower: Sendable {
        let subject: Subject
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
    /// Those that may have something to be told.
    var line = TurnLine()

    func count(of connection: ConnectionID) -> Int { numbers[connection]?.count ?? 0 }

    func count(ofUID uid: UInt32) -> Int { counts[uid] ?? 0 }

    subscript(id: ID) -> Follower? { followers[id] }

    var ids: [ID] { followers.keys.sorted() }

    func ids(of connection: ConnectionID) -> [ID] {
        (numbers[connection] ?? []).sorted().map { ID(connection: connection, number: $0) }
    }

    /// `nil`: whoever had this place in the line is gone.
    private func follower(at place: TurnLine.Place) -> Follower? {
        followers[place.id].flatMap { $0.serial == place.serial ? $0 : nil }
    }

    /// - Precondition: there is none of that id.
    mutating func add(_ id: ID, _ subject: Subject, at place: Place, uid: UInt32) {
        lastSerial += 1
        followers[id] = Follower(subject: subject, place: place, uid: uid, serial: lastSerial)
        numbers[id.connection, default: []].insert(id.number)
        counts[uid, default: 0] += 1
        line.append(TurnLine.Place(id: id, serial: lastSerial))
    }

    /// Returns what it was.
    mutating func remove(_ id: ID) -> Follower? {
        guard let follower = followers.removeValue(forKey: id) else { return nil }
        numbers[id.connection]?.remove(id.number)
        if numbers[id.connection]?.isEmpty == true { numbers[id.connection] = nil }
        let count = counts[follower.uid] ?? 0
        counts[follower.uid] = count > 1 ? count - 1 : nil
        if follower.isBehind { line.leave(id) }
        return follower
    }

    /// The next of the first `count` in the line whose connection takes something; those whose do not are
    /// passed over until they do. It is to be told something, and then `moved`.
    mutating func nextToTell(
        _ connections: [ConnectionID: Connection], of count: inout Int
    ) -> (id: ID, follower: Follower)? {
        while count > 0, let place = line.next() {
            count -= 1
            guard let follower = follower(at: place) else { continue }
            if connections[place.id.connection]?.takesMore == true { return (place.id, follower) }
            line.park(place)
        }
        return nil
    }

    /// The follower was told what could be told, and is at `place` now; one that is still behind waits for
    /// its next turn.
    mutating func moved(_ id: ID, to place: Place, isBehind: Bool) {
        guard let follower = followers[id] else { return }
        followers[id]?.place = place
        followers[id]?.isAnswered = true
        followers[id]?.isBehind = isBehind
        if isBehind { line.append(TurnLine.Place(id: id, serial: follower.serial)) }
    }

    /// There may be something to tell it from `place` on.
    mutating func setBehind(_ id: ID, at place: Place) {
        guard let follower = followers[id] else { return }
        followers[id]?.place = place
        followers[id]?.isBehind = true
        line.append(TurnLine.Place(id: id, serial: follower.serial))
    }
}

extension Subscriptions.Subscriber: Comparable {
    static func < (lhs: Self, rhs: Self) -> Bool {
        (lhs.connection, lhs.number) < (rhs.connection, rhs.number)
    }
}
