package import ConclaveBase
import ConclaveGroup

/// Going on alone with what is left of a history, by an operator's hand (V27).
///
/// Written, synced, announced, acted on: the state with which the new history begins is on the disk
/// before the view is recorded, and only the record makes it count. A start that finds the snapshot
/// and not the record goes on in the history before.
extension Replica {
    /// Goes on without the others, if nothing speaks against it. The output `salvaged` tells the
    /// outcome.
    package func salvage(_ wish: SalvageWish, number: UInt64, now: Instant) {
        if let reason = salvage == nil ? reasonNotToSalvage : "that is under way here already" {
            return tell(.salvaged(number, .refused(reason)))
        }
        salvage = Salvage(
            wish: wish, number: number, startedAt: now,
            survey: Survey(
                own: settings.own.node, holding: holding, mayBeginEmpty: mayBeginEmpty))
        askForHoldings()
    }

    /// What this member itself can say against it.
    private var reasonNotToSalvage: String? {
        guard startTags.isEmpty else { return "the start is not over: ask again in a moment" }
        guard membership.memory.current != nil, order.current != nil || mayBeginEmpty else {
            return "this member has no state to go on with: \(notServingReason)"
        }
        if isServing { return "view \(view.epoch) serves: nothing is lost" }
        if successor != nil { return notServingReason }
        if let full = fullLanes.first { return "the disk is full: no room for \(full.file)" }
        if membership.isInstalling || recordingView != nil {
            return "a view is being entered: ask again in a moment"
        }
        return nil
    }

    /// A state that was in memory is lost with the last process that had it. On disks it may come back.
    private var mayBeginEmpty: Bool { settings.durability == .memory }

    /// It was told to go on without the others, has found nothing against it, and is at it.
    package var isGoingOnAlone: Bool { salvage?.isDecided ?? false }

    // What the others have.

    /// For one that asks, and for comparing.
    var holding: Holding {
        let state = order.current.map { current in
            let isRunning = epoch.map { !$0.isWedged } ?? false
            return Holding.State(
                epoch: current.epoch,
                vector: isRunning ? epoch?.multicast.received ?? [] : held.vector)
        }
        let mayVote = membership.mayVote && view.rank(of: settings.own.node) != nil
        return Holding(
            newest: membership.memory.current, mayVote: mayVote,
            highestEra: min(
                NextView.lastEra,
                max(order.version.era, membership.highestEra, snapshots.highestEra)),
            state: state)
    }

    private func askForHoldings() {
        guard let salvage else { return }
        for node in unanswered { send(.survey(id: salvage.number), to: node) }
    }

    private var unanswered: [NodeID] {
        paths.nodes.filter { $0 != settings.own.node && salvage?.survey.holdings[$0] == nil }
    }

    func take(_ holding: Holding, id: UInt64, from node: NodeID) {
        guard salvage?.step == .asking, salvage?.number == id, paths[node] != nil else { return }
        salvage?.survey.take(holding, from: node)
    }

    /// Who was connected a moment ago is asked as well; so there is an answer after one suspicion
    /// time, and after two at the latest.
    func tickSalvage(now: Instant) {
        guard let salvage else { return }
        guard salvage.step == .asking else { return advanceSalvage(now: now) }
        let waited = now.since(salvage.startedAt)
        let unanswered = unanswered
        guard waited > settings.suspicion, unanswered.isEmpty || waited > settings.suspicion * 2
        else { return askForHoldings() }
        guard unanswered.isEmpty else { return giveUpPaths(to: unanswered) }
        decideSalvage(now: now)
    }

    /// A path to a host without power stays open for long; whoever lives makes another one.
    private func giveUpPaths(to nodes: [NodeID]) {
        let names = nodes.map(\.description).joined(separator: ", ")
        refuseSalvage(
            "\(names): connected, and no answer to what it has. If it hangs, stop it; the "
                + "connection was given up, so ask again in a moment")
        for node in nodes { fabric.disconnect(node) }
    }

