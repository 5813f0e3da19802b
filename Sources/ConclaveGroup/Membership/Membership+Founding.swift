import ConclaveBase

/// The founder's part of a founding, in this run of its process.
struct FoundingRun: Equatable {
    /// The record of the founding is being synced.
    var token: UInt64?
    var isRecorded = false
    /// To whom a confirmation is due once the record is synced.
    var confirmTo: Member?
    var confirmed: [NodeID: Member] = [:]
    /// Who said that it has installed no view.
    var answers: [NodeID: Member] = [:]
    var nextSend = Instant.distantPast
    var reportedWait: [NodeID] = []
    /// Since when there is a path to everybody.
    var connectedSince: Instant?
}

struct Installation: Equatable {
    var token: UInt64
    var voteFrom: Epoch
}

extension Membership {
    /// The first view needs all configured members, blank or having recorded exactly this founding;
    /// the lowest NodeID founds (V24).
    ///
    /// Who lost a history takes no part: another first view would give up what it once had.
    func tickFounding(now: Instant, effects: inout [Effect]) {
        guard own.node == configured.first, memory.current == nil, memory.loss == nil,
            installing == nil
        else { return }
        let missing = configured.filter { $0 != own.node && paths[$0] == nil }
        guard missing.isEmpty else {
            founding.connectedSince = nil
            return reportWait(for: missing, effects: &effects)
        }
        reportSilent(now: now, effects: &effects)
        guard founding.isRecorded else { return askForBlanks(now: now, effects: &effects) }
        guard let known = memory.founding, now >= founding.nextSend else { return }
        founding.nextSend = now.advanced(by: settings.heartbeat)
        founding.confirmed[own.node] = own
        for node in configured where node != own.node {
            effects.append(
                .send(.found(known.lineage, founder: own, members: known.members), to: node))
        }
        if configured.count == 1 { installFirst(effects: &effects) }
    }

    /// Who is there and takes no part says nothing: it lost a history, and its status says so.
    private func reportSilent(now: Instant, effects: inout [Effect]) {
        let since = founding.connectedSince ?? now
        founding.connectedSince = since
        guard now.since(since) > settings.suspicion * 2 else { return }
        let heard = founding.isRecorded ? founding.confirmed : founding.answers
        let silent = configured.filter { $0 != own.node && heard[$0] != paths[$0] }
        if !silent.isEmpty { reportWait(for: silent, effects: &effects) }
    }

    private func reportWait(for nodes: [NodeID], effects: inout [Effect]) {
        guard nodes != founding.reportedWait else { return }
        founding.reportedWait = nodes
        effects.append(.event(.waiting(for: nodes, purpose: .founding)))
    }

    /// Before it draws a lineage, a founder asks whether the others are blank too: it may itself
    /// have lost its disk, and then it must join them.
    private func askForBlanks(now: Instant, effects: inout [Effect]) {
        guard founding.token == nil, !isBehind else { return }
        let isKnown = configured.allSatisfy {
            $0 == own.node || founding.answers[$0] == paths[$0]
        }
        if isKnown { return recordFounding(effects: &effects) }
        guard now >= founding.nextSend else { return }
        founding.nextSend = now.advanced(by: settings.heartbeat)
        for node in configured where node != own.node {
            effects.append(.send(.found(.none, founder: own, members: configured), to: node))
        }
    }

    /// The founder draws the lineage and syncs it before it proposes, and proposes the same after a
    /// restart. After the loss of its disk it never takes up the lineage that others recorded: it
    /// may have installed a first view of that one, alone.
    private func recordFounding(effects: inout [Effect]) {
        let lineage =
            memory.founding?.lineage ?? Lineage(high: random.next(), low: random.next())
        let recordOfFounding = ViewRecord.founding(lineage, members: configured)
        memory.apply(recordOfFounding)
        effects.append(.event(.founding(lineage)))
        founding.token = record(recordOfFounding, effects: &effects)
    }

    func confirmFounding(
        _ lineage: Lineage, founder: Member, members: [NodeID], effects: inout [Effect]
    ) {
        guard memory.current == nil else {
            if let current = memory.current {
                effects.append(.send(.install(current), to: founder.node))
            }
            return
        }
        guard memory.loss == nil, installing == nil, !isBehind, members == configured,
            founder.node == configured.first, founder.node != own.node
        else { return }
        if lineage == .none {
            let answer = MembershipFrame.founded(.none, founder: founder.incarnation, by: own)
            return effects.append(.send(answer, to: founder.node))
        }
        founding.confirmTo = founder
        guard founding.token == nil else { return }
        if founding.isRecorded, memory.founding?.lineage == lineage {
            return sendConfirmation(effects: &effects)
        }
        // A founder that lost its disk founds anew: nobody has installed what it founded before,
        // or it would have been told so.
        let recordOfFounding = ViewRecord.founding(lineage, members: members)
        memory.apply(recordOfFounding)
        founding.token = record(recordOfFounding, effects: &effects)
    }

    func foundingRecorded(now: Instant, effects: inout [Effect]) {
        founding.token = nil
        founding.isRecorded = true
        if own.node == configured.first {
            founding.nextSend = .distantPast
            tickFounding(now: now, effects: &effects)
        } else {
            sendConfirmation(effects: &effects)
        }
    }

    private func sendConfirmation(effects: inout [Effect]) {
        guard let founder = founding.confirmTo, let known = memory.founding else { return }
        effects.append(
            .send(
                .founded(known.lineage, founder: founder.incarnation, by: own), to: founder.node))
    }

    /// View 1 is installed once all have confirmed, in one run of the founder, that they recorded
    /// it.
    func founded(
        _ lineage: Lineage, founder: Incarnation, by member: Member, now: Instant,
        effects: inout [Effect]
    ) {
        guard memory.current == nil, memory.loss == nil, installing == nil,
            founder == own.incarnation, configured.contains(member.node)
        else { return }
        guard founding.isRecorded else {
            founding.answers[member.node] = member
            return tickFounding(now: now, effects: &effects)
        }
        guard lineage == memory.founding?.lineage else { return }
        founding.confirmed[member.node] = member
        let isComplete = configured.allSatisfy {
            $0 == own.node || founding.confirmed[$0] == paths[$0]
        }
        if isComplete { installFirst(effects: &effects) }
    }

    private func installFirst(effects: inout [Effect]) {
        guard let known = memory.founding else { return }
        let members = configured.compactMap { founding.confirmed[$0] }
        guard members.count == configured.count else { return }
        let value = NextView(
            lineage: known.lineage,
            installed: InstalledView(
                view: View(epoch: Epoch(1), members: members), joined: configured, departed: [],
                absent: [], minimumMembers: foundingList.minimumMembers, stateWasLost: false),
            trim: [], era: firstEra, maximumSessionTTL: settings.maximumSessionTTL,
            list: foundingList, time: wallClock)
        isAnnouncing = true
        beginInstall(value, effects: &effects)
    }

    /// The founder tells the others of view 1 only after its own record of it is synced: until
    /// then nobody votes in it.
    func announceFirst(effects: inout [Effect]) {
        guard isAnnouncing, let current = memory.current else { return }
        isAnnouncing = false
        for node in others { effects.append(.send(.install(current), to: node)) }
    }
}
