import ConclaveBase
import ConclaveGroup

/// Rank 0 teaches whoever asks, all at once: it is the one who will coordinate letting them in.
/// Every NodeID has a place of its own, so a learner that is never let in takes none from others.
extension Replica {
    private var isTeacher: Bool {
        guard let epoch, !epoch.isWedged else { return false }
        return epoch.own.index == 0
    }

    func asked(by member: Member, version: Version, lineage theirs: Lineage, now: Instant) {
        let isListed =
            membership.list.contains(member.node) || settings.plant == .strangerLetIn
        guard isListed, let epoch, !epoch.isWedged, !epoch.view.contains(member) else { return }
        guard isTeacher else {
            // Who teaches may be somebody whom the learner's old list does not name.
            if let current = membership.memory.current {
                send(.membership(.install(current)), to: member.node)
            }
            return
        }
        let isOnChain = theirs == lineage || version == .zero
        let number = isOnChain ? order.recent.number(after: version, applied: order.version) : nil
        let started = Teaching<Machine>(
            learner: member, id: random.next(), next: number ?? order.recent.end, now: now)
        if number == nil {
            // Learners of one state share it: what is frozen is copied only where it changes.
            guard let snapshot = order.snapshot() else { return }
            started.snapshot = snapshot
        }
        if let before = teachings.first(where: { $0.learner == member }) {
            started.startedAt = before.startedAt
        }
        teachings.removeAll { $0.learner.node == member.node }
        tell(event: .teaching(member.node, withSnapshot: number == nil))
        let header = started.snapshot?.header.bytes
        send(.transfer(.begin(id: started.id, snapshot: header)), to: member.node)
        teachings.append(started)
        keepForLearners()
    }

    private func keepForLearners() {
        var needed: UInt64?
        for teaching in teachings { needed = min(needed ?? .max, teaching.next) }
        order.keepRecent(from: needed)
    }

    /// Sends what there is room for; of a snapshot, one part a turn.
    func teach(now: Instant) {
        guard isTeaching else {
            if order.recent.needed != nil { keepForLearners() }
            return
        }
        let count = teachings.count
        var forgotten: [UInt64] = []
        for place in teachings.indices {
            let id = teachings[place].id
            let learner = teachings[place].learner.node
            if let due = teachings[place].partDue(among: count), due <= now,
                let part = teachings[place].nextSnapshotPart(
                    settings.snapshotPartByteCount, now: now)
            {
                send(.transfer(.snapshotPart(id: id, bytes: part)), to: learner)
                teachings[place].lastSent = now
            }
            while teachings[place].hasRoom(among: count), teachings[place].hasSentSnapshot {
                let (items, isKept) = teachings[place].nextItems(from: order.recent)
                if !isKept { forgotten.append(id) }
                if items.isEmpty { break }
                send(.transfer(.items(id: id, items)), to: learner)
                teachings[place].lastSent = now
            }
        }
        if !forgotten.isEmpty { teachings.removeAll { forgotten.contains($0.id) } }
        keepForLearners()
    }

    func tickTeaching(now: Instant) {
        guard isTeaching else { return }
        let mayTeach = isTeacher || (epoch?.isWedged ?? false)
        teachings.removeAll { teaching in
            let isGone = now.since(teaching.lastHeard) > settings.suspicion * 3
            let isDone = epoch?.view.contains(teaching.learner) ?? false
            return isGone || isDone || !mayTeach
        }
        for place in teachings.indices
        where now.since(teachings[place].lastSent) >= settings.heartbeat * 2 {
            teachings[place].lastSent = now
            send(
                .transfer(.items(id: teachings[place].id, [])),
                to: teachings[place].learner.node)
        }
        admitTheReady(now: now)
    }

    func learnerHasTaken(_ byteCount: UInt64, id: UInt64, now: Instant) {
        guard let place = teachings.firstIndex(where: { $0.id == id }) else { return }
        teachings[place].takenByteCount = min(byteCount, teachings[place].sentByteCount)
        teachings[place].lastHeard = now
    }

