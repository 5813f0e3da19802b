import ConclaveBase
import ConclaveWire

/// What is asked of objects and their claims.
extension ClaimTable {
    func claimCount(of session: Int) -> Int {
        session < claimsBySession.count ? claimsBySession[session].byObject.count : 0
    }

    func heldCount(of session: Int) -> Int {
        session < claimsBySession.count ? claimsBySession[session].heldCount : 0
    }

    /// Of all sessions of the user whose session this is.
    func claimCount(ofUserOf session: Int) -> Int {
        session < claimsBySession.count ? usesByUser[claimsBySession[session].user].claimCount : 0
    }

    func claimCount(ofUser user: Int) -> Int {
        user < usesByUser.count ? usesByUser[user].claimCount : 0
    }

    /// Of values of all sessions of the user whose session this is.
    func valueByteCount(ofUserOf session: Int) -> Int {
        session < claimsBySession.count
            ? usesByUser[claimsBySession[session].user].valueByteCount : 0
    }

    func valueByteCount(ofUser user: Int) -> Int {
        user < usesByUser.count ? usesByUser[user].valueByteCount : 0
    }

    /// Of what the session announces, or will.
    func valueByteCount(of session: Int) -> Int {
        session < claimsBySession.count ? claimsBySession[session].valueByteCount : 0
    }

    /// By name.
    var sorted: [Int] { sorted(prefix: "") }

    /// The first `maximum` whose names begin with `prefix` and come after `after`, by name.
    func sorted(
        prefix: String, after: ObjectName? = nil, maximum: Int = .max
    ) -> [Int] {
        var found: [(name: ObjectName, object: Int)] = []
        func keepFirst() {
            found.sort { $0.name < $1.name }
            if found.count > maximum { found.removeLast(found.count - maximum) }
        }
        for index in objects.indexes {
            let name = objects[index].name
            guard name.text.utf8.starts(with: prefix.utf8), after.map({ $0 < name }) ?? true
            else { continue }
            found.append((name, index))
            // Not all need be sorted to know the first.
            if found.count / 4 > maximum { keepFirst() }
        }
        keepFirst()
        return found.map(\.object)
    }

    /// Whether a waiter that would share the object is kept from it by nobody.
    func isForSharing(_ object: ClaimedObject) -> Bool {
        object.upgrading == nil
            && [object.holders.first, object.reserved.first, object.queue.first].allSatisfy {
                $0.map { claims[$0].mode == .shared } ?? true
            }
    }

    func holders(of object: Int) -> [Int] { objects[object].holders.all(in: claims) }

    /// Those for whom it is kept, then the queue, then those that come to it later.
    func waiters(of object: Int) -> [Int] {
        objects[object].reserved.all(in: claims) + objects[object].queue.all(in: claims)
            + objects[object].coming.all(in: claims)
    }

    /// How many waiters are ahead of a waiting claim, at most: some may have left since.
    func position(of claim: Int) -> UInt32 {
        UInt32(clamping: objects[claims[claim].object].queue.position(of: claim, in: claims))
    }

    /// What the waiter that wants most of a semaphore's permits wants.
    func largestWish(for object: Int) -> UInt32 {
        waiters(of: object).map { claims[$0].permitCount }.max() ?? 0
    }
}
