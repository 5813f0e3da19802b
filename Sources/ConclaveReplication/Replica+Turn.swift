package import ConclaveBase
import ConclaveGroup

extension Replica {
    /// Sends and journals what this turn collected. Called once after the inputs of a turn; outputs
    /// may follow.
    package func endTurn(now: Instant, wallClock: Timestamp) {
        guard !hasFailed else { return }
        self.wallClock = wallClock
        readClock(now: now)
        if let epoch, !epoch.isWedged {
            scanRows(of: epoch, now: now)
            sendPending(in: epoch)
            acknowledgeInMemory(in: epoch)
            deliver(from: epoch)
            passMarks(in: epoch, now: now)
            journal?.flush(to: disk, nextTag: nextTag)
            pushRows(of: epoch)
            tellConfirmed(by: epoch, now: now)
        } else if keepsEchoing, let epoch {
            scanRows(of: epoch, now: now)
            pushRows(of: epoch)
        }
        tellServing()
        fabric.flush()
    }

    private func readClock(now: Instant) {
        let time = medianClock.time(own: wallClock, now: now) { ahead in
            tell(event: ahead.map { .wallClockIsFar(ahead: $0) } ?? .wallClockIsNear)
        }
        sendingTime = time ?? order.time
        membership.wallClock = time ?? wallClock
        membership.isClockDoubted = time == nil
    }

    /// What may take a while, and nobody waits for. To be called once a turn, when everything else
    /// is done and sent.
    package func work(now: Instant) {
        hasWork = false
        guard !hasFailed, mayHaveWork else { return }
        // Code for all machines looks up what types these have: only where there is something to do.
        if digest != nil || hasDueDigest { makeDigest() }
        if isSnapshotDue { takeSnapshotIfDue() }
        if snapshots.isBusy { writeSnapshot() }
        if isTeaching || order.recent.needed != nil { teach(now: now) }
        hasWork = isWorkLeft
        fabric.flush()
    }

    private func scanRows(of state: EpochState, now: Instant) {
        var broken: [NodeID] = []
        while let rank = state.isDirty.popFirst() {
            state.mayConfirm = true
            state.pulse.scan(rank, now: now)
            guard !state.isWedged else { continue }
            found.removeAll(keepingCapacity: true)
            if !state.multicast.scan(rank, into: &found) {
                broken.append(state.view.members[rank].node)
            }
            for message in found { take(message, in: state) }
        }
        for node in broken { breakPath(node, reason: "messages were lost on the way") }
    }

    private func take(_ message: OrderedMessage, in state: EpochState) {
        var vector = state.multicast.received
        // Only what is contiguous up to this very message is covered by the sync of its batch.
        if settings.plant != .markPastBatch { vector[message.sender] = message.ordinal + 1 }
        journal?.append(message, epoch: state.view.epoch, vector: vector)
    }

    /// All that waits goes into as few messages as it fits into; no timer ever waits for a batch
    /// to fill (V6).
    private func sendPending(in state: EpochState) {
        guard !pending.isEmpty || !words.isEmpty else { return state.multicast.sendNulls() }
        let timestamp = max(sendingTime, order.time)
        var taken = 0
        while taken < pending.count || !words.isEmpty, state.multicast.canSend {
            var batch = CommandBatch()
            for word in words { batch.append(word) }
            words.removeAll()
            while taken < pending.count,
                batch.byteCount + CommandBatch.overhead + pending[taken].count
                    <= settings.slotByteCount
            {
                batch.append(pending[taken])
                taken += 1
            }
            let message = state.multicast.send(batch.payload, timestamp: timestamp)
            journal?.append(
                message, epoch: state.view.epoch, vector: state.multicast.received)
        }
        pending.removeFirst(taken)
        state.multicast.sendNulls()
    }

    private func acknowledgeInMemory(in state: EpochState) {
        let isHeedless =
            settings.plant == .acknowledgeBeforeSync
            || settings.plant == .acknowledgeOnFullDisk && !fullLanes.isEmpty
        guard settings.durability == .memory || isHeedless else { return }
        state.multicast.acknowledge(state.multicast.received)
    }

