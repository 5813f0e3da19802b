package import ConclaveBase
import ConclaveGroup
import ConclaveWire

extension Replica {
    package func step(_ input: FabricInput, now: Instant) {
        guard !hasFailed else { return }
        guard startTags.isEmpty else { return keepUntilBegin(input) }
        switch input {
        case .connected(let member): connected(member, now: now)
        case .disconnected(let node, let byPeer): disconnected(node, byPeer: byPeer, now: now)
        case .control(let node, let bytes): control(bytes, from: node, now: now)
        case .row(let node, let epoch, let offset, let bytes):
            row(bytes, at: offset, epoch: epoch, from: node)
        case .givenUp(let node): successor = node
        }
    }

    /// A start takes as long as the disk does, and that may be for ever: of what is told again
    /// anyway only so much is kept, and nothing of an epoch, since this process is in none.
    private func keepUntilBegin(_ input: FabricInput) {
        switch input {
        case .row, .givenUp: return
        case .control(_, let bytes):
            let byteCount = earlyByteCount + bytes.count + Self.earlyOverhead
            guard byteCount <= Self.maximumEarlyByteCount else { return }
            earlyByteCount = byteCount
        case .connected(let member): forgetEarlier(of: member.node)
        case .disconnected(let node, _): forgetEarlier(of: node)
        }
        earlyInputs.append(input)
    }

    private static var earlyOverhead: Int { 64 }
    private static var maximumEarlyByteCount: Int { 4 << 20 }

    /// What came on a connection that is over.
    private func forgetEarlier(of node: NodeID) {
        earlyInputs.removeAll { input in
            switch input {
            case .control(let from, let bytes):
                if from == node { earlyByteCount -= bytes.count + Self.earlyOverhead }
                return from == node
            case .row, .givenUp: return false
            case .connected(let member): return member.node == node
            case .disconnected(let other, _): return other == node
            }
        }
    }

    package func step(_ input: DiskInput, now: Instant) {
        guard !hasFailed else { return completedBreaking(input) }
        switch input {
        case .failed(_, let error): fail(.disk(error))
        case .full(let lane, let file):
            fullLanes.append((lane, file))
            tell(event: .diskFull(file: file))
        case .hasRoom(let lane):
            fullLanes.removeAll { $0.lane == lane }
            if fullLanes.isEmpty { tell(event: .diskHasRoom) }
        case .completed(let tag):
            guard tag != 0 else { return }
            completed(tag, now: now)
        }
    }

    private func connected(_ member: Member, now: Instant) {
        guard reachable.contains(where: { $0.node == member.node }) else { return }
        paths[member.node] = member
        peerReady[member.node] = nil
        if let epoch, !epoch.isWedged, epoch.view.contains(member) {
            send(.ready(epoch.view.epoch), to: member.node)
        }
        run(.connected(member), now: now)
        askIfWanted(member.node, now: now)
    }

    private func disconnected(_ node: NodeID, byPeer: Bool, now: Instant) {
        paths[node] = nil
        peerReady[node] = nil
        if let epoch, let rank = epoch.view.rank(of: node) {
            self.epoch?.isReady[rank.index] = false
        }
        teachings.removeAll { $0.learner.node == node }
        if learning?.teacher == node { stopLearning() }
        run(.disconnected(node, byPeer: byPeer), now: now)
    }

    private func control(_ bytes: [UInt8], from node: NodeID, now: Instant) {
        let theirs: Lineage
        let frame: ControlFrame
        do {
            (theirs, frame) = try ControlFrame.decode(bytes)
        } catch {
            tell(event: .refused(node, what: "a control frame: \(error)"))
            return fabric.disconnect(node)
        }
        guard theirs == .none || lineage == .none || theirs == lineage else { return }
        // Whoever has left the history answers nothing in it.
        guard salvage?.isDecided != true else { return }
        switch frame {
        case .membership(let frame): run(.frame(from: node, frame), now: now)
        case .ready(let epoch): ready(epoch, from: node)
        case .fill(let epoch, let records): fill(epoch, records, now: now)
        case .transfer(let frame): transfer(frame, from: node, theirs: theirs, now: now)
        case .survey(let id): send(.holding(id: id, holding), to: node)
        case .holding(let id, let holding): take(holding, id: id, from: node)
        }
    }

    /// A peer's row writes are copied at once and looked at when the turn ends. A suspect's are
    /// ignored (V11): suspicion has wedged the epoch.
    private func row(_ bytes: [UInt8], at offset: Int, epoch number: Epoch, from node: NodeID) {
        guard let epoch, number == epoch.view.epoch, !epoch.isWedged || keepsEchoing,
            let rank = epoch.view.rank(of: node), rank != epoch.own,
            paths[node] == epoch.view.members[rank.index]
        else { return }
        guard epoch.multicast.table.receive(bytes, row: rank.index, offset: offset) else {
            return breakPath(node, reason: "a row write beyond the row")
        }
        self.epoch?.isDirty[rank.index] = true
    }

    var keepsEchoing: Bool { settings.plant == .echoWhileWedged }

    func breakPath(_ node: NodeID, reason: String) {
        tell(event: .pathBroken(node, reason: reason))
        fabric.disconnect(node)
    }

    /// A peer has entered the epoch: it gets the whole row, ring included, and then every write
    /// (V2).
    private func ready(_ number: Epoch, from node: NodeID) {
        peerReady[node] = number
        startRows(to: node)
    }

