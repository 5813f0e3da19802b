import ConclaveBase
import ConclaveCoordination
import ConclaveWire

/// A request for several locks as one.
struct SpecifiedSet {
    let session: SessionID
    let number: UInt64

    init(session: SessionID, number: UInt64) {
        self.session = session
        self.number = number
    }

    init(_ claim: SpecifiedQueue.Claim) {
        self.init(session: claim.session, number: claim.number)
    }
}

/// It comes to its locks by their names, one after the other; those it could have are kept for it, and when
/// that is all of them it is granted all.
extension Specification {
    mutating func acquireAll(_ set: LockSet, _ id: SessionID, _ number: UInt64) {
        let keys = set.names.map { ObjectKey(kind: .lock, name: $0) }
        let newCount = keys.count { queues[$0] == nil }
        guard objectCount + newCount <= quotas.objects, hasRoomForClaim(of: id, count: keys.count)
        else { return refuse(id, number, .quotaExceeded) }
        var isFree = true
        var holder: SessionID?
        for (key, part) in zip(keys, set.parts) {
            let queue = queues[key] ?? newQueue(key, limit: part.mode.limit)
            guard queue.isMeant(by: part.mode) else { return refuse(id, number, .invalid) }
            if queue.request(of: id) != nil { return refuse(id, number, .alreadyHeld) }
            guard queue.all.count < quotas.waitersPerObject else {
                return refuse(id, number, .quotaExceeded)
            }
            if isFree, !queue.isNext(set.priority) || !queue.admits(part.mode) {
                isFree = false
                holder = queue.holders.first?.session
            }
        }
        if set.isTry, grantsAreSuspended { return refuse(id, number, .unavailable) }
        if set.isTry, !isFree { return answer(id, number, .busy(holder: holder)) }
        for (key, part) in zip(keys, set.parts) {
            var claim = claim(
                id, number, part.mode, set.priority, set.task, lockDelay: set.lockDelay)
            claim.isOfSet = true
            touched.insert(key)
            queues[key] = queues[key] ?? newQueue(key, limit: part.mode.limit)
            queues[key]!.coming.append(claim)
        }
        let all = SpecifiedSet(session: id, number: number)
        if grantsAreSuspended { _ = comeToNext(all) } else { advance([all]) }
        guard !self.keys(of: all).isEmpty else { return }
        wait(id, number, in: keys[0])
    }

    mutating func releaseAll(
        _ names: [ObjectName], _ token: FencingToken, _ id: SessionID, _ number: UInt64
    ) {
        let keys = names.map { ObjectKey(kind: .lock, name: $0) }
        guard keys.allSatisfy({ queues[$0]?.holds(id, under: token) == true }) else {
            return refuse(id, number, .notHeld)
        }
        answer(id, number, .done)
        for key in keys {
            guard let upgrade = queues[key]!.upgrade, upgrade.session == id else { continue }
            queues[key]!.upgrade = nil
            refuse(id, upgrade.number, .notHeld)
        }
        leave(keys, id, .released)
    }

    /// Those that a request for several waits for, by name; none: it is no such request.
    func keys(of set: SpecifiedSet) -> [ObjectKey] {
        queues.filter { _, queue in queue.all.contains { $0.isOfSet && $0.isPart(of: set) } }
            .keys.sorted()
    }

    /// What the grant of all will take; 0: it is no such request.
    func setByteCount(_ set: SpecifiedSet, at first: ObjectKey) -> Int {
        guard queues[first]?.all.contains(where: { $0.isOfSet && $0.isPart(of: set) }) == true
        else { return 0 }
        return Reply.keptByteCount(ofGrants: keys(of: set).map(\.name))
    }

    mutating func advance(_ sets: [SpecifiedSet]) {
        var sets = sets
        while !sets.isEmpty {
            let set = sets.removeFirst()
            guard let key = comeToNext(set) else {
                grantSet(set)
                continue
            }
            var isGranted = false
            sets += serve(key, &isGranted)
            guard let claim = queues[key]!.waiters.first(where: { $0.isPart(of: set) }),
                closesCycle(claim, in: key)
            else { continue }
            let keys = keys(of: set)
            for key in keys {
                queues[key]!.removeWaiters(of: set.session)
                touched.insert(key)
            }
            for key in keys { sets += serve(key, &isGranted) }
            deserted += keys
            refuse(set.session, set.number, .deadlock)
        }
    }

    private mutating func comeToNext(_ set: SpecifiedSet) -> ObjectKey? {
        let next = keys(of: set).first { key in
            queues[key]!.coming.contains { $0.isPart(of: set) }
        }
        guard let next,
            let place = queues[next]!.coming.firstIndex(where: { $0.isPart(of: set) })
        else { return nil }
        let claim = queues[next]!.coming.remove(at: place)
        queues[next]!.wait(claim)
        touched.insert(next)
        return next
    }

    /// All of it, if all is kept for it and nothing of that is closed, or has given out too much.
    mutating func grantSet(_ set: SpecifiedSet) {
        let keys = keys(of: set)
        let isComplete = keys.allSatisfy { key in
            let queue = queues[key]!
            guard let own = queue.reserved.first(where: { $0.isPart(of: set) }) else {
                return false
            }
            let count = queue.holders.reduce(own.mode.permitCount ?? 0) {
                $0 + ($1.mode.permitCount ?? 0)
            }
            return queue.closure == nil && count <= queue.limit ?? .max
        }
        guard !keys.isEmpty, isComplete else { return }
        var grants: [LockGrant] = []
        for key in keys {
            let place = queues[key]!.reserved.firstIndex { $0.isPart(of: set) }!
            let claim = take(queues[key]!.reserved.remove(at: place), key)
            grants.append(grant(claim, key))
        }
        answer(set.session, set.number, .grantedAll(grants))
    }
}

extension SpecifiedQueue.Claim {
    fileprivate func isPart(of set: SpecifiedSet) -> Bool {
        session == set.session && number == set.number
    }
}