    private func refuseSalvage(_ reason: String) {
        guard let number = salvage?.number else { return }
        salvage = nil
        tell(.salvaged(number, .refused(reason)))
    }

    private func decideSalvage(now: Instant) {
        salvage?.survey.update(holding)
        guard let survey = salvage?.survey, let wish = salvage?.wish else { return }
        let reached = paths.nodes
        if let reason = reasonNotToSalvage ?? survey.refusal(reached: reached) {
            return refuseSalvage(reason)
        }
        guard let newest = survey.newest else { return }
        guard newest.epoch.number < NextView.lastEpoch, let era = era(after: survey, wish) else {
            return refuseSalvage("there is no later era of versions: is the clock right?")
        }
        leaveHistory()
        plan(after: newest, era: era)
        advanceSalvage(now: now)
    }

    /// V28: above all that is known, and above what anybody else is likely to have used.
    private func era(after survey: Survey, _ wish: SalvageWish) -> UInt16? {
        let known = UInt64(survey.highestEra) + (settings.plant == .sameEraAlone ? 0 : 1)
        let era = [known, wallClock.daysSince2025, UInt64(wish.eraAtLeast)].reduce(
            UInt64(settings.minimumEra), max)
        return era <= UInt64(NextView.lastEra) ? UInt16(era) : nil
    }

    // Leaving the history.

    /// From here on this member takes part in nothing that the others do.
    private func leaveHistory() {
        stopLearning()
        teachings = []
        giveUpOwnSnapshot()
        giveUpOrphan()
        digest = nil
        var unasked: [Membership.Input] = []
        if epoch?.isWedged == false { wedge(then: &unasked) }
        membership.abandon()
    }

    private func plan(after newest: NextView, era: UInt16) {
        let isEmpty = order.current == nil
        let trim = isEmpty ? newest.members.map { _ in 0 } : held.vector
        let next = membership.salvagedView(
            after: newest, trim: trim, era: era, stateWasLost: isEmpty)
        let messages = isEmpty ? [] : held.deliver(below: trim)
        var planned = order
        var unheard: [Machine.Effect] = []
        planned.goOn(with: messages, to: next, effects: &unheard)
        let report = SalvageReport(
            epoch: next.epoch, lineage: next.lineage, version: planned.version,
            appliedCount: messages.count, kept: next.list.nodes,
            removed: newest.list.nodes.filter { !next.list.contains($0) },
            quietFor: ClockDrift.lengthened(next.maximumSessionTTL), stateWasLost: isEmpty)
        salvage?.plan = Salvage.Plan(order: planned, report: report)
        salvage?.step = .draining
    }

    /// Goes on as far as the disk has come.
    func advanceSalvage(now: Instant) {
        guard salvage?.step == .draining, let plan = salvage?.plan, journal?.isIdle ?? true,
            !snapshots.isBusy
        else { return }
        guard settings.durability == .disk, let snapshot = plan.order.snapshot() else {
            return recordSalvage()
        }
        salvage?.step = .writing
        snapshots.begin(snapshot.header, on: disk)
        ownSnapshot = snapshot
    }

    /// Whether it is the snapshot of the new history that is durable now.
    func isOfSalvage(_ header: SnapshotHeader) -> Bool {
        salvage?.step == .writing && header.current == salvage?.plan?.order.current
    }

    func recordSalvage() {
        guard let next = salvage?.plan?.order.current else { return }
        let tag = nextTag()
        salvage?.step = .recording(tag: tag)
        viewJournal.append(.installed(next, voteFrom: next.epoch), to: disk, tag: tag)
    }

    /// The new history has begun, whatever happens from here on.
    func salvageIsRecorded(now: Instant) {
        guard let salvage, let plan = salvage.plan, let next = plan.order.current else { return }
        successor = nil
        run(.salvaged(next, by: salvage.wish.by), now: now)
        self.salvage = nil
        if settings.durability == .disk {
            recordDurable(
                SnapshotHeader(
                    current: next, delivered: plan.order.delivered, version: plan.report.version,
                    time: plan.order.time))
        }
        tell(.salvaged(salvage.number, .done(plan.report)))
    }
}
