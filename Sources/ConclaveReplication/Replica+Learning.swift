import DequeModule
import ConclaveBase
import ConclaveGroup
import ConclaveWire

extension Replica {
    /// This member has no seat and nobody will give it one unless it asks.
    private var needsTeacher: Bool {
        switch membership.seat {
        case .member: membership.isBehind
        // Without a vote it cannot ask for the next view, and would never hear of newer ones.
        case .voter: membership.isBehind || !membership.mayVote
        case .outside, .blank: true
        }
    }

    func tickLearning(now: Instant) {
        guard needsTeacher else {
            unheard = []
            return learning = nil
        }
        // What is learned must be kept, and what waits for room is kept in memory.
        guard fullLanes.isEmpty else { return stopLearning() }
        if membership.heardEpoch != reachableAsHeard { adoptMembers() }
        if let learning, now.since(learning.lastHeard) > settings.suspicion * 2 { stopLearning() }
        endPauseIfSteady(now: now)
        if now >= nextJoin, learning == nil, recordingView == nil {
            isPausing = false
            askAll(now: now)
        }
        reportReady(now: now)
    }

    /// Another one can be reached: it may be who teaches. Paths that come and go do not put off the time
    /// at which all are asked.
    func askIfWanted(_ node: NodeID, now: Instant) {
        guard needsTeacher, startTags.isEmpty, fullLanes.isEmpty, !isPausing,
            salvage?.isDecided != true
        else { return }
        if now >= nextJoin { askAll(now: now) } else { ask([node]) }
    }

    /// They are asked again if nobody answers.
    private func askAll(now: Instant) {
        guard !paths.isEmpty else { return }
        nextJoin = now.advanced(by: settings.heartbeat * 5)
        ask(paths.nodes)
    }

    private func ask(_ nodes: [NodeID]) {
        guard learning == nil, recordingView == nil else { return }
        for node in nodes {
            send(.transfer(.join(settings.own, version: order.version)), to: node)
        }
    }

    /// Whatever kept it away comes and goes, or is over: then nothing is gained by waiting on.
    private func endPauseIfSteady(now: Instant) {
        guard isPausing, let current = membership.memory.current else { return }
        let heard = membership.heardSteadily(for: settings.suspicion * 3, now: now).map(\.node)
        let isSteady = current.members.allSatisfy {
            $0.node == settings.own.node || heard.contains($0.node)
        }
        if isSteady { nextJoin = now }
    }

    func stopLearning() {
        learning = nil
        unheard = []
        nextJoin = .distantPast
    }

    /// A member that is left out again soon after it came back waits longer each time (V23), unless
    /// all has been well for a while.
    func pauseBeforeJoining(now: Instant) {
        let wasBrief = now.since(joinedAt) < .seconds(60) && joinedAt != .distantPast
        leftOutCount = wasBrief ? leftOutCount + 1 : 0
        joinPause = wasBrief ? min(joinPause * 2, .seconds(60)) : settings.suspicion
        nextJoin = wasBrief ? now.advanced(by: joinPause) : now
        isPausing = wasBrief
        if wasBrief {
            tell(event: .joinsLater(after: joinPause, leftOutCount: leftOutCount))
        }
    }

    func transfer(_ frame: TransferFrame, from node: NodeID, theirs: Lineage, now: Instant) {
        switch frame {
        case .join(let member, let version):
            guard member.node == node, paths[node] == member else { return }
            asked(by: member, version: version, lineage: theirs, now: now)
        case .begin(let id, let snapshot):
            begin(id, snapshot: snapshot, from: node, lineage: theirs, now: now)
        case .snapshotPart(let id, let bytes):
            guard learning?.id == id else { return }
            put([.snapshotPart(bytes)])
            heardTeacher(now: now)
        case .items(let id, let items):
            guard learning?.id == id else { return }
            put(items.map { .item($0) })
            heardTeacher(now: now)
        case .taken(let id, let byteCount): learnerHasTaken(byteCount, id: id, now: now)
        case .ready(let id, let version, let hears):
            learnerIsReady(id, version: version, hears: hears, now: now)
        case .level(let id, let epoch, let trim, let records, let isLast):
            guard learning?.id == id else { return }
            level(epoch, trim: trim, records: records, isLast: isLast, now: now)
        case .isLevel(let id, let epoch, let trim):
            learnerIsLevel(id, epoch, trim: trim, now: now)
        }
    }

