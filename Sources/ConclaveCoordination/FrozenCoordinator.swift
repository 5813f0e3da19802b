import ConclaveBase
package import ConclaveWire
import DequeModule

/// A coordinator's state at one version, to be told row by row.
///
/// It shares its rows with the coordinator it was made of, which copies a chunk of them when it
/// changes one. Each row is small, whatever the size of the state, and says what it belongs to: so
/// equal states have the same rows. Their order is that of the indexes, which replicas need not
/// agree on; it is the same order again for a state that was made of these rows.
package struct FrozenCoordinator: Sendable {
    private enum Section: Int {
        case state, sessions, locks, slots, barriers, latches, replies, ended, keyFloor, keys, ends
        case leases, groups, historyFloor, history, over
    }

    private let version: Version
    private let time: Timestamp
    private let view: View
    private let grantsAreSuspended: Bool
    private let sessions: Arena<Session>
    private let locks: FrozenClaims
    private let slots: FrozenClaims
    private let barriers: Arena<Barrier>
    private let latches: Arena<Latch>
    private let ended: EndedSessions.Records
    private let keys: FrozenKeys
    private let ends: Deque<RememberedEnds.Entry>
    private let leases: Arena<Lease>
    private var groups: FrozenGroups
    private let chronicle: FrozenChronicle
    private let entriesPerRow: Int

    private var section = Section.state
    /// Where the next row of the section is looked for.
    private var place = 0
    /// How many entries of the list at `place` are told.
    private var told = 0
    private var nextClaim: Int?
    private var nextEntry: Int?
    private var barrierPart = BarrierPart.head

    private enum BarrierPart {
        case head, arrivals, decisions
    }

    init(_ coordinator: Coordinator) {
        version = coordinator.version
        time = coordinator.time
        view = coordinator.view
        grantsAreSuspended = coordinator.grantsAreSuspended
        sessions = coordinator.sessions.frozen
        locks = coordinator.locks.frozen
        slots = coordinator.slots.frozen
        barriers = coordinator.barriers.frozen
        latches = coordinator.latches.rows.frozen
        ended = coordinator.ended.records
        keys = coordinator.keys.frozen
        ends = coordinator.locks.ends.entries
        leases = coordinator.leases.rows.frozen
        groups = FrozenGroups(coordinator.groups)
        chronicle = coordinator.chronicle.frozen
        entriesPerRow = coordinator.quotas.entriesPerRow
    }

    /// Appends the next row; false if there was none left.
    package mutating func encodeRow(into writer: inout ByteWriter) -> Bool {
        while section != .over {
            if encodeRowOfSection(into: &writer) { return true }
            section = Section(rawValue: section.rawValue + 1) ?? .over
            place = 0
        }
        return false
    }

    private mutating func encodeRowOfSection(into writer: inout ByteWriter) -> Bool {
        switch section {
        case .state: encodeState(into: &writer)
        case .sessions: encodeSession(into: &writer)
        case .locks: encodeClaims(of: locks, as: .lock, into: &writer)
        case .slots: encodeClaims(of: slots, as: .slot, into: &writer)
        case .barriers: encodeBarrier(into: &writer)
        case .latches: encodeLatch(into: &writer)
        case .replies: encodeReplies(into: &writer)
        case .ended: encodeEnded(into: &writer)
        case .keyFloor: encodeKeyFloor(into: &writer)
        case .keys: encodeKey(into: &writer)
        case .ends: encodeEnd(into: &writer)
        case .leases: encodeLease(into: &writer)
        case .groups: groups.encodeRow(into: &writer, limit: entriesPerRow)
        case .historyFloor: encodeHistoryFloor(into: &writer)
        case .history: encodeHistory(into: &writer)
        case .over: false
        }
    }

    private mutating func encodeState(into writer: inout ByteWriter) -> Bool {
        guard place == 0 else { return false }
        place = 1
        writer.integer(SnapshotRow.state.rawValue)
        writer.integer(SnapshotRow.format)
        writer.integer(version.number)
        writer.integer(time.microseconds)
        writer.view(view)
        writer.flag(grantsAreSuspended)
        return true
    }

    private mutating func encodeSession(into writer: inout ByteWriter) -> Bool {
        guard let index = sessions.firstIndex(from: place) else { return false }
        place = index + 1
        writer.integer(SnapshotRow.session.rawValue)
        sessions[index].encode(into: &writer)
        return true
    }

    /// An object with who holds it and who waits for it.
    private mutating func encodeClaims(
        of table: FrozenClaims, as row: SnapshotRow, into writer: inout ByteWriter
    ) -> Bool {
        guard let index = table.objects.firstIndex(from: place) else { return false }
        let object = table.objects[index]
        writer.integer(row.rawValue)
        writer.name(object.name)
        writer.integer(UInt32(told))
        if told == 0 {
            object.encodeHead(into: &writer)
            nextClaim = object.firstClaim
        }
        let (count, next) = writer.entries(from: nextClaim, limit: entriesPerRow) { claim, writer in
            table.claims[claim].encode(into: &writer, sessions: sessions)
            return object.claim(after: claim, in: table.claims)
        }
        nextClaim = next
        goOn(index, told: count, isMore: next != nil)
        return true
    }

    private mutating func goOn(_ index: Int, told count: Int, isMore: Bool) {
        place = isMore ? index : index + 1
        told = isMore ? told + count : 0
    }

    private mutating func encodeBarrier(into writer: inout ByteWriter) -> Bool {
        while let index = barriers.firstIndex(from: place) {
            place = index
            let barrier = barriers[index]
            switch barrierPart {
            case .head:
                writer.integer(SnapshotRow.barrier.rawValue)
                writer.name(barrier.name)
                writer.integer(barrier.uid)
                writer.integer(barrier.generation)
                barrierPart = .arrivals
                return true
            case .arrivals where told < barrier.arrivals.count:
                encodeArrivals(of: barrier, into: &writer)
                return true
            case .arrivals:
                barrierPart = .decisions
                told = 0
            case .decisions where told < barrier.decisions.count:
                writer.integer(SnapshotRow.decision.rawValue)
                writer.name(barrier.name)
                barrier.decisions[told].encode(into: &writer)
                told += 1
                return true
            case .decisions:
                barrierPart = .head
                goOn(index, told: 0, isMore: false)
            }
        }
        return false
    }

    private mutating func encodeArrivals(of barrier: Barrier, into writer: inout ByteWriter) {
        writer.integer(SnapshotRow.arrivals.rawValue)
        writer.name(barrier.name)
        writer.flag(barrier.group != nil)
        if let group = barrier.group {
            group.encode(into: &writer)
        } else {
            writer.integer(barrier.parties)
        }
        writer.integer(UInt32(told))
        let (count, _) = writer.entries(from: told, limit: entriesPerRow) { place, writer in
            barrier.arrivals[place].encode(into: &writer)
            return place + 1 < barrier.arrivals.count ? place + 1 : nil
        }
        told += count
    }

    /// A latch with who waits for it.
    private mutating func encodeLatch(into writer: inout ByteWriter) -> Bool {
        guard let index = latches.firstIndex(from: place) else { return false }
        let latch = latches[index]
        writer.integer(SnapshotRow.latch.rawValue)
        writer.name(latch.name)
        writer.integer(UInt32(told))
        if told == 0 { latch.encodeHead(into: &writer) }
        let first = told < latch.waiters.count ? told : nil
        let (count, next) = writer.entries(from: first, limit: entriesPerRow) { place, writer in
            latch.waiters[place].encode(into: &writer, sessions: sessions)
            return place + 1 < latch.waiters.count ? place + 1 : nil
        }
        goOn(index, told: count, isMore: next != nil)
        return true
    }

    /// Only what is answered: a waiting request is in the queue it waits in.
    private mutating func encodeReplies(into writer: inout ByteWriter) -> Bool {
        guard let index = sessions.firstIndex(from: place) else { return false }
        let replies = sessions[index].replies
        writer.integer(SnapshotRow.replies.rawValue)
        writer.integer(sessions[index].id.number)
        writer.integer(replies.confirmed)
        writer.integer(replies.newest)
        writer.integer(replies.refused)
        // Here entries that wait are counted as told, since they are passed as well.
        let first = replies.firstAnswered(from: told)
        let (_, next) = writer.entries(from: first, limit: entriesPerRow) { place, writer in
            replies.entries[place].encode(into: &writer, barriers: barriers)
            return replies.firstAnswered(from: place + 1)
        }
        writer.flag(next == nil)
        place = next == nil ? index + 1 : index
        told = next ?? 0
        return true
    }

    private mutating func encodeEnded(into writer: inout ByteWriter) -> Bool {
        guard place < ended.count else { return false }
        let record = ended[place]
        writer.integer(SnapshotRow.ended.rawValue)
        writer.integer(record.id.number)
        record.clientID.encode(into: &writer)
        writer.integer(record.endedAt.microseconds)
        writer.integer(UInt32(told))
        let first = told < record.replies.count ? told : nil
        let (count, next) = writer.entries(from: first, limit: entriesPerRow) { place, writer in
            writer.integer(record.replies[place].number)
            record.replies[place].reply.encode(into: &writer)
            return place + 1 < record.replies.count ? place + 1 : nil
        }
        goOn(place, told: count, isMore: next != nil)
        return true
    }

    private mutating func encodeKeyFloor(into writer: inout ByteWriter) -> Bool {
        guard place == 0 else { return false }
        place = 1
        writer.integer(SnapshotRow.keyFloor.rawValue)
        writer.integer(keys.floor.version.number)
        writer.integer(keys.floor.time.microseconds)
        return true
    }

    private mutating func encodeLease(into writer: inout ByteWriter) -> Bool {
        guard let index = leases.firstIndex(from: place) else { return false }
        place = index + 1
        writer.integer(SnapshotRow.lease.rawValue)
        leases[index].encode(into: &writer)
        return true
    }

    private mutating func encodeEnd(into writer: inout ByteWriter) -> Bool {
        guard place < ends.count else { return false }
        writer.integer(SnapshotRow.end.rawValue)
        ends[place].encode(into: &writer)
        place += 1
        return true
    }

    /// A key with what is kept of its past.
    private mutating func encodeKey(into writer: inout ByteWriter) -> Bool {
        guard let index = keys.rows.firstIndex(from: place) else { return false }
        let key = keys.rows[index]
        writer.integer(SnapshotRow.key.rawValue)
        writer.name(key.name)
        writer.integer(UInt32(told))
        let (count, next) = writer.entries(from: told, limit: entriesPerRow) { place, writer in
            key.revisions[place].encode(into: &writer)
            return place + 1 < key.revisions.count ? place + 1 : nil
        }
        goOn(index, told: count, isMore: next != nil)
        return true
    }

    private mutating func encodeHistoryFloor(into writer: inout ByteWriter) -> Bool {
        guard place == 0 else { return false }
        place = 1
        writer.integer(SnapshotRow.historyFloor.rawValue)
        chronicle.floor.encode(into: &writer)
        writer.integer(chronicle.nextOrdinal)
        return true
    }

    private mutating func encodeHistory(into writer: inout ByteWriter) -> Bool {
        guard let index = chronicle.objects.firstIndex(from: place) else { return false }
        writer.integer(SnapshotRow.history.rawValue)
        let (count, next) = chronicle.encode(
            index, from: nextEntry, told: told, limit: entriesPerRow, into: &writer)
        nextEntry = next
        goOn(index, told: count, isMore: next != nil)
        return true
    }
}
