import ConclaveBase
import ConclaveWire

/// The rows of a claim table at one version.
struct FrozenClaims: Sendable {
    let objects: Arena<ClaimedObject>
    let claims: Arena<Claim>
}

extension ClaimTable {
    var frozen: FrozenClaims { FrozenClaims(objects: objects.frozen, claims: claims.frozen) }

    /// Takes an object with its claims, or further claims of it, and returns the claims that wait.
    mutating func take(
        _ reader: inout ByteReader, sessions: SessionTable, now: Moment
    ) throws(WireError) -> [Int] {
        let name = try reader.name("name")
        let known = index(of: name)
        try reader.offset(known.map { objects[$0].holders.count + objects[$0].waiterCount } ?? 0)
        let object: Int
        if let known { object = known } else { object = try takeHead(name, &reader, now: now) }
        var waiting: [Int] = []
        let count = try reader.count("claims")
        guard count > 0 || (known == nil && objects[object].closure != nil) else {
            throw .invalid(field: "claims", reason: "\(name) has none")
        }
        for _ in 0..<count {
            let claim = try Claim(from: &reader, object: object, sessions: sessions)
            try check(claim)
            let index = restore(claim)
            if !claim.isHeld || claim.upgrade != nil { waiting.append(index) }
        }
        return waiting
    }

    private mutating func takeHead(
        _ name: ObjectName, _ reader: inout ByteReader, now: Moment
    ) throws(WireError) -> Int {
        let limit: UInt32? = try reader.optional("limit")
        if numbersPlaces, limit == nil || limit! > ClientLimits.leaderPlaces {
            throw .invalid(field: "limit", reason: "\(name) has no such number of places")
        }
        if limit == 0 { throw .invalid(field: "limit", reason: "must not be 0") }
        let previousEnd: PreviousEnd = try reader.choice("previous end")
        let previousValue = try reader.bytes(
            "previous value", maximum: ClientLimits.leaderValue)
        let closure = try reader.flag("closed") ? try Closure(from: &reader, now: now) : nil
        return restore(
            name, limit: limit, previousEnd: previousEnd, previousValue: previousValue,
            closure: closure, nextTicket: try reader.counter("next ticket"))
    }

    /// Takes the next of the ends that are remembered, the oldest first.
    mutating func takeEnd(_ reader: inout ByteReader, now: Moment) throws(WireError) {
        let entry = try RememberedEnds.Entry(from: &reader)
        guard entry.place.version <= now.version, ends.entries.count < maximumEndCount,
            ends.entries.last.map({ $0.place < entry.place }) ?? true
        else { throw .invalid(field: "lost at", reason: "\(entry.name) is out of its place") }
        let isHeld = index(of: entry.name).map { !objects[$0].holders.isEmpty } ?? false
        guard !isHeld, ends.end(of: entry.name) == nil else {
            throw .invalid(field: "name", reason: "\(entry.name) is held, or was lost twice")
        }
        restore(entry)
    }

    /// Refuses what the table itself never makes.
    private func check(_ claim: Claim) throws(WireError) {
        let object = objects[claim.object]
        guard self.claim(of: claim.request.session, on: claim.object) == nil else {
            throw .invalid(field: "session", reason: "has two claims on \(object.name)")
        }
        guard (claim.mode.permitCount == nil) == (object.limit == nil) else {
            throw .invalid(field: "mode", reason: "\(object.name) is another kind of lock")
        }
        try checkPlaceHeld(of: claim, in: object)
        let first = object.holders.first ?? object.reserved.first
        if claim.isHeld || claim.standing == .reserved, object.limit == nil, let first {
            guard claim.mode == .shared, claims[first].mode == .shared else {
                throw .invalid(field: "mode", reason: "\(object.name) has two holders")
            }
        }
        if claim.standing != nil, claim.isHeld || numbersPlaces {
            throw .invalid(field: "standing", reason: "\(object.name) is not waited for so")
        }
        if claim.upgrade != nil {
            guard claim.isHeld, claim.mode == .shared, object.upgrading == nil else {
                throw .invalid(field: "upgrade", reason: "\(object.name) is not to be had so")
            }
        }
        if !claim.isHeld { try checkPlace(of: claim, in: object) }
    }

    /// Leaders have the places that there are, each another one; nobody else has any.
    private func checkPlaceHeld(of claim: Claim, in object: ClaimedObject) throws(WireError) {
        guard claim.isHeld, numbersPlaces else {
            guard claim.place == 0, !numbersPlaces || claim.permitCount == 1 else {
                throw .invalid(field: "place", reason: "\(object.name) has no places to be had")
            }
            return
        }
        guard let limit = object.limit, claim.permitCount == 1, claim.place < limit,
            !object.holders.all(in: claims).contains(where: { claims[$0].place == claim.place })
        else {
            throw .invalid(field: "place", reason: "\(object.name) has none to be had so")
        }
    }

