import ConclaveBase
import ConclaveWire

/// Named objects that are held and queued for: locks and semaphores, and leader slots, whose places
/// are permits that have numbers and carry values.
///
/// First come, first served: nobody is granted before an earlier claim of the same or a higher
/// priority on the same object, however few permits it wants, and a run of shared claims is granted
/// together. The token is the version that grants. It grows with
/// every exclusive grant of a name, since a name is granted exclusively at most once in one
/// version: a session has one claim on it, and one version ends one session. Shared holders, and
/// those of permits, that are granted together share their token; leaders that are elected together
/// differ in their places.
struct ClaimTable: Sendable {
    /// What one session has.
    struct SessionClaims {
        /// Its claim on each object.
        var byObject: [RowLink: RowLink] = [:]
        var heldCount = 0
        var valueByteCount = 0
        /// Whose it is: a place in `usesByUser`.
        var user = 0
    }

    /// What all sessions of one user have.
    struct Use {
        var claimCount = 0
        var valueByteCount = 0
    }

    private(set) var objects = Arena<ClaimedObject>()
    private(set) var claims = Arena<Claim>()
    /// Bytes of all values together.
    private(set) var valueByteCount = 0
    /// Of objects that are gone; of leader slots nothing is remembered.
    private(set) var ends = RememberedEnds()
    /// Of 32 bits: 8 bytes more, and every copy of the table is a call.
    private let endBound: Int32
    /// Each holder gets a place of its own: they are leader slots.
    let numbersPlaces: Bool
    private var byName = RowIndex()
    /// By session index.
    private(set) var claimsBySession: [SessionClaims] = []
    private(set) var usesByUser: [Use] = []
    private var waits = TaskWaits()
    /// The claims of each request that waits for several objects as one, by name.
    private var sets: [RequestReference: [Int]] = [:]
    /// Objects that are closed, in no order that may show.
    private(set) var closed: Set<Int> = []

    /// `maximumEndCount`: how many objects that are gone it remembers how their holders ended.
    init(maximumEndCount: Int, numbersPlaces: Bool = false) {
        endBound = Int32(clamping: maximumEndCount)
        self.numbersPlaces = numbersPlaces
    }

    var maximumEndCount: Int { Int(endBound) }

    var count: Int { objects.count }

    @inline(__always)
    func index(of name: ObjectName) -> Int? { byName.find(name, in: objects) }

    func claim(of session: Int, on object: Int) -> Int? {
        guard session < claimsBySession.count else { return nil }
        return claimsBySession[session].byObject[RowLink(object)]?.index
    }

    /// The claim of `session` that holds `name` under `token`.
    func held(_ name: ObjectName, by session: Int, under token: FencingToken) -> Int? {
        guard let object = index(of: name), let claim = claim(of: session, on: object),
            claims[claim].isHeld, claims[claim].token == token
        else { return nil }
        return claim
    }

    /// A session is that user's from now on, with what it has. Users have numbers without gaps.
    mutating func own(_ session: Int, by user: Int) {
        makePlace(for: session)
        while usesByUser.count <= user { usesByUser.append(Use()) }
        let (count, byteCount) = (claimCount(of: session), claimsBySession[session].valueByteCount)
        usesByUser[claimsBySession[session].user].claimCount -= count
        usesByUser[claimsBySession[session].user].valueByteCount -= byteCount
        usesByUser[user].claimCount += count
        usesByUser[user].valueByteCount += byteCount
        claimsBySession[session].user = user
    }

    private mutating func makePlace(for session: Int) {
        if usesByUser.isEmpty { usesByUser.append(Use()) }
        while claimsBySession.count <= session { claimsBySession.append(SessionClaims()) }
    }

