import ConclaveBase
import ConclaveWire

/// The latches that somebody has counted down or waits for, each once.
struct LatchTable: Sendable {
    private(set) var rows = Arena<Latch>()
    private var byName = RowIndex()
    private(set) var names = SortedNames()
    private var countsByUID: [UInt32: Int] = [:]

    var count: Int { rows.count }

    subscript(index: Int) -> Latch { rows[index] }

    @inline(__always)
    func index(of name: ObjectName) -> Int? { byName.find(name, in: rows) }

    func count(ofUID uid: UInt32) -> Int { countsByUID[uid] ?? 0 }

    /// - Precondition: there is none of that name.
    mutating func insert(_ latch: Latch) -> Int {
        let index = rows.insert(latch)
        byName.insert(latch.name, at: index, of: rows)
        names.insert(latch.name, index: index)
        countsByUID[latch.uid, default: 0] += 1
        return index
    }

    mutating func remove(_ index: Int) {
        let latch = rows.remove(index)
        byName.remove(latch.name, at: index)
        names.remove(latch.name)
        let count = count(ofUID: latch.uid) - 1
        countsByUID[latch.uid] = count > 0 ? count : nil
    }

    mutating func countDown(_ index: Int, at time: Timestamp) {
        rows[index].countDown(at: time)
    }

    mutating func takeWaiters(of index: Int) -> [Latch.Waiter] { rows[index].takeWaiters() }

    /// - Precondition: it is not open.
    mutating func wait(_ waiter: Latch.Waiter, at index: Int) {
        rows[index].wait(waiter)
    }

    /// They wait no more. The latch goes with them if it says nothing else.
    mutating func forgetWaiters(of index: Int, where isGone: (RequestReference) -> Bool) {
        rows[index].forget(where: isGone)
        if rows[index].isUnused { remove(index) }
    }

    /// Takes one of a snapshot, or more of its waiters, and returns which those are.
    mutating func take(
        _ reader: inout ByteReader, sessions: SessionTable, now: Moment
    ) throws(WireError) -> (latch: Int, waiters: [RequestReference]) {
        let name = try reader.name("latch")
        let known = index(of: name)
        try reader.offset(known.map { rows[$0].waiters.count } ?? 0)
        let index: Int
        if let known, !rows[known].waiters.isEmpty {
            index = known
        } else if known == nil {
            index = insert(try Latch(headOf: name, from: &reader, now: now))
        } else {
            throw .invalid(field: "latch", reason: "\(name) comes twice")
        }
        var waiters: [RequestReference] = []
        for _ in 0..<(try reader.count("waiters")) {
            let waiter = try Latch.Waiter(from: &reader, sessions: sessions)
            guard !rows[index].isOpen, waiter.since <= now.time else {
                throw .invalid(field: "waiter", reason: "of \(name) cannot be")
            }
            rows[index].wait(waiter)
            waiters.append(waiter.request)
        }
        guard !rows[index].isUnused else {
            throw .invalid(field: "latch", reason: "\(name) says nothing")
        }
        return (index, waiters)
    }
}
