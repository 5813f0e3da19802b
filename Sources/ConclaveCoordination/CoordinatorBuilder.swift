import ConclaveBase
package import ConclaveWire

/// Makes a coordinator of the rows of a frozen one, as they come. What does not fit together is
/// refused, whatever the bytes are.
package struct CoordinatorBuilder: Sendable {
    private var coordinator: Coordinator
    private var newest: SnapshotRow?
    /// Requests that wait somewhere, by session: rows hold them once, in the queue they are in.
    private var waiting: [[Replies.Entry]] = []
    /// The replies read so far of the session whose rows these are.
    private var answered: (session: Int, entries: [Replies.Entry])?
    /// By session: its replies were read.
    private var isSettled: [Bool] = []
    private var settledCount = 0
    /// Its replies may go on in the next row.
    private var record: EndedSessions.Record?

    /// - Parameter machine: What it has that is no part of its state is the new one's too.
    package init(like machine: Coordinator) {
        coordinator = Coordinator(quotas: machine.quotas)
        coordinator.plant = machine.plant
        coordinator.witness = machine.witness
    }

    package mutating func take(_ row: ByteReader) throws(WireError) {
        var reader = row
        let kind: SnapshotRow = try reader.choice("row")
        try check(order: kind)
        switch kind {
        case .state: try takeState(&reader)
        case .session: try takeSession(&reader)
        case .lock:
            for claim in try coordinator.locks.take(
                &reader, sessions: coordinator.sessions, now: coordinator.now)
            {
                noteWaiting(claim)
            }
        case .slot:
            for claim in try coordinator.slots.take(
                &reader, sessions: coordinator.sessions, now: coordinator.now)
            {
                let waiter = coordinator.slots.claims[claim]
                guard waiter.upgrade == nil else {
                    throw .invalid(field: "upgrade", reason: "a leader slot is never shared")
                }
                note(waiter.request, in: .slot(claim: claim))
            }
            guard coordinator.slots.closed.isEmpty else {
                throw .invalid(field: "closed", reason: "a leader slot never is")
            }
        case .barrier: try coordinator.barriers.take(&reader)
        case .arrivals: try takeArrivals(&reader)
        case .decision: try coordinator.barriers.takeDecision(&reader)
        case .latch:
            let added = try coordinator.latches.take(
                &reader, sessions: coordinator.sessions, now: coordinator.now)
            for request in added.waiters { note(request, in: .latch(added.latch)) }
        case .replies: try takeReplies(&reader)
        case .ended: try takeEnded(&reader)
        case .keyFloor: try coordinator.keys.takeFloor(&reader, now: coordinator.now)
        case .key:
            try coordinator.keys.take(&reader, now: coordinator.now)
        case .end: try coordinator.locks.takeEnd(&reader, now: coordinator.now)
        case .lease: try coordinator.leases.take(&reader, now: coordinator.now)
        case .groupFloor: try coordinator.groups.takeFloor(&reader, now: coordinator.now)
        case .group: try coordinator.groups.take(&reader, now: coordinator.now)
        case .groupMembers:
            try coordinator.groups.takeMembers(
                &reader, sessions: coordinator.sessions, now: coordinator.now)
        case .groupLog: try coordinator.groups.takeLog(&reader, now: coordinator.now)
        case .historyFloor: try coordinator.chronicle.takeFloor(&reader, now: coordinator.now)
        case .history: try coordinator.chronicle.take(&reader, now: coordinator.now)
        }
        try reader.finish()
    }

    /// - Returns: The coordinator whose rows were taken, all of them.
    package mutating func finish() throws(WireError) -> Coordinator {
        guard newest != nil, settledCount == isSettled.count else {
            throw .invalid(field: "snapshot", reason: "ends before its end")
        }
        if let record { try append(record) }
        record = nil
        coordinator.barriers.releaseByDeciders()
        try coordinator.locks.checkSets()
        try coordinator.keys.restoreLog(sessions: coordinator.sessions)
        coordinator.groups.restoreDeserted()
        try coordinator.chronicle.restoreOrder()
        try coordinator.barriers.check(against: coordinator.groups)
        if coordinator.plant == .snapshotGrants { coordinator.grantsAreSuspended = false }
        return coordinator
    }

    /// A session is named by the version that opened it: no later one has that name.
    private func refuseIfLater(_ id: SessionID) throws(WireError) {
        guard id.number <= coordinator.version.number else {
            throw .outOfRange(
                field: "session", value: id.number, maximum: coordinator.version.number)
        }
    }

    /// A session lives or has ended, once.
    private func refuseIfKnown(_ id: SessionID, openedAs clientID: Secret) throws(WireError) {
        let isKnown =
            coordinator.sessions.index(of: id) != nil
            || coordinator.sessions.index(openedAs: clientID) != nil
            || coordinator.ended.record(of: id) != nil
            || coordinator.ended.contains(openedAs: clientID)
        if isKnown { throw .invalid(field: "session", reason: "\(id) comes twice") }
    }

    /// Rows refer to rows of the sections before.
    private mutating func check(order kind: SnapshotRow) throws(WireError) {
        guard (newest == nil) == (kind == .state), newest?.section ?? 0 <= kind.section else {
            throw .invalid(field: "row", reason: "\(kind) comes after \(newest.debugDescription)")
        }
        newest = kind
    }

    private mutating func takeState(_ reader: inout ByteReader) throws(WireError) {
        let format: UInt16 = try reader.integer("snapshot format")
        guard format == SnapshotRow.format else {
            throw .unknown(field: "snapshot format", value: UInt64(format))
        }
        coordinator.version = try reader.version("version")
        coordinator.time = try reader.timestamp("time")
        coordinator.view = try reader.view("view")
        coordinator.grantsAreSuspended = try reader.flag("grants are suspended")
    }

    private mutating func takeSession(_ reader: inout ByteReader) throws(WireError) {
        let session = try Session(from: &reader)
        try refuseIfLater(session.id)
        try refuseIfKnown(session.id, openedAs: session.clientID)
        _ = coordinator.insert(session)
        waiting.append([])
        isSettled.append(false)
    }

    private mutating func takeArrivals(_ reader: inout ByteReader) throws(WireError) {
        let added = try coordinator.barriers.takeArrivals(
            &reader, sessions: coordinator.sessions)
        for request in added.requests { note(request, in: .barrier(added.barrier)) }
    }

    /// Of a lock.
    private mutating func noteWaiting(_ claim: Int) {
        let waiter = coordinator.locks.claims[claim]
        if waiter.standing != nil {
            // Once for all of them.
            guard coordinator.locks.set(waiter.request).count == 1 else { return }
            return note(waiter.request, in: .lockSet(replyByteCount: 0))
        }
        guard let upgrade = waiter.upgrade else {
            return note(waiter.request, in: .lock(claim: claim))
        }
        let request = RequestReference(session: waiter.request.session, number: upgrade)
        note(request, in: .upgrade(claim: claim))
    }

    private mutating func note(_ request: RequestReference, in place: WaitingPlace) {
        waiting[request.session].append(
            Replies.Entry(number: request.number, state: .waiting(place)))
    }

    /// All locks are there: what a grant of several will take is known.
    private func waitingEntries(of session: Int) -> [Replies.Entry] {
        waiting[session].map { entry in
            guard case .waiting(.lockSet) = entry.state else { return entry }
            let request = RequestReference(session: session, number: entry.number)
            let byteCount = Reply.keptByteCount(
                ofGrants: coordinator.locks.set(request).map {
                    coordinator.locks.objectName(of: $0)
                })
            return Replies.Entry(
                number: entry.number, state: .waiting(.lockSet(replyByteCount: byteCount)))
        }
    }

    private mutating func takeReplies(_ reader: inout ByteReader) throws(WireError) {
        let session = try reader.sessionIndex("session", in: coordinator.sessions)
        let isNext = answered.map { $0.session == session } ?? !isSettled[session]
        guard isNext else {
            throw .invalid(field: "session", reason: "has replies in two places")
        }
        let confirmed: UInt64 = try reader.integer("confirmed")
        let newest: UInt64 = try reader.integer("newest")
        let refused: UInt64 = try reader.integer("refused")
        var entries = answered?.entries ?? waitingEntries(of: session)
        // Not beside the ones that grow: each row would copy all that came before.
        answered = nil
        waiting[session] = []
        for _ in 0..<(try reader.count("replies")) {
            entries.append(
                try Replies.Entry(answeredFrom: &reader, barriers: &coordinator.barriers))
        }
        guard try reader.flag("last") else {
            answered = (session, entries)
            return
        }
        coordinator.sessions[session].replies = try Replies(
            confirmed: confirmed, newest: newest, refused: refused, unsorted: entries)
        coordinator.sessions.countReplies(
            coordinator.sessions[session].replies.byteCount, of: session)
        isSettled[session] = true
        settledCount += 1
    }

    private mutating func takeEnded(_ reader: inout ByteReader) throws(WireError) {
        let id = try reader.session("session")
        try refuseIfLater(id)
        let clientID = try Secret(from: &reader)
        let endedAt = try reader.timestamp("ended at")
        var next = EndedSessions.Record(id: id, clientID: clientID, endedAt: endedAt, replies: [])
        if let record {
            if record.id == id { next = record } else { try append(record) }
            self.record = nil
        }
        try reader.offset(next.replies.count)
        for _ in 0..<(try reader.count("replies")) {
            next.replies.append(
                EndedSessions.StoredEntry(
                    number: try reader.integer("number"), reply: try Reply(from: &reader)))
        }
        record = next
    }

    private mutating func append(_ record: EndedSessions.Record) throws(WireError) {
        try refuseIfKnown(record.id, openedAs: record.clientID)
        coordinator.ended.append(record)
    }
}

extension SnapshotRow {
    /// The rows of a barrier stand together, and those of a group; latches come after barriers.
    fileprivate var section: UInt8 {
        switch self {
        case .barrier, .arrivals, .decision: SnapshotRow.barrier.rawValue
        case .latch: SnapshotRow.decision.rawValue
        case .group, .groupMembers, .groupLog: SnapshotRow.group.rawValue
        case .state, .session, .lock, .slot, .replies, .ended, .keyFloor, .key, .end, .lease,
            .groupFloor, .historyFloor, .history:
            rawValue
        }
    }
}