    /// All claims of a session, in the order in which it asked for them.
    func claims(of session: Int) -> [Int] {
        guard session < claimsBySession.count else { return [] }
        // There may be many, and the whole group waits for it.
        return claimsBySession[session].byObject.values
            .compactMap(\.index)
            .map { (number: claims[$0].request.number, claim: $0) }
            .sorted { first, second in
                first.number == second.number
                    ? objectName(of: first.claim) < objectName(of: second.claim)
                    : first.number < second.number
            }
            .map(\.claim)
    }

    func objectName(of claim: Int) -> ObjectName { objects[claims[claim].object].name }

    /// Claims that wait on behalf of a task, by the sessions that made them and their requests.
    func waits(of task: TaskReference) -> [Int] {
        waits.claims(of: task).sorted { isBefore($0, $1) }
    }

    /// The first of `waits(of:)`.
    func firstWait(of task: TaskReference) -> Int? {
        waits.claims(of: task).min { isBefore($0, $1) }
    }

    private func isBefore(_ claim: Int, _ other: Int) -> Bool {
        let (left, right) = (claims[claim], claims[other])
        guard left.task.session == right.task.session else {
            return left.task.session < right.task.session
        }
        guard left.request.number == right.request.number else {
            return left.request.number < right.request.number
        }
        return objectName(of: claim) < objectName(of: other)
    }

    func waitCount(of task: TaskReference) -> Int { waits.count(of: task) }

    func isWaiting(_ task: TaskReference) -> Bool { waits.count(of: task) > 0 }

    /// Takes the object, or a place at the end of its queue. `isOpen`: grants are not suspended.
    mutating func claim(
        _ name: ObjectName, _ wish: Wish, isOpen: Bool, maximumWaiters: Int, at moment: Moment
    ) -> Outcome {
        let known = index(of: name)
        let limit = known.map { objects[$0].limit } ?? wish.mode.limit
        guard wish.mode.isOf(limit: limit) else { return .isOther(limit: limit) }
        let object = known ?? makeObject(name, limit: limit)
        if claim(of: wish.request.session, on: object) != nil { return .alreadyClaimed }
        if isOpen, isNext(wish.priority, for: object), admits(wish.mode, to: object) {
            let claim = makeClaim(wish, on: object, at: moment)
            hold(claim, at: moment)
            return .granted(claim: claim)
        }
        let refusal: Outcome? =
            if wish.isTry {
                .busy(holder: objects[object].holders.first)
            } else if objects[object].waiterCount >= maximumWaiters {
                .queueIsFull
            } else { nil }
        if let refusal {
            removeIfUnused(object, at: moment)
            return refusal
        }
        let claim = makeClaim(wish, on: object, at: moment)
        enqueue(claim)
        return .queued(claim: claim)
    }

    /// Gives up a holding or a place in the queue. Nobody is granted by it: see `grantNext`.
    mutating func remove(_ index: Int, end: PreviousEnd) {
        let object = claims[index].object
        if claims[index].isHeld {
            cancelUpgrade(of: index)
            objects[object].holders.remove(index, in: &claims)
        } else {
            stopWaiting(index)
        }
        let claim = claims.remove(index)
        if claim.isHeld {
            claimsBySession[claim.request.session].heldCount -= 1
            objects[object].permitCount -= UInt64(claim.permitCount)
            objects[object].previousEnd = end
            objects[object].previousValue = claim.value
        }
        claimsBySession[claim.request.session].byObject[RowLink(object)] = nil
        usesByUser[claimsBySession[claim.request.session].user].claimCount -= 1
        if !claim.value.isEmpty { countValue(-claim.value.count, of: claim.request.session) }
    }

    /// Grants an object to those whose turn it is: one exclusive claim, a run of shared ones, or as
    /// many as there are permits for. For those that wait for more it is reserved.
    mutating func grantNext(_ object: Int, at moment: Moment) -> [Int] {
        var granted: [Int] = []
        guard objects[object].upgrading == nil, objects[object].closure == nil else { return [] }
        while let next = objects[object].queue.first, admits(claims[next].mode, to: object) {
            dequeue(next)
            if claims[next].standing == nil { hold(next, at: moment) } else { reserve(next) }
            granted.append(next)
        }
        return granted
    }