    private func put(_ steps: [Learning<Machine>.Step]) {
        for step in steps {
            guard let teacher = learning?.teacher, learning?.put(step) == false else { continue }
            tell(event: .refused(teacher, what: "a transfer beyond its window"))
            stopLearning()
            fabric.disconnect(teacher)
        }
    }

    private func begin(
        _ id: UInt64, snapshot: [UInt8]?, from node: NodeID, lineage theirs: Lineage, now: Instant
    ) {
        // The same teacher has been asked again while its answer was on its way, and has dropped what it
        // began before.
        let isNewer = learning.map { $0.teacher == node && $0.id != id } ?? true
        guard needsTeacher, fullLanes.isEmpty, isNewer, recordingView == nil, theirs != .none
        else { return }
        let started = Learning<Machine>(teacher: node, id: id, now: now)
        var known: NextView?
        if let snapshot {
            var reader = ByteReader(snapshot)
            guard let header = try? SnapshotHeader(from: &reader), (try? reader.finish()) != nil,
                header.current.lineage == theirs
            else { return }
            known = header.current
            started.incoming = Learning.Incoming(
                header: header, reader: SnapshotReader(like: blank, at: header.version))
        }
        guard membership.memory.mayJoin(theirs, of: known) else { return }
        if learning != nil { stopLearning() }
        if known != nil { giveUpOwnSnapshot() }
        tell(event: .learning(from: node, withSnapshot: snapshot != nil))
        learning = started
        heardTeacher(now: now)
    }

    private func heardTeacher(now: Instant) {
        learning?.lastHeard = now
        learning?.toldByteCount = nil
        advanceLearning(now: now)
    }

    /// The teacher sends no more than fits its window until it hears what was taken.
    private func tellTaken() {
        guard let learning, learning.toldByteCount != learning.takenByteCount else { return }
        self.learning?.toldByteCount = learning.takenByteCount
        send(
            .transfer(.taken(id: learning.id, byteCount: learning.takenByteCount)),
            to: learning.teacher)
    }

    /// Takes what was sent, step by step; each waits for what must be on the disk before it.
    func advanceLearning(now: Instant) {
        if learning?.wait == .journal, journal?.isIdle ?? true { learning?.wait = .nothing }
        if learning?.wait == .room { learning?.wait = .nothing }
        while !hasFailed, learning?.wait == .nothing, let step = learning?.take() {
            switch step {
            case .snapshotPart(let bytes): learn(bytes, retrying: step, now: now)
            case .item(.message(let record)): learn(record, retrying: step)
            case .item(.view(let next)): learn(next, retrying: step, now: now)
            case .level(let epoch, let trim): confirmLevel(epoch, trim: trim, retrying: step)
            }
        }
        journal?.flush(to: disk, nextTag: nextTag)
        tellTaken()
    }

    /// What comes of a snapshot goes to the disk as it comes, and takes the place of what is there
    /// only when all of it has made a state.
    private func learn(
        _ part: [UInt8], retrying step: Learning<Machine>.Step, now: Instant
    ) {
        guard learning?.incoming != nil else { return }
        let isDurable = settings.durability == .disk
        if isDurable, !hasRoomForPart {
            learning?.putBack(step, until: .room)
            return
        }
        do {
            try learning?.incoming?.reader.take(part)
        } catch {
            tell(
                event: .refused(
                    learning?.teacher ?? settings.own.node, what: "a state: \(error)"))
            return stopLearning()
        }
        if isDurable { snapshots.append(part, to: disk, tag: nextTag()) }
        if learning?.incoming?.reader.machine != nil { hasSnapshot(now: now) }
    }

