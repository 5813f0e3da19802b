package import ConclaveBase
import ConclaveGroup
import ConclaveWire

extension Replica {
    package func step(_ input: FabricInput, now: Instant) {
        guard !hasFailed else { return }
        guard startTags.isEmpty else { return earlyInputs.append(input) }
        switch input {
        case .connected(let member): connected(member, now: now)
        case .disconnected(let node, let byPeer): disconnected(node, byPeer: byPeer, now: now)
        case .control(let node, let bytes): control(bytes, from: node, now: now)
        case .row(let node, let epoch, let offset, let bytes):
            row(bytes, at: offset, epoch: epoch, from: node)
        }
    }

    package func step(_ input: DiskInput, now: Instant) {
        guard !hasFailed else { return completedBreaking(input) }
        switch input {
        case .failed(_, let error): fail(.disk(error))
        case .completed(let tag):
            guard tag != 0 else { return }
            completed(tag, now: now)
        }
    }

    private func connected(_ member: Member, now: Instant) {
        guard settings.configured.contains(member.node) else { return }
        paths[member.node] = member
        peerReady[member.node] = nil
        if let epoch, !epoch.isWedged, epoch.view.contains(member) {
            send(.ready(epoch.view.epoch), to: member.node)
        }
        run(.connected(member), now: now)
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
            tell(.event(.refused(node, what: "a control frame: \(error)")))
            return fabric.disconnect(node)
        }
        guard theirs == .none || lineage == .none || theirs == lineage else { return }
        switch frame {
        case .membership(let frame): run(.frame(from: node, frame), now: now)
        case .ready(let epoch): ready(epoch, from: node)
        case .fill(let epoch, let records): fill(epoch, records, now: now)
        case .transfer(let frame): transfer(frame, from: node, theirs: theirs, now: now)
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
        tell(.event(.pathBroken(node, reason: reason)))
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
        if let place = startTags.firstIndex(of: tag) {
            startTags.remove(at: place)
            if startTags.isEmpty { begin(now: now) }
            return
        }
        if let token = viewTokens.removeValue(forKey: tag) {
            return run(.recorded(token: token), now: now)
        }
        if let (isOwn, mark) = journal?.completed(tag), isOwn {
            if let mark { synced(mark) }
            journal?.flush(to: disk, nextTag: nextTag)
            tellHeld()
            checkFrozen(now: now)
            checkLevel(now: now)
            return advanceLearning(now: now)
        }
        switch snapshots.completed(tag, disk: disk) {
        case .durable(let header, let byteCount):
            tell(.event(.snapshotWritten(version: header.version, byteCount: byteCount)))
            journal?.forget(through: header.mark, on: disk)
            viewJournal.forget(before: header.current.epoch)
            snapshotIsDurable(header, now: now)
        case .progress: advanceLearning(now: now)
        case .foreign: learningRecorded(tag, now: now)
        }
    }

    /// Everything that the start has read is on the disk.
    private func begin(now: Instant) {
        let inputs = earlyInputs
        earlyInputs = []
        for input in inputs { step(input, now: now) }
        tickDue = now
    }

    /// What is synced is acknowledged: in durable mode, not before (V8).
    private func synced(_ mark: SegmentJournal.Mark) {
        guard let epoch, !epoch.isWedged, mark.epoch == epoch.view.epoch else { return }
        self.epoch?.multicast.acknowledge(mark.vector)
    }
}