    private func deliver(from state: EpochState) {
        found.removeAll(keepingCapacity: true)
        state.multicast.deliver(into: &found)
        // What follows the verdict that this member's state is wrong says nothing any more.
        for message in found where !hasFailed { apply(message) }
        if !found.isEmpty { hasDueDigest = order.hasDueDigest }
    }

    /// Applying and answering happen at delivery: what left a daemon is acknowledged by all (V9).
    func apply(_ message: OrderedMessage) {
        var effects: [Machine.Effect] = []
        var message = message
        if settings.plant == .localTime { message.timestamp = max(message.timestamp, wallClock) }
        order.apply(message, effects: &effects)
        takeVerdicts(isTold: isContinuous)
        guard isContinuous, !hasFailed else { return }
        if !effects.isEmpty { tell(.machine(effects)) }
    }

    /// Data first, then the counters that guard it, then the pulse (V3).
    private func pushRows(of state: EpochState) {
        let slots = state.multicast.dirtySlots
        let counters = state.multicast.countersAreDirty ? state.multicast.counters : nil
        let pulse = state.pulse.isDue.isEmpty ? nil : state.multicast.pulse
        guard !slots.isEmpty || counters != nil || pulse != nil else { return }
        for (rank, member) in state.view.members.enumerated()
        where rank != state.own.index && state.isReady[rank] {
            for range in slots { push(range, of: state, to: member.node) }
            if let counters { push(counters, of: state, to: member.node) }
            if let pulse, state.pulse.isDue[rank] { push(pulse, of: state, to: member.node) }
        }
        state.multicast.pushed()
        state.pulse.pushed()
    }

    private func tellConfirmed(by state: EpochState, now: Instant) {
        guard state.mayConfirm else { return }
        state.mayConfirm = state.view.quorum == 1
        // Reads bring many more heartbeats, and whoever is told goes through all sessions.
        let next = state.confirmed.advanced(by: settings.heartbeat / 2)
        guard next <= now, let since = state.pulse.confirmed(now: now), since > state.confirmed,
            since >= next
        else { return }
        state.confirmed = since
        tellConfirmed(since: since)
    }

    // Not inlined, like `tell`.
    @inline(never)
    private func tellConfirmed(since: Instant) { tell(.confirmed(since: since)) }

    /// Heartbeats, suspicions, and everything that waits for time to pass.
    package func tick(now: Instant) {
        guard !hasFailed else { return }
        // Another turn may be wanted for other reasons.
        guard tickDue <= now else { return }
        guard startTags.isEmpty else { return tickDue = now.advanced(by: settings.heartbeat) }
        let late = now.since(tickDue)
        if epoch != nil, epoch?.isWedged == false {
            epoch?.pulse.beat(now: now, wallClock: wallClock)
            epoch?.multicast.beat()
            compareClocks(now: now)
            // A loop that ran late has yet to read what came meanwhile (V10).
            if late <= settings.heartbeat { suspectSilent(late: late, now: now) }
        } else if keepsEchoing {
            epoch?.pulse.beat(now: now, wallClock: wallClock)
        }
        run(.tick, now: now)
        tickSalvage(now: now)
        if salvage?.isDecided != true {
            tickLearning(now: now)
            tickTeaching(now: now)
            tickMembers(now: now)
        }
        if now >= nextMark {
            nextMark = now.advanced(by: settings.suspicion * 10)
            recordIfMore()
        }
        isReasonDue = true
        let pause = membership.isHurried ? settings.heartbeat / 4 : settings.heartbeat
        tickDue = now.advanced(by: pause)
    }

    private func compareClocks(now: Instant) {
        guard let median = epoch?.pulse.medianWallClock(own: wallClock) else { return }
        medianClock.note(median, now: now)
    }

    private func suspectSilent(late: Interval, now: Instant) {
        guard let suspects = epoch?.suspects(settings: settings, now: now) else { return }
        for suspect in suspects {
            run(
                .suspect(
                    suspect.node, suspect.reason, silent: suspect.silent,
                    late: max(late, .zero)), now: now)
        }
    }
}
