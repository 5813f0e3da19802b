import ConclaveBase
import ConclaveCoordination
import ConclaveWire

/// What the group's state machine must do, once more and in the plainest way: no indexes, no tables
/// that must agree with each other, nothing that is fast. Where it and `Coordinator` differ, one of
/// the two is wrong.
///
/// It knows what every request must be answered, when it waits and in which order it is served
/// (K9, K10, C5 to C7), and how sessions begin, move and end (K1, K2, K7). What people read is no
/// part of it: messages, and what is known of a barrier's missing parties.
struct Specification {
    let quotas: Quotas
    var version = Version.zero
    var time = Timestamp.zero
    var view = View(epoch: .none, members: [])
    var grantsAreSuspended = false
    var sessions: [SessionID: SpecifiedSession] = [:]
    var ended: [EndedSession] = []
    var queues: [ObjectKey: SpecifiedQueue] = [:]
    /// How locks were lost that nobody has or awaits any more, the oldest first.
    var lost: [(name: ObjectName, end: PreviousEnd)] = []
    /// Locks that may be gone when all is done that follows from a command.
    var deserted: [ObjectKey] = []
    var barriers: [ObjectName: SpecifiedBarrier] = [:]
    var keys = SpecifiedKeys()
    var leases: [ObjectName: SpecifiedLease] = [:]
    var latches: [ObjectName: SpecifiedLatch] = [:]
    /// Those with members, and those that were left not long ago.
    var groups: [ObjectName: SpecifiedGroup] = [:]
    /// Of groups that are not there everything after this version is known: nothing happened.
    var forgottenGroups = Version.zero
    /// What happened, as far as it is kept.
    var past = SpecifiedPast()
    /// What happened meanwhile.
    var happened: [(key: SpecifiedPast.Key, entry: HistoryEntry)] = []
    /// What follows from what is being applied.
    var effects: [CoordinationEffect] = []
    /// Objects whose holders or waiters may have changed meanwhile.
    var touched: Set<ObjectKey> = []
    /// Changes of keys meanwhile.
    var changedKeys: [SpecifiedKeys.Change] = []
    /// Leases are not as they were before that.
    var leasesHaveChanged = false
    var latchesHaveChanged = false
    /// What became of task groups meanwhile.
    var changedGroups: [(name: ObjectName, picture: GroupPictures.Picture)] = []

    struct EndedSession {
        var id: SessionID
        var clientID: Secret
        var endedAt: Timestamp
        var replies: [UInt64: Reply]
        let byteCount: Int

        init(
            id: SessionID, clientID: Secret, endedAt: Timestamp, replies: [UInt64: Reply]
        ) {
            self.id = id
            self.clientID = clientID
            self.endedAt = endedAt
            self.replies = replies
            byteCount = replies.values.reduce(0) { $0 + $1.keptByteCount }
        }
    }

    init(quotas: Quotas) {
        self.quotas = quotas
    }

    /// Takes one command, in order, and returns what must follow from it.
    mutating func apply(
        _ command: Command?, at version: Version, time: Timestamp
    ) -> [CoordinationEffect] {
        self.version = version
        begin(time)
        switch command {
        case .open(let open)?: self.open(open)
        case .resume(let resume)?: self.resume(resume)
        case .request(let session, let number, let confirmed, let operation)?:
            request(of: session, number: number, confirmed: confirmed, operation)
        case .confirm(let session, let number)?: confirm(session, upTo: number)
        case .end(let session, let attachment, let reason)?:
            guard sessions[session]?.attachment.number == attachment else { break }
            if reason == .goodbye { finish(session, reason) } else { passOn(session, reason) }
        case .expire(let session, let attachment, let epoch)?:
            expire(session, attachment: attachment, epoch: epoch)
        case .yieldAttachment(let session, let attachment)?:
            guard sessions[session]?.attachment.number == attachment else { break }
            passOn(session, .expired)
        case .openGrants(let epoch)?: openGrants(epoch: epoch)
        case .openLock(let name, let since)?: open(name, since: since)
        case .expireLease(let name, let renewed)?: expireLease(name, renewed: renewed)
        case nil: effects.append(.notUnderstood(at: version))
        }
        removeDeserted()
        return effects
    }

    mutating func install(_ installed: InstalledView, time: Timestamp) -> [CoordinationEffect] {
        begin(time)
        view = installed.view
        if installed.stateWasLost { past.forgetAll(at: version, time) }
        if installed.stateWasLost || installed.historyWasGivenUp { grantsAreSuspended = true }
        if installed.historyWasGivenUp {
            for id in sessions.keys.sorted() { finish(id, .expired) }
            for name in leases.keys.sorted() { endLease(name, .givenUp) }
        }
        if installed.stateWasLost || installed.historyWasGivenUp {
            keys.forgetHistory(at: version)
            forgetGroupHistory()
        }
        for id in sessions.keys.sorted() {
            guard let session = sessions[id], session.takeover != nil || session.isForced
            else { continue }
            if let takeover = session.takeover, !view.contains(takeover.member) {
                sessions[id]!.takeover = nil
            } else {
                requestDetach(id)
            }
        }
        removeDeserted()
        return effects
    }

    private mutating func removeDeserted() {
        for key in deserted { removeIfUnused(key) }
        deserted = []
    }

    private mutating func begin(_ time: Timestamp) {
        self.time = max(self.time, time)
        effects = []
        touched = []
        changedKeys = []
        leasesHaveChanged = false
        latchesHaveChanged = false
        changedGroups = []
        happened = []
        let keep = UInt64(clamping: quotas.endedFor.nanoseconds / 1_000)
        while let first = ended.first {
            let age = self.time.microseconds - first.endedAt.microseconds
            let replyCount = ended.reduce(0) { $0 + $1.replies.count }
            let byteCount = ended.reduce(0) { $0 + $1.byteCount }
            guard
                age >= keep || ended.count > quotas.ended || replyCount > quotas.endedReplies
                    || byteCount > quotas.endedReplyByteCount
            else { break }
            ended.removeFirst()
        }
    }

    private mutating func openGrants(epoch: Epoch) {
        guard epoch == view.epoch, grantsAreSuspended else { return }
        grantsAreSuspended = false
        for key in queues.keys.sorted() { grantNext(key) }
    }

    var objectCount: Int {
        queues.count + barriers.count + keys.values.count + leases.count + groupCount
            + latches.count
    }

    var groupCount: Int { groups.values.count { !$0.members.isEmpty } }

    /// Of task groups.
    var memberCount: Int { groups.values.reduce(0) { $0 + $1.members.count } }

    /// Values of leaders, candidates and keys, payloads that wait, and those of results somebody
    /// may still ask for.
    var valueByteCount: Int {
        let values = queues.values.reduce(keys.valueByteCount) { $0 + $1.valueByteCount }
        return barriers.values.reduce(values) { $0 + $1.payloadByteCount }
    }
}

/// Something that is awaited; a lock or a leader slot, in the order in which the machine goes through them.
struct ObjectKey: Hashable, Comparable {
    var kind: ObjectKind
    var name: ObjectName

    static func < (lhs: Self, rhs: Self) -> Bool {
        lhs.kind == rhs.kind ? lhs.name < rhs.name : lhs.kind.rawValue < rhs.kind.rawValue
    }
}