    /// Grants an object to a waiter that it admits, whoever is before it.
    mutating func grant(_ claim: Int, at moment: Moment) {
        precondition(admits(claims[claim].mode, to: claims[claim].object))
        dequeue(claim)
        hold(claim, at: moment)
    }

    /// An object that nobody holds or awaits is gone.
    mutating func removeIfUnused(_ object: Int, at moment: Moment) {
        guard objects[object].isUnused else { return }
        let gone = objects.remove(object)
        byName.remove(gone.name, at: object)
        guard maximumEndCount > 0 else { return }
        ends.note(
            gone.previousEnd, of: gone.name, at: moment.version,
            maximumCount: maximumEndCount)
    }

    mutating func forgetEnd(of name: ObjectName) {
        ends.forget(name)
    }

    mutating func setValue(of claim: Int, to value: [UInt8]) {
        countValue(
            value.count - claims[claim].value.count, of: claims[claim].request.session)
        claims[claim].value = value
    }

    private mutating func countValue(_ growth: Int, of session: Int) {
        valueByteCount += growth
        claimsBySession[session].valueByteCount += growth
        usesByUser[claimsBySession[session].user].valueByteCount += growth
    }

    /// Takes a semaphore's new limit. Nobody is granted by it: see `grantNext`.
    mutating func setLimit(of object: Int, to limit: UInt32) {
        objects[object].limit = limit
    }

    mutating func setClosure(of object: Int, to closure: Closure?) {
        objects[object].closure = closure
        if closure == nil { closed.remove(object) } else { closed.insert(object) }
    }

    /// Whether a new claim comes before all that wait.
    private func isNext(_ priority: Int32, for object: Int) -> Bool {
        objects[object].upgrading == nil && objects[object].closure == nil
            && objects[object].queue.first.map { claims[$0].priority < priority } ?? true
    }

    private func admits(_ mode: LockMode, to object: Int) -> Bool {
        if let count = mode.permitCount, let limit = objects[object].limit {
            return objects[object].permitCount + UInt64(count) <= UInt64(limit)
        }
        return [objects[object].holders.first, objects[object].reserved.first].allSatisfy {
            $0.map { mode == .shared && claims[$0].mode == .shared } ?? true
        }
    }

    private mutating func hold(_ claim: Int, at moment: Moment) {
        ends.forget(objects[claims[claim].object].name)
        objects[claims[claim].object].permitCount += UInt64(claims[claim].permitCount)
        claims[claim].token = FencingToken(moment.version)
        claims[claim].since = moment.time
        if numbersPlaces { claims[claim].place = freePlace(of: claims[claim].object) }
        objects[claims[claim].object].holders.append(claim, in: &claims)
        claimsBySession[claims[claim].request.session].heldCount += 1
    }

    /// The lowest that nobody has.
    private func freePlace(of object: Int) -> UInt32 {
        let taken = Set(holders(of: object).map { claims[$0].place })
        var place: UInt32 = 0
        while taken.contains(place) { place += 1 }
        return place
    }

    /// For the simulator.
    mutating func setPlace(of claim: Int, to place: UInt32) {
        claims[claim].place = place
    }

    mutating func beginUpgrade(of claim: Int, by request: UInt64) {
        claims[claim].upgrade = request
        objects[claims[claim].object].upgrading = claim
        waits.add(claim, of: claims[claim])
    }

    /// It is held as before. Nobody is granted by it: see `grantNext`.
    mutating func cancelUpgrade(of claim: Int) {
        guard claims[claim].upgrade != nil else { return }
        claims[claim].upgrade = nil
        objects[claims[claim].object].upgrading = nil
        waits.remove(claim, of: claims[claim])
    }

    mutating func changeMode(of claim: Int, to mode: LockMode) {
        claims[claim].mode = mode
    }