    /// Sees to it that the snapshot's file is begun.
    private var hasRoomForPart: Bool {
        guard let incoming = learning?.incoming else { return false }
        if !incoming.isBegun {
            giveUpOrphan()
            guard !snapshots.isBusy else { return false }
            snapshots.begin(incoming.header, on: disk)
            learning?.incoming?.isBegun = true
        }
        return snapshots.hasRoom
    }

    /// The snapshot of a transfer is complete.
    private func hasSnapshot(now: Instant) {
        guard let header = learning?.incoming?.header,
            header.version > order.version || order.current == nil
        else {
            learning?.incoming = nil
            return
        }
        if settings.durability == .disk {
            snapshots.finish(on: disk, tag: nextTag())
            learning?.wait = .snapshot
        } else {
            restoreLearned()
        }
    }

    /// The snapshot of a transfer is on the disk: the state and the view come from it.
    func snapshotIsDurable(_ durable: SnapshotHeader, now: Instant) {
        if learning?.wait == .snapshot, learning?.incoming?.header == durable { restoreLearned() }
        advanceLearning(now: now)
    }

    private func restoreLearned() {
        guard let incoming = learning?.incoming, let machine = incoming.reader.machine,
            membership.learns(incoming.header.current)
        else { return stopLearning() }
        learning?.incoming = nil
        order.restore(incoming.header, machine)
        if settings.plant != .snapshotUntold { isContinuous = false }
        held = HeldMessages(delivered: order.delivered)
        // Until its view is recorded, the order is not that of the view this member knows.
        hasState = false
        record(incoming.header.current)
    }

    /// Takes the next of its sender; what it has already is passed over, and nothing is applied
    /// behind a gap.
    private func learn(_ record: JournalRecord, retrying step: Learning<Machine>.Step) {
        guard let current = order.current, record.epoch == current.epoch,
            record.message.sender < order.delivered.count
        else { return }
        let next = order.delivered[record.message.sender]
        guard record.message.ordinal <= next else { return stopLearning() }
        guard record.message.ordinal == next else { return }
        if let journal, journal.isBacklogged {
            learning?.putBack(step, until: .journal)
            return
        }
        isContinuous = false
        let isHeld = held.vector[record.message.sender] > record.message.ordinal
        apply(record.message)
        // What it has beyond that may be what it has said it is level with.
        held.deliverNext(of: record.message.sender)
        if !isHeld {
            journal?.append(record.message, epoch: record.epoch, vector: held.vector)
        }
    }

    /// Messages below a view's trim are on the disk before the view is recorded: a record of a view
    /// promises them.
    private func learn(_ next: NextView, retrying step: Learning<Machine>.Step, now: Instant) {
        let epoch = order.current?.epoch ?? .none
        // A state that was lost before a view that is known already must not be lost again.
        guard next.epoch == epoch.next || (next.installed.stateWasLost && next.epoch > epoch)
        else { return }
        guard journal?.isIdle ?? true else {
            learning?.putBack(step, until: .journal)
            return
        }
        guard membership.learns(next) else { return }
        record(next)
    }

    private func record(_ next: NextView) {
        let tag = nextTag()
        let voteFrom = membership.voteFrom(knowing: next)
        viewJournal.append(.installed(next, voteFrom: voteFrom), to: disk, tag: tag)
        recordingView = (next, voteFrom, tag)
        learning?.wait = .view
    }

    func learningRecorded(_ tag: UInt64, now: Instant) {
        if let recording = recordingView, recording.tag == tag {
            recordingView = nil
            learned(recording.next, voteFrom: recording.voteFrom, now: now)
        } else if case .joining(let epoch, let trim, tag) = learning?.wait, let learning {
            self.learning?.wait = .nothing
            send(.transfer(.isLevel(id: learning.id, epoch, trim: trim)), to: learning.teacher)
        } else {
            return
        }
        advanceLearning(now: now)
    }