    func learnerIsReady(_ id: UInt64, version: Version, hears: [Member], now: Instant) {
        guard isTeacher, let place = teachings.firstIndex(where: { $0.id == id }),
            version <= order.version, isClose(teachings[place])
        else { return }
        // It may speak of the view before.
        guard view.members.allSatisfy({ $0 == settings.own || hears.contains($0) }),
            !mustShowThatItStays(teachings[place], now: now)
        else { return teachings[place].lastHeard = now }
        teachings[place].lastHeard = now
        teachings[place].isReady(at: now)
        run(.joinerReady(teachings[place].learner, hears: hears), now: now)
        admitTheReady(now: now)
    }

    /// Who dies at each start would end an epoch at each start, and one that serves alone could not go on
    /// without a second that dies: these are let in when they have lived for a while (V23).
    private func mustShowThatItStays(_ teaching: Teaching<Machine>, now: Instant) -> Bool {
        let isTrusted =
            view.quorum > 1 && !stays.areBrief(of: teaching.learner.node, now: now)
        return !isTrusted && now.since(teaching.startedAt) < settings.suspicion * 2
    }

    private func isClose(_ teaching: Teaching<Machine>) -> Bool {
        teaching.hasSentSnapshot && order.recent.end - min(teaching.next, order.recent.end) < 1_000
    }

    /// One view change lets in all who are ready; those who soon will be are waited for a little.
    private func admitTheReady(now: Instant) {
        guard isTeacher else { return }
        let ready = teachings.filter { now.since($0.readyAt) <= settings.suspicion }
        guard let first = ready.compactMap({ $0.readySince }).min() else { return }
        let isSomebodyNear = teachings.contains {
            now.since($0.readyAt) > settings.suspicion && isClose($0)
                && now.since($0.startedAt) < settings.suspicion * 6
        }
        if now.since(first) < patience(isSomebodyNear: isSomebodyNear, ready) { return }
        run(.admit, now: now)
    }

    /// For how long one that is ready waits for others. What has started together mostly comes together.
    private func patience(isSomebodyNear: Bool, _ ready: [Teaching<Machine>]) -> Interval {
        if isSomebodyNear || membership.joinersAreApart { return settings.suspicion }
        let isSomebodyAway = membership.list.entries.contains { entry in
            view.rank(of: entry.node) == nil && !ready.contains { $0.learner.node == entry.node }
        }
        return isSomebodyAway ? settings.heartbeat * 2 : .zero
    }

    /// Sends the learner what is received below the trim and not delivered, to be held (V22).
    func level(_ joiner: Member, with trim: [UInt64], now: Instant) {
        guard let current = teachings.first(where: { $0.learner == joiner }) else { return }
        teach(now: now)
        let number = membership.memory.epoch
        var records: [JournalRecord] = []
        var size = 0
        for sender in trim.indices where sender < held.vector.count {
            for message in held.messages(of: sender, in: 0..<trim[sender]) {
                records.append(JournalRecord(epoch: number, message: message))
                size += JournalRecord.overhead + message.payload.count
                if size > TransferPart.byteCount {
                    send(
                        .transfer(
                            .level(id: current.id, number, trim: trim, records, isLast: false)),
                        to: joiner.node)
                    records.removeAll()
                    size = 0
                }
            }
        }
        send(
            .transfer(.level(id: current.id, number, trim: trim, records, isLast: true)),
            to: joiner.node)
    }

    func learnerIsLevel(_ id: UInt64, _ epoch: Epoch, trim: [UInt64], now: Instant) {
        guard let place = teachings.firstIndex(where: { $0.id == id }),
            epoch == membership.memory.epoch
        else { return }
        teachings[place].lastHeard = now
        run(.joinerLevel(teachings[place].learner, trim: trim), now: now)
    }
}