    /// A grant of what is held already.
    mutating func renew(_ claim: Int, at moment: Moment) {
        claims[claim].token = FencingToken(moment.version)
        claims[claim].since = moment.time
    }

    private mutating func enqueue(_ claim: Int) {
        let object = claims[claim].object
        claims[claim].ticket = objects[object].nextTicket
        objects[object].nextTicket += 1
        append(claim)
    }

    private mutating func append(_ claim: Int) {
        objects[claims[claim].object].queue.append(claim, in: &claims)
        waits.add(claim, of: claims[claim])
    }

    private mutating func dequeue(_ claim: Int) {
        objects[claims[claim].object].queue.remove(claim, in: &claims)
        waits.remove(claim, of: claims[claim])
    }

    private mutating func makeObject(_ name: ObjectName, limit: UInt32?) -> Int {
        let object = objects.insert(ClaimedObject(name: name, limit: limit))
        if let end = ends.end(of: name) { objects[object].previousEnd = end }
        byName.insert(name, at: object, of: objects)
        return object
    }

    private mutating func reserve(_ claim: Int) {
        let object = claims[claim].object
        claims[claim].standing = .reserved
        objects[object].permitCount += UInt64(claims[claim].permitCount)
        objects[object].reservedPermitCount += UInt64(claims[claim].permitCount)
        objects[object].reserved.append(claim, in: &claims)
    }

    private mutating func unreserve(_ claim: Int) {
        let object = claims[claim].object
        objects[object].permitCount -= UInt64(claims[claim].permitCount)
        objects[object].reservedPermitCount -= UInt64(claims[claim].permitCount)
        objects[object].reserved.remove(claim, in: &claims)
    }

    private mutating func stopWaiting(_ claim: Int) {
        switch claims[claim].standing {
        case .coming?: objects[claims[claim].object].coming.remove(claim, in: &claims)
        case .reserved?: unreserve(claim)
        case .queued?, nil: dequeue(claim)
        }
        guard claims[claim].standing != nil else { return }
        let request = claims[claim].request
        sets[request]?.removeAll { $0 == claim }
        if sets[request]?.isEmpty == true { sets[request] = nil }
    }

    private mutating func makeClaim(_ wish: Wish, on object: Int, at moment: Moment) -> Int {
        add(
            Claim(
                request: wish.request, object: object, mode: wish.mode,
                priority: wish.priority, lockDelay: wish.lockDelay, task: wish.task,
                within: wish.within,
                since: moment.time, value: wish.value))
    }

    private mutating func add(_ claim: Claim) -> Int {
        let index = claims.insert(claim)
        makePlace(for: claim.request.session)
        claimsBySession[claim.request.session].byObject[RowLink(claim.object)] = RowLink(index)
        usesByUser[claimsBySession[claim.request.session].user].claimCount += 1
        if !claim.value.isEmpty { countValue(claim.value.count, of: claim.request.session) }
        return index
    }
}

extension ClaimTable {
    /// Puts back an object as it was, from a snapshot: `holders` and `waiters` in their order.
    ///
    /// - Precondition: no object has that name, and no session two claims on it.
    mutating func restore(
        _ name: ObjectName, limit: UInt32?, previousEnd: PreviousEnd, previousValue: [UInt8],
        closure: Closure?, nextTicket: UInt64
    ) -> Int {
        let object = makeObject(name, limit: limit)
        objects[object].previousEnd = previousEnd
        objects[object].previousValue = previousValue
        setClosure(of: object, to: closure)
        objects[object].nextTicket = nextTicket
        return object
    }

    /// - Precondition: it comes after all that were restored, and its name is not among them.
    mutating func restore(_ end: RememberedEnds.Entry) {
        ends.append(end)
    }

