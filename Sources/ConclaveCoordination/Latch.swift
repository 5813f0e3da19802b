import ConclaveBase
import ConclaveWire

/// Opens once it was counted down as often as its count says, and stays open. What was counted
/// belongs to no session.
struct Latch: NamedRow {
    struct Waiter: Sendable {
        var request: RequestReference
        var since: Timestamp
    }

    let name: ObjectName
    let count: UInt32
    /// Of the user whose process named it first.
    let uid: UInt32
    let since: Timestamp
    private(set) var remaining: UInt32
    /// Since when nothing remains.
    private(set) var opened: Timestamp?
    /// In the order in which they came; none once it is open.
    private(set) var waiters: [Waiter] = []

    init(name: ObjectName, count: UInt32, uid: UInt32, since: Timestamp) {
        self.name = name
        self.count = count
        self.uid = uid
        self.since = since
        remaining = count
    }

    var isOpen: Bool { remaining == 0 }

    /// It says nothing but its count.
    var isUnused: Bool { remaining == count && waiters.isEmpty }

    var state: LatchState { LatchState(name: name, count: count, remaining: remaining) }

    var report: LatchReport {
        LatchReport(
            state: state, uid: uid, since: since, opened: opened,
            waiterCount: UInt32(clamping: waiters.count))
    }

    /// Of an open one nothing is changed.
    mutating func countDown(at time: Timestamp) {
        guard remaining > 0 else { return }
        remaining -= 1
        if isOpen { opened = time }
    }

    mutating func takeWaiters() -> [Waiter] {
        defer { waiters = [] }
        return waiters
    }

    /// - Precondition: it is not open.
    mutating func wait(_ waiter: Waiter) {
        precondition(!isOpen, "latch \(name) is open")
        waiters.append(waiter)
    }

    mutating func forget(where isGone: (RequestReference) -> Bool) {
        waiters.removeAll { isGone($0.request) }
    }
}

extension Latch {
    func encodeHead(into writer: inout ByteWriter) {
        writer.integer(count)
        writer.integer(uid)
        writer.integer(since.microseconds)
        writer.integer(remaining)
        writer.optional(opened?.microseconds)
    }

    init(
        headOf name: ObjectName, from reader: inout ByteReader, now: Moment
    ) throws(WireError) {
        self.name = name
        count = try reader.latchCount("count")
        uid = try reader.integer("uid")
        since = try reader.timestamp("since")
        remaining = try reader.integer("remaining")
        opened = try reader.flag("open") ? try reader.timestamp("opened") : nil
        guard remaining <= count, (opened != nil) == (remaining == 0),
            since <= opened ?? since, opened ?? since <= now.time
        else { throw .invalid(field: "latch", reason: "\(name) contradicts itself") }
    }
}

extension Latch.Waiter {
    func encode(into writer: inout ByteWriter, sessions: Arena<Session>) {
        writer.integer(sessions[request.session].id.number)
        writer.integer(request.number)
        writer.integer(since.microseconds)
    }

    init(from reader: inout ByteReader, sessions: SessionTable) throws(WireError) {
        let session = try reader.sessionIndex("session", in: sessions)
        request = RequestReference(session: session, number: try reader.integer("number"))
        since = try reader.timestamp("since")
    }
}