    /// Waiters come in their order, and each of them can be served.
    private func checkPlace(of claim: Claim, in object: ClaimedObject) throws(WireError) {
        guard claim.ticket < object.nextTicket else {
            throw .outOfRange(
                field: "ticket", value: claim.ticket, maximum: object.nextTicket)
        }
        let isQueued = claim.standing == nil || claim.standing == .queued
        if isQueued, let last = object.queue.last.map({ claims[$0] }) {
            guard (-Int64(last.priority), last.ticket) < (-Int64(claim.priority), claim.ticket)
            else {
                throw .invalid(field: "ticket", reason: "\(object.name) has waiters out of turn")
            }
        }
        if let limit = object.limit, claim.permitCount > limit {
            throw .outOfRange(
                field: "permits", value: UInt64(claim.permitCount), maximum: UInt64(limit))
        }
    }
}

extension ClaimedObject {
    /// What stands in front of its claims.
    func encodeHead(into writer: inout ByteWriter) {
        writer.optional(limit)
        writer.integer(previousEnd.rawValue)
        writer.bytes(previousValue)
        writer.flag(closure != nil)
        closure?.encode(into: &writer)
        writer.integer(nextTicket)
    }

    /// Holders, then waiters, each in their order.
    var firstClaim: Int? { holders.first ?? firstWaiter }

    func claim(after claim: Int, in claims: Arena<Claim>) -> Int? {
        if claims[claim].isHeld { return holders.claim(after: claim, in: claims) ?? firstWaiter }
        switch claims[claim].standing {
        case .reserved?: return reserved.claim(after: claim, in: claims) ?? firstUnreserved
        case .queued?, nil: return queue.claim(after: claim, in: claims) ?? coming.first
        case .coming?: return coming.claim(after: claim, in: claims)
        }
    }

    private var firstWaiter: Int? { reserved.first ?? firstUnreserved }

    private var firstUnreserved: Int? { queue.first ?? coming.first }
}

extension Closure {
    func encode(into writer: inout ByteWriter) {
        writer.integer(since.number)
        writer.integer(delay.nanoseconds)
    }

    init(from reader: inout ByteReader, now: Moment) throws(WireError) {
        since = try reader.version("closed since")
        guard since <= now.version else {
            throw .outOfRange(
                field: "closed since", value: since.number, maximum: now.version.number)
        }
        delay = try reader.lockDelay("closed for")
    }
}

extension Claim {
    func encode(into writer: inout ByteWriter, sessions: Arena<Session>) {
        writer.integer(sessions[request.session].id.number)
        writer.integer(request.number)
        mode.encode(into: &writer)
        writer.integer(priority)
        writer.integer(lockDelay.nanoseconds)
        writer.integer(task.number)
        writer.list(within) { $0.encode(into: &$1) }
        writer.integer(token.number)
        writer.integer(since.microseconds)
        writer.integer(ticket)
        writer.integer(standing?.rawValue ?? 0)
        writer.optional(upgrade)
        writer.integer(place)
        writer.bytes(value)
    }

    init(
        from reader: inout ByteReader, object: Int, sessions: SessionTable
    ) throws(WireError) {
        let session = try reader.sessionIndex("session", in: sessions)
        let number: UInt64 = try reader.integer("number")
        let mode = try LockMode(from: &reader)
        let priority: Int32 = try reader.integer("priority")
        let lockDelay = try reader.lockDelay("lock delay")
        let tag = try TaskTag(from: &reader)
        let task = TaskReference(session: sessions[session].id, number: tag.number)
        guard Set(tag.within).count == tag.within.count, !tag.within.contains(task) else {
            throw .invalid(field: "tasks around", reason: "one waits twice")
        }
        let token = try reader.token("token")
        let since = try reader.timestamp("since")
        let ticket: UInt64 = try reader.integer("ticket")
        let standing = try reader.standing("standing")
        let upgrade: UInt64? = try reader.optional("upgrade")
        guard upgrade != 0 else {
            throw .invalid(field: "upgrade", reason: "requests are numbered from 1 on")
        }
        let place: UInt32 = try reader.integer("place")
        self.init(
            request: RequestReference(session: session, number: number), object: object,
            mode: mode, priority: priority, lockDelay: lockDelay, task: task, within: tag.within,
            since: since,
            value: try reader.bytes("value", maximum: ClientLimits.leaderValue))
        self.token = token
        self.ticket = ticket
        self.standing = standing
        self.upgrade = upgrade
        self.place = place
    }
}

extension ClaimTable {
    /// The claims of requests for several objects fit together: what is reserved comes first, and one at
    /// most is queued for.
    func checkSets() throws(WireError) {
        for set in allSets {
            let standings = set.map { claims[$0].standing!.rawValue }
            let queued = standings.count { $0 == WaitingSet.Standing.queued.rawValue }
            let isComplete = standings.allSatisfy { $0 == WaitingSet.Standing.reserved.rawValue }
            guard set.count <= ClientLimits.lockSet, standings == standings.sorted(by: >),
                queued == 1 || isComplete
            else {
                let name = objects[claims[set[0]].object].name
                throw .invalid(field: "standing", reason: "of a request for \(name) and others")
            }
        }
    }
}

extension ByteReader {
    fileprivate mutating func standing(
        _ field: String
    ) throws(WireError) -> WaitingSet.Standing? {
        let number: UInt8 = try integer(field)
        guard number != 0 else { return nil }
        guard let standing = WaitingSet.Standing(rawValue: number) else {
            throw .unknown(field: field, value: UInt64(number))
        }
        return standing
    }
}