    private func learned(_ next: NextView, voteFrom: Epoch, now: Instant) {
        if learning?.wait == .view { learning?.wait = .nothing }
        // It was let in, and has heard so from a teacher alone.
        let missedOwnView =
            membership.memory.view.contains(settings.own)
            && epoch?.view.epoch != membership.memory.epoch
        if order.current?.epoch != next.epoch {
            isContinuous = false
            if next.installed.stateWasLost { order.reset(to: blank) }
            var untold: [Machine.Effect] = []
            order.install(next, effects: &untold)
        }
        membership.learned(next, voteFrom: voteFrom, now: now)
        forgetChainInMemory()
        held = HeldMessages(delivered: order.delivered)
        hasState = order.current?.epoch == membership.memory.epoch
        adoptLineage(resuming: nil)
        adoptMembers()
        if next.view.contains(settings.own) {
            joinedAt = now
        } else if missedOwnView {
            // The others have waited for it: it is left out as whoever came into that view.
            stopLearning()
            pauseBeforeJoining(now: now)
        }
        // The snapshot is of the lineage that is known only now.
        if let durableSnapshot, durableSnapshot.version > viewJournal.mark.snapshot {
            recordIfMore()
        }
    }

    private func level(
        _ epoch: Epoch, trim: [UInt64], records: [JournalRecord], isLast: Bool, now: Instant
    ) {
        guard epoch == order.current?.epoch, learning?.isCaughtUp ?? false || !records.isEmpty
        else {
            return heardTeacher(now: now)
        }
        for record in records where record.epoch == epoch { hold(record.message, epoch: epoch) }
        if isLast { put([.level(epoch, trim: trim)]) }
        heardTeacher(now: now)
    }

    /// This incarnation can be let in: everything below the trim is held and synced. That is
    /// recorded first, so that a restart before the view comes does not cost the vote (V13).
    private func confirmLevel(_ epoch: Epoch, trim: [UInt64], retrying step: Learning<Machine>.Step)
    {
        guard epoch == order.current?.epoch, epoch == membership.memory.epoch,
            held.vector.count == trim.count,
            zip(held.vector, trim).allSatisfy({ $0 >= $1 })
        else { return }
        guard journal?.isIdle ?? true else {
            learning?.putBack(step, until: .journal)
            return
        }
        let tag = nextTag()
        viewJournal.append(.joining(settings.own), to: disk, tag: tag)
        membership.isJoining(settings.own)
        learning?.wait = .joining(epoch, trim: trim, tag: tag)
    }

    /// Whoever is let in must write before the others go on: all wait while its first segment is made.
    private func reportReady(now: Instant) {
        guard let learning, learning.isCaughtUp, journal?.hasSegment ?? true,
            let current = order.current,
            now.since(learning.reportedReady) >= settings.heartbeat * 2
        else { return }
        self.learning?.reportedReady = now
        let heard = membership.heardSteadily(for: timeToBeHeard(now: now), now: now)
        unheard = current.members.filter { $0.node != settings.own.node && !heard.contains($0) }
            .map(\.node)
        guard unheard.isEmpty else { return }
        if trialBegan == nil { trialBegan = now }
        send(
            .transfer(.ready(id: learning.id, version: order.version, hears: heard)),
            to: learning.teacher)
    }

    /// For how long every member must have heard this one, and it every member, before it asks to be let
    /// in (V23). One answer of each is enough for a process that has not been in a view yet, which mostly
    /// was started again a moment ago; but only for a while, so that one whose links come and go costs the
    /// others few views also if it never learns that it was let in.
    private func timeToBeHeard(now: Instant) -> Interval {
        let steady = settings.suspicion * 2
        guard joinedAt == .distantPast, now.since(trialBegan ?? now) < steady else { return steady }
        return .zero
    }
}