    func startRows(to node: NodeID) {
        guard let epoch, !epoch.isWedged, let number = peerReady[node],
            number == epoch.view.epoch, let rank = epoch.view.rank(of: node),
            paths[node] == epoch.view.members[rank.index], !epoch.isReady[rank.index]
        else { return }
        self.epoch?.isReady[rank.index] = true
        for range in epoch.multicast.wholeRow + [epoch.multicast.pulse] {
            push(range, of: epoch, to: node)
        }
    }

    func push(_ range: Range<Int>, of epoch: EpochState, to node: NodeID) {
        unsafe epoch.multicast.table.withOwn(range) { bytes in
            unsafe fabric.write(
                row: bytes, at: range.lowerBound, epoch: epoch.view.epoch, to: node)
        }
    }

    func send(_ frame: ControlFrame, to node: NodeID) {
        fabric.send(frame.encode(lineage: lineage), to: node)
    }

    private func completed(_ tag: UInt64, now: Instant) {
        viewJournal.completed(tag, on: disk, nextTag: nextTag)
        if let place = startTags.firstIndex(of: tag) {
            startTags.remove(at: place)
            if startTags.isEmpty { begin(now: now) }
            return
        }
        if let token = viewTokens.removeValue(forKey: tag) {
            return run(.recorded(token: token), now: now)
        }
        if let (isOwn, mark) = journal?.completed(tag), isOwn {
            noteDurable()
            // A segment that no record knows of would not be missed.
            if mark == nil, settings.plant != .segmentNotRecorded {
                viewJournal.appendMark(to: disk, tag: nextTag())
            }
            if let mark { synced(mark) }
            journal?.flush(to: disk, nextTag: nextTag)
            tellHeld()
            checkFrozen(now: now)
            checkLevel(now: now)
            advanceSalvage(now: now)
            return advanceLearning(now: now)
        }
        switch snapshots.completed(tag) {
        case .durable(let header, let byteCount):
            tell(event: .snapshotWritten(version: header.version, byteCount: byteCount))
            if isOfSalvage(header) { return recordSalvage() }
            recordDurable(header)
            snapshotIsDurable(header, now: now)
            advanceSalvage(now: now)
        case .progress: advanceLearning(now: now)
        case .foreign where salvage?.step == .recording(tag: tag): salvageIsRecorded(now: now)
        case .foreign where forgetting?.tag == tag: forgetUnneeded()
        case .foreign: learningRecorded(tag, now: now)
        }
    }

    /// What is on the disk for certain goes with the next record of the view journal.
    private func noteDurable() {
        let lineage = viewJournal.memory.lineage
        guard let journal, startTags.isEmpty, journal.settings.lineage == lineage else { return }
        viewJournal.mark.lastSegment = journal.lastSegment
        viewJournal.mark.batch = journal.syncedBatch
        guard let durableSnapshot, durableSnapshot.current.lineage == lineage else { return }
        viewJournal.mark.snapshot = durableSnapshot.version
    }

    /// Records what has come to be on the disk without any record that says so.
    func recordIfMore() {
        noteDurable()
        if !viewJournal.hasToldMark { viewJournal.appendMark(to: disk, tag: nextTag()) }
    }

    /// Records that there is a new snapshot, and that segments which it covers are not needed; then
    /// they may go.
    func recordDurable(_ header: SnapshotHeader) {
        journal?.countFromSnapshot()
        viewJournal.forget(before: header.current.epoch)
        if !isBehindDurable(header) { durableSnapshot = header }
        noteDurable()
        var first: UInt64?
        if durableSnapshot?.current.lineage == viewJournal.memory.lineage {
            first = journal?.firstSegment(needed: header.mark)
        }
        if let first { viewJournal.mark.firstSegment = first }
        if settings.plant == .removedBeforeRecorded, let first {
            journal?.forget(before: first, on: disk)
        }
        let tag = nextTag()
        forgetting = (tag, before: first)
        viewJournal.appendMark(to: disk, tag: tag)
    }

    /// One that was learned before may be ahead of it, if learning was broken off then. The version
    /// alone does not tell: in the last era it begins anew when the state is lost.
    private func isBehindDurable(_ header: SnapshotHeader) -> Bool {
        guard let durableSnapshot else { return false }
        return durableSnapshot.current.lineage == header.current.lineage
            && header.version < durableSnapshot.version
            && header.mark.isCovered(by: durableSnapshot.mark)
    }

    /// What the newest snapshot replaces goes, once it is recorded that there is that snapshot: if
    /// it gets lost then, that is noticed. While the view of another history that it came with is
    /// not recorded yet, what is there of the one before is still needed.
    private func forgetUnneeded() {
        guard let forgetting else { return }
        self.forgetting = nil
        guard let durableSnapshot, durableSnapshot.current.lineage == journal?.settings.lineage
        else { return }
        snapshots.forget(allBut: durableSnapshot.version, on: disk)
        if let first = forgetting.before { journal?.forget(before: first, on: disk) }
    }

    /// Everything that the start has read is on the disk.
    private func begin(now: Instant) {
        for number in startLeftovers {
            disk.submit(.remove(SegmentFormat.name(number)), lane: .snapshots, tag: 0)
        }
        startLeftovers = []
        journal?.syncedRecovered()
        journal?.flush(to: disk, nextTag: nextTag)
        recordIfMore()
        let inputs = earlyInputs
        earlyInputs = []
        earlyByteCount = 0
        for input in inputs { step(input, now: now) }
        tickDue = now
    }

    /// What is synced is acknowledged: in durable mode, not before (V8).
    private func synced(_ mark: SegmentJournal.Mark) {
        guard let epoch, !epoch.isWedged, mark.epoch == epoch.view.epoch else { return }
        self.epoch?.multicast.acknowledge(mark.vector)
    }
}