    mutating func restore(_ claim: Claim) -> Int {
        let index = add(claim)
        if claim.isHeld {
            objects[claim.object].holders.append(index, in: &claims)
            claimsBySession[claim.request.session].heldCount += 1
            objects[claim.object].permitCount += UInt64(claim.permitCount)
            if let request = claim.upgrade { beginUpgrade(of: index, by: request) }
            return index
        }
        switch claim.standing {
        case .coming?: objects[claim.object].coming.append(index, in: &claims)
        case .reserved?: reserve(index)
        case .queued?, nil: append(index)
        }
        if claim.standing != nil { join(index) }
        return index
    }

    private mutating func join(_ claim: Int) {
        var set = sets[claims[claim].request] ?? []
        let name = objectName(of: claim)
        set.insert(claim, at: set.firstIndex { name < self.objectName(of: $0) } ?? set.endIndex)
        sets[claims[claim].request] = set
    }
}

/// Several objects that are asked for as one: see `Coordinator.acquireAll`.
extension ClaimTable {
    /// The claims of a request that waits for several objects, by name; none: it does not.
    func set(_ request: RequestReference) -> [Int] { sets[request] ?? [] }

    /// Of all such requests, in no order that may show.
    var allSets: [[Int]] { Array(sets.values) }

    /// Draws a ticket at each of the objects; it is in no queue yet.
    ///
    /// - Precondition: the session has no claim on any of them, and they are what the wishes take
    ///   them for.
    mutating func addSet(_ wishes: [(name: ObjectName, wish: Wish)], at moment: Moment) {
        for (name, wish) in wishes {
            let object = index(of: name) ?? makeObject(name, limit: wish.mode.limit)
            let claim = makeClaim(wish, on: object, at: moment)
            claims[claim].standing = .coming
            claims[claim].ticket = objects[object].nextTicket
            objects[object].nextTicket += 1
            objects[object].coming.append(claim, in: &claims)
            join(claim)
        }
    }

    /// Puts the request into the queue of the next object that it has to come to; `nil`: it has come to
    /// all. Nobody is granted by it: see `grantNext`.
    mutating func comeToNext(_ request: RequestReference) -> Int? {
        guard let claim = set(request).first(where: { claims[$0].standing == .coming }) else {
            return nil
        }
        objects[claims[claim].object].coming.remove(claim, in: &claims)
        claims[claim].standing = .queued
        objects[claims[claim].object].queue.insert(claim, in: &claims)
        waits.add(claim, of: claims[claim])
        return claim
    }

    /// Grants all that is reserved for the request, if that is all of it and none is closed, or would have
    /// given out more permits than there are. What is reserved for others does not count: they would wait
    /// for each other.
    mutating func grantSet(_ request: RequestReference, at moment: Moment) -> [Int]? {
        let set = set(request)
        // It comes to the last one last.
        guard let last = set.last, claims[last].standing == .reserved,
            set.allSatisfy({ claims[$0].standing == .reserved && mayHold($0) })
        else { return nil }
        sets[request] = nil
        for claim in set {
            unreserve(claim)
            claims[claim].standing = nil
            hold(claim, at: moment)
        }
        return set
    }

    private func mayHold(_ claim: Int) -> Bool {
        let object = objects[claims[claim].object]
        guard object.closure == nil, let limit = object.limit else { return object.closure == nil }
        let held = object.permitCount - object.reservedPermitCount
        return held + UInt64(claims[claim].permitCount) <= UInt64(limit)
    }

    /// Whether what is reserved of an object waits for nothing but the rest of what is asked for with it: it
    /// is not closed, and has given out no more permits than there are.
    func isOpen(_ object: Int) -> Bool {
        objects[object].closure == nil
            && objects[object].limit.map { objects[object].permitCount <= UInt64($0) } ?? true
    }

    /// Whether nobody keeps a request from having an object now.
    func isFree(_ name: ObjectName, for wish: Wish) -> Bool {
        guard let object = index(of: name) else { return true }
        return isNext(wish.priority, for: object) && admits(wish.mode, to: object)
    }
}
