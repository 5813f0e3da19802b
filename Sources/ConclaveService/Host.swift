package import ConclaveBase
package import ConclaveCoordination
import ConclaveGroup
package import ConclaveReplication
package import ConclaveWire

/// One daemon without its shell: the replica of the group's state, and the service for its clients.
/// `conclaved` and the simulator run this and nothing else.
package final class Host {
    /// How long an orderly stop waits for the others at most.
    private static let patience = Interval.seconds(5)
    /// How often a turn follows what its own proposals led to; more is left for the next turn.
    private static let roundsOfTurn = 64

    package let replica: Replica<Coordinator>
    private var service: Service
    private let drawSecret: () -> Secret
    private let own: NodeID
    private var effects: [HostEffect] = []
    private var serviceEffects: [ServiceEffect] = []
    private var hasWork = false
    /// When this member first suspected, or was told of a suspicion, since it served last.
    private var endingSince: Instant?
    /// When the stop that was asked for is over at the latest.
    private var stopBy: Instant?
    private var hasLeft = false

    /// Recovers from the disk. `drawSecret` gives numbers that nobody guesses: who knows a
    /// session's secret may resume it.
    package init(
        settings: HostSettings, disk: any Disk, fabric: any Fabric, random: SeededRandom,
        drawSecret: @escaping () -> Secret, now: Instant
    ) throws(FatalFault) {
        var blank = Coordinator(quotas: settings.quotas)
        blank.plant = settings.replica.plant
        blank.witness = settings.witness
        replica = try Replica(
            settings: settings.replica, blank: blank, disk: disk, fabric: fabric, random: random,
            now: now)
        var bounds = ServiceSettings(
            own: settings.replica.own, isDurable: settings.replica.durability == .disk,
            heartbeat: settings.replica.heartbeat, suspicion: settings.replica.suspicion,
            stall: settings.replica.stall,
            maximumSessionTTL: settings.replica.maximumSessionTTL,
            maximumCommandByteCount: replica.maximumCommandByteCount)
        bounds.maximumConnections = settings.maximumConnections
        bounds.maximumConnectionsPerUID = settings.maximumConnectionsPerUID
        bounds.validitySlotCount = settings.validitySlotCount
        bounds.addresses = settings.addresses
        bounds.keysPerPiece = settings.keysPerPiece
        bounds.toldByteCountOfTurn = settings.toldByteCountOfTurn
        bounds.administrator = settings.administrator
        bounds.memberAddress = settings.memberAddress
        bounds.mayBeDisturbed = settings.mayBeDisturbed
        bounds.plant = settings.replica.plant
        service = Service(settings: bounds)
        self.drawSecret = drawSecret
        own = settings.replica.own.node
        takeOutputs(now: now)
    }

    package func step(_ input: HostInput, now: Instant) {
        switch input {
        case .fabric(let input): replica.step(input, now: now)
        case .disk(let input): replica.step(input, now: now)
        case .client(let input):
            client(input, now: now)
            seeToWishes(now: now)
        case .tick:
            replica.tick(now: now)
            if service.nextTick <= now { feed(.tick, now: now) }
            checkStop(now: now)
        }
        takeOutputs(now: now)
    }

    /// Sends, journals and answers what the inputs of this turn led to. Called once a turn, after
    /// its inputs.
    package func endTurn(now: Instant, wallClock: Timestamp, effects: inout [HostEffect]) {
        for _ in 0..<Self.roundsOfTurn {
            propose()
            replica.endTurn(now: now, wallClock: wallClock)
            hasWork = takeOutputs(now: now) && replica.isServing && !service.proposals.isEmpty
            if !hasWork { break }
        }
        // The machine is not small, and most turns have nobody to tell.
        if service.mayTellMore,
            service.tellMore(machine: replica.machine, now: now, effects: &serviceEffects)
        {
            hasWork = true
        }
        takeServiceEffects()
        // What waits for this turn's effects is for the next one, which follows at once.
        if service.beginTurn() { hasWork = true }
        checkStop(now: now)
        effects += self.effects
        self.effects.removeAll(keepingCapacity: true)
    }

    /// What may take a while, and nobody waits for. To be called once a turn, when what it led to is
    /// sent and done.
    package func work(now: Instant) {
        replica.work(now: now)
    }

    /// When `step(.tick)` and a turn are due at the latest.
    package var nextTick: Instant {
        if hasWork { return .distantPast }
        let stop = hasLeft ? .distantFuture : stopBy ?? .distantFuture
        return min(replica.nextTick, service.nextTick, stop)
    }

    /// The orderly stop: tells the clients, and asks the others for a view without this member.
    /// Sessions go on, and are resumed at the next daemon. The effect `left` follows within 5 s.
    package func stop(now: Instant) {
        guard stopBy == nil else { return }
        stopBy = now.advanced(by: Self.patience)
        let state = ServingState(isServing: false, reason: "the daemon is stopping")
        tell(state, as: .serving(state), now: now)
        if !replica.leave(now: now) { leave() }
        takeOutputs(now: now)
    }

    private func leave() {
        guard !hasLeft else { return }
        hasLeft = true
        effects.append(.left)
    }

    private func checkStop(now: Instant) {
        if let stopBy, stopBy <= now { leave() }
    }

    private func client(_ input: ClientInput, now: Instant) {
        if service.spareSecret == nil { service.spareSecret = drawSecret() }
        if case .frame(_, let frame) = input, Service.asksForPicture(frame) {
            service.picture = GroupPicture(
                lineage: replica.lineage, view: replica.view, version: replica.version,
                members: replica.memberStates().map { ($0.node, $0.state) },
                addresses: replica.list.entries,
                views: replica.knownViews)
        }
        feed(.client(input), now: now)
    }

    private func seeToWishes(now: Instant) {
        for wish in service.takeWishes() {
            switch wish.content {
            case .change(let change): replica.change(change, number: wish.number, now: now)
            case .salvage(let wanted): replica.salvage(wanted, number: wish.number, now: now)
            case .disturb(let wanted, let by):
                let refusal = refusal(of: wanted)
                if refusal == nil { effects.append(.disturb(wanted, by: by)) }
                feed(.disturbed(wish.number, wanted, refusal), now: now)
            }
        }
    }

    private func refusal(of disturbance: Disturbance?) -> Refusal? {
        guard case .cut(let node)? = disturbance?.kind else { return nil }
        if node == own { return Refusal(.invalid, "member \(node) is this host itself") }
        if replica.list.contains(node) { return nil }
        return Refusal(.invalid, "member \(node) is not on the member list")
    }

    private func feed(_ input: Service.Input, now: Instant) {
        service.step(input, machine: replica.machine, now: now, effects: &serviceEffects)
        takeServiceEffects()
    }

    private func takeServiceEffects() {
        for effect in serviceEffects { effects.append(.client(effect)) }
        serviceEffects.removeAll(keepingCapacity: true)
    }

    /// Hands over what the service wants ordered, as long as the replica takes it.
    private func propose() {
        guard replica.isServing else { return }
        if let number = service.takeMark() { replica.mark(number) }
        let proposals = service.takeProposals()
        for (index, proposal) in proposals.enumerated() where !replica.propose(proposal) {
            return service.putBack(proposals[index...])
        }
    }

    @discardableResult
    private func takeOutputs(now: Instant) -> Bool {
        let outputs = replica.takeOutputs()
        guard !outputs.isEmpty else { return false }
        for output in outputs { take(output, now: now) }
        return true
    }

    private func take(_ output: ReplicaOutput<CoordinationEffect>, now: Instant) {
        switch output {
        case .machine(let machineEffects):
            for case .notUnderstood(let version) in machineEffects {
                effects.append(.event(.commandNotUnderstood(version: version)))
            }
            feed(.machine(machineEffects), now: now)
        case .installed(let view, let rank, let stateReplaced):
            service.maximumSessionTTL = replica.maximumSessionTTL
            let at = replica.knownViews.last?.at ?? replica.appliedTime
            feed(
                .installed(view, rank: rank, at: at, stateReplaced: stateReplaced), now: now)
            if stopBy != nil, rank == nil { leave() }
        case .wedged:
            endingSince = endingSince ?? now
            feed(.wedged, now: now)
        case .confirmed(let since): feed(.confirmed(since: since), now: now)
        case .marked(let number): feed(.marked(upTo: number), now: now)
        case .serving(let isServing, let reason):
            // A daemon that stops said so, and takes it back no more.
            guard stopBy == nil else { return }
            let state = ServingState(isServing: isServing, reason: reason)
            tell(state, as: isServing ? .serving(state) : .pausing(state), now: now)
        case .event(let event):
            if case .suspected = event { endingSince = endingSince ?? now }
            effects.append(.event(event))
            if stopBy != nil, case .leftOut = event { leave() }
        case .memberChange(let number, let outcome):
            feed(.memberChange(number, outcome), now: now)
        case .salvaged(let number, let outcome): feed(.salvaged(number, outcome), now: now)
        case .removed: effects.append(.removed)
        case .fatal(let fault): effects.append(.fatal(fault))
        }
    }

    private func tell(_ state: ServingState, as input: Service.Input, now: Instant) {
        effects.append(.serving(state, endingSince: state.isServing ? endingSince : nil))
        if state.isServing { endingSince = nil }
        feed(input, now: now)
    }
}
