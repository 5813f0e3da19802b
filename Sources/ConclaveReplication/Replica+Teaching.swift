import ConclaveBase
import ConclaveGroup

extension Replica {
    /// Rank 0 teaches, one member at a time: it is the one who will coordinate letting it in.
    private var isTeacher: Bool {
        guard let epoch, !epoch.isWedged else { return false }
        return epoch.own.index == 0
    }

    func asked(by member: Member, version: Version, lineage theirs: Lineage, now: Instant) {
        guard isTeacher, settings.configured.contains(member.node), let epoch,
            !epoch.view.contains(member)
        else { return }
        if let teaching, teaching.learner != member, paths[teaching.learner.node] != nil { return }
        let id = random.next()
        let isOnChain = theirs == lineage || version == .zero
        let number = isOnChain ? order.recent.number(after: version, applied: order.version) : nil
        var started = Teaching<Machine>(
            learner: member, id: id, next: number ?? order.recent.end, now: now)
        if number == nil {
            guard let snapshot = order.snapshot() else { return }
            started.snapshot = snapshot
        }
        teaching = started
        tell(.event(.teaching(member.node, withSnapshot: number == nil)))
        send(
            .transfer(.begin(id: id, snapshot: started.snapshot?.header.bytes)), to: member.node)
    }

    /// Sends what there is room for; of a snapshot, one part a turn.
    func teach(now: Instant) {
        guard var current = teaching else { return }
        let learner = current.learner.node
        // Not shared while it is changed.
        teaching = nil
        if current.hasWork, let part = current.nextSnapshotPart(settings.snapshotPartByteCount) {
            send(.transfer(.snapshotPart(id: current.id, bytes: part)), to: learner)
        }
        while current.hasRoom, current.hasSentSnapshot {
            let (items, isKept) = current.nextItems(from: order.recent)
            guard isKept else { return }
            if items.isEmpty { break }
            send(.transfer(.items(id: current.id, items)), to: learner)
        }
        teaching = current
    }

    func tickTeaching(now: Instant) {
        guard let teaching else { return }
        let isGone = now.since(teaching.lastHeard) > settings.suspicion * 3
        let isDone = epoch?.view.contains(teaching.learner) ?? false
        let mayTeach = isTeacher || (epoch?.isWedged ?? false)
        if isGone || isDone || !mayTeach { self.teaching = nil }
    }

    func learnerIsReady(_ id: UInt64, version: Version, now: Instant) {
        guard isTeacher, let teaching, teaching.id == id, version <= order.version,
            teaching.hasSentSnapshot, order.recent.end - teaching.next < 1_000
        else { return }
        self.teaching?.lastHeard = now
        run(.joinerReady(teaching.learner), now: now)
    }

    /// Sends the learner what is received below the trim and not delivered, to be held (V22).
    func level(_ joiner: Member, with trim: [UInt64]) {
        guard let current = teaching, current.learner == joiner else { return }
        teach(now: current.lastHeard)
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
        teaching?.levelSent = number
    }

    func learnerIsLevel(_ id: UInt64, _ epoch: Epoch, trim: [UInt64], now: Instant) {
        guard let teaching, teaching.id == id, epoch == membership.memory.epoch else { return }
        self.teaching?.lastHeard = now
        run(.joinerLevel(teaching.learner, trim: trim), now: now)
    }
}
