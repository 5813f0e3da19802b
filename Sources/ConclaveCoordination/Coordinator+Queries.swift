package import ConclaveBase
package import ConclaveWire

extension Coordinator {
    package var sessionCount: Int { sessions.count }

    /// What sessions wait for, or have not confirmed, as their quotas count it, together. It goes
    /// through all of them.
    package var openRequestCount: Int {
        let rows = sessions.frozen
        var count = 0
        var next = rows.firstIndex(from: 0)
        while let index = next {
            count += rows[index].replies.openCount
            next = rows.firstIndex(from: index + 1)
        }
        return count
    }

    /// About how many rows a frozen copy has.
    package var rowCount: Int {
        2 * sessions.count + objectCount + ended.records.count + keys.log.count
            + locks.ends.entries.count + groups.desertedCount
            + groups.logCount + chronicle.rowCount(entriesPerRow: quotas.entriesPerRow)
    }

    package var objectCount: Int {
        locks.count + slots.count + barriers.count + keys.count + leases.count + groups.count
            + latches.count
    }

    /// Whether a session is still attached to that incarnation, so that its silence is carried on
    /// from view to view (V18).
    package func remembers(_ member: Member) -> Bool {
        sessions.count(attachedTo: member) > 0
    }

    /// Locks that nobody is granted until `Command.openLock`.
    package var closedLocks: [ClosedLock] { locks.closedLocks }

    package func isClosed(_ name: ObjectName, since: Version) -> Bool {
        locks.index(of: name).map { locks.objects[$0].closure?.since == since } ?? false
    }

    /// Leases that somebody has, in an order that a machine with the same history has, too.
    package var leaseTerms: [LeaseTerm] { leases.terms }

    /// `nil`: nobody has it.
    package func leaseTerm(_ name: ObjectName) -> LeaseTerm? {
        leases.index(of: name).map { leases.rows[$0].term }
    }

    /// Whether nothing was applied after `version`, so that what comes after it is new.
    package func canBe(at version: Version) -> Bool { self.version <= version }

    /// `nil`: never known, or over.
    package func sessionState(_ id: SessionID) -> SessionState? {
        sessions.index(of: id).map { SessionState(sessions[$0]) }
    }

    /// By id.
    package func sessions(attachedTo member: Member) -> [SessionState] {
        guard remembers(member) else { return [] }
        return sessionStates { $0.attachment.member == member }
    }

    /// Those that somebody must expire or resume in time, by id.
    package func sessionsOutsideView() -> [SessionState] {
        sessionStates { !view.contains($0.attachment.member) }
    }

    private func sessionStates(where isIncluded: (Session) -> Bool) -> [SessionState] {
        sessions.indexes(where: isIncluded).map { SessionState(sessions[$0]) }
    }

    /// Numbers of the requests that are applied and not answered, in order.
    package func waitingNumbers(of id: SessionID) -> [UInt64] {
        sessions.index(of: id).map { sessions[$0].replies.waiting.map(\.number) } ?? []
    }

    /// The largest number, up to `number`, of a request of the session that waits or whose reply
    /// is kept; `nil`: there is none.
    package func newestKept(upTo number: UInt64, of id: SessionID) -> UInt64? {
        sessions.index(of: id).flatMap { sessions[$0].replies.newestKept(upTo: number) }
    }

    /// Replies that the client has not confirmed, by number.
    package func storedReplies(of id: SessionID) -> [(number: UInt64, reply: Reply)] {
        guard let index = sessions.index(of: id) else {
            return ended.record(of: id)?.replies.map { ($0.number, $0.reply) } ?? []
        }
        return sessions[index].replies.answered.map { ($0.number, reply($0.reply)) }
    }

    /// Whether the request waits or its reply is kept, so that it need not be proposed again.
    package func keeps(_ number: UInt64, of id: SessionID) -> Bool {
        guard let index = sessions.index(of: id) else { return false }
        return switch sessions[index].replies.standing(of: number) {
        case .waiting, .answered: true
        case .unknown, .refused, .settled: false
        }
    }
}
