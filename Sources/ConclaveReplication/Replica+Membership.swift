import ConclaveBase
import ConclaveGroup

extension Replica {
    /// Steps the membership and does what it asks for, in order.
    func run(_ input: Membership.Input, now: Instant) {
        var inputs: [Membership.Input] = []
        step(input, then: &inputs, now: now)
        while !inputs.isEmpty { step(inputs.removeFirst(), then: &inputs, now: now) }
    }

    private func step(
        _ input: Membership.Input, then inputs: inout [Membership.Input], now: Instant
    ) {
        if membership.isCoordinating { tellWhoIsRemembered() }
        var effects: [Membership.Effect] = []
        membership.step(input, now: now, effects: &effects)
        for effect in effects { perform(effect, then: &inputs, now: now) }
    }

    /// Of the state as it is: of the same one it is told once.
    private func tellWhoIsRemembered() {
        let state = RememberedState(
            lineage: membership.memory.lineage, epoch: membership.memory.epoch,
            version: order.version, isWhole: hasState)
        guard state != toldRemembered, let installed = membership.memory.current?.installed
        else { return }
        toldRemembered = state
        membership.isRemembered.removeAll(keepingCapacity: true)
        guard !installed.departed.isEmpty || !installed.absent.isEmpty else { return }
        let machine = order.machine
        for departed in installed.departed + installed.absent {
            membership.isRemembered[departed.member] =
                !hasState || machine.remembers(departed.member)
        }
    }

    private func perform(
        _ effect: Membership.Effect, then inputs: inout [Membership.Input], now: Instant
    ) {
        switch effect {
        case .send(let frame, let node): send(.membership(frame), to: node)
        case .record(let record, let token):
            let tag = nextTag()
            viewTokens[tag] = token
            viewJournal.append(record, to: disk, tag: tag)
        case .wedge: wedge(then: &inputs)
        case .raise(let trim):
            raiseTarget = trim
            if isLevelWithTarget { inputs.append(.level) }
        case .fill(let node, let ranges): sendFill(ranges, to: node)
        case .levelJoiner(let joiner, let trim): level(joiner, with: trim, now: now)
        case .install(let value, let seat): enter(value, seat, then: &inputs, now: now)
        case .learn:
            // The others have gone on: who teaches now may be asked at once.
            learning = nil
            if !isPausing { nextJoin = .distantPast }
        case .event(let event): observe(event)
        }
    }

    private func observe(_ event: GroupEvent) {
        if case .waiting(let nodes, let purpose) = event {
            if let before = waitingFor, before == (nodes, purpose) { return }
            waitingFor = (nodes, purpose)
        }
        tell(event: event)
    }

    /// Ends the epoch's traffic. What was received and not delivered is held, and synced before the
    /// membership is told that it is frozen (V15).
    func wedge(then inputs: inout [Membership.Input]) {
        if let state = epoch, !state.isWedged {
            held = state.multicast.undelivered()
            echoed = state.pulse.lastEchoed
            tell(.wedged(state.view.epoch))
        }
        epoch?.isWedged = true
        pending.removeAll()
        words.removeAll()
        isFreezing = true
        journal?.flush(to: disk, nextTag: nextTag)
        if let input = frozenInput { inputs.append(input) }
    }

    private var frozenInput: Membership.Input? {
        let isHasty = settings.plant == .frozenBeforeSync
        guard isFreezing, isHasty || journal?.isIdle ?? true else { return nil }
        isFreezing = false
        return .frozen(
            vector: hasState ? held.vector : nil, delivered: held.delivered, echoed: echoed)
    }

    func checkFrozen(now: Instant) {
        if let input = frozenInput { run(input, now: now) }
    }

    // Bringing members level with the trim (V17).

    private func sendFill(_ ranges: [FillRange], to node: NodeID) {
        let number = membership.memory.epoch
        var records: [JournalRecord] = []
        var size = 0
        for range in ranges where range.sender < held.vector.count {
            for message in held.messages(of: range.sender, in: range.ordinals) {
                records.append(JournalRecord(epoch: number, message: message))
                size += message.payload.count + JournalRecord.overhead
                if size > TransferPart.byteCount {
                    send(.fill(number, records), to: node)
                    records.removeAll()
                    size = 0
                }
            }
        }
        if !records.isEmpty { send(.fill(number, records), to: node) }
    }

    func fill(_ number: Epoch, _ records: [JournalRecord], now: Instant) {
        guard hasState, number == membership.memory.epoch, membership.seat == .voter else {
            return
        }
        for record in records where record.epoch == number {
            hold(record.message, epoch: number)
        }
        journal?.flush(to: disk, nextTag: nextTag)
        tellHeld()
        checkLevel(now: now)
    }

    /// A voter that was sent what it lacked says in its next promise that it has it, but only once
    /// it is synced: a promise is synced on another lane, and would outlive what it speaks of.
    func tellHeld() {
        guard membership.seat == .voter, hasState, learning == nil, journal?.isIdle ?? true else {
            return
        }
        membership.holds(held.vector, delivered: held.delivered)
    }

    /// Holds and journals one message of an epoch that is not running here.
    func hold(_ message: OrderedMessage, epoch: Epoch) {
        let before = held.vector
        guard held.append(message), held.vector != before else { return }
        journal?.append(message, epoch: epoch, vector: held.vector)
    }

    private var isLevelWithTarget: Bool {
        guard let target = raiseTarget, journal?.isIdle ?? true else { return false }
        let vector = held.vector
        return vector.count == target.count && zip(vector, target).allSatisfy { $0 >= $1 }
    }

    func checkLevel(now: Instant) {
        guard raiseTarget != nil, isLevelWithTarget else { return }
        raiseTarget = nil
        run(.level, now: now)
    }

    // Entering a view (V20).

    /// Delivers what lies below the trim, applies the view at that point of the order, and starts
    /// its epoch if this incarnation has a seat.
    private func enter(
        _ value: NextView, _ seat: Membership.Seat, then inputs: inout [Membership.Input],
        now: Instant
    ) {
        endEpoch()
        partFromRemoved(by: value, now: now)
        forgetChainInMemory()
        advanceOrder(to: value)
        adoptLineage(resuming: nil)
        adoptMembers()
        isContinuous = seat == .member
        if seat == .member {
            guard hasState else {
                return fail(.broken("view \(value.epoch) gives a seat to a member without state"))
            }
            start(value, now: now)
        } else {
            held = HeldMessages(delivered: order.delivered)
            membership.holds(hasState ? held.vector : nil, delivered: held.delivered)
            learning = nil
            pauseBeforeJoining(now: now)
        }
        judgeChange(now: now)
    }

    /// Nothing is replayed in memory mode: older views serve no purpose there, and no snapshot ever
    /// makes them unnecessary.
    func forgetChainInMemory() {
        guard settings.durability == .memory else { return }
        viewJournal.forget(before: viewJournal.memory.epoch)
    }

    private func endEpoch() {
        epoch = nil
        digest = nil
        order.makesDigests = false
        pending.removeAll()
        words.removeAll()
        raiseTarget = nil
        waitingFor = nil
        isFreezing = false
    }

    private func advanceOrder(to value: NextView) {
        if let plan = salvage?.plan {
            order = plan.order
            hasState = true
            return tell(
                .installed(
                    value.installed, rank: value.view.rank(of: settings.own.node),
                    stateReplaced: true))
        }
        let wasContinuous = isContinuous
        var newEffects: [Machine.Effect] = []
        if value.installed.stateWasLost {
            order.reset(to: blank)
            order.install(value, effects: &newEffects)
            hasState = true
        } else if value.epoch == Epoch(1), order.current == nil {
            order.install(value, effects: &newEffects)
            hasState = true
        } else if order.current?.epoch.next == value.epoch, coversTrim(of: value) {
            for message in held.deliver(below: value.trim) {
                order.apply(message, effects: &newEffects)
            }
            order.install(value, effects: &newEffects)
            hasState = true
        } else {
            hasState = false
        }
        if wasContinuous, !newEffects.isEmpty { tell(.machine(newEffects)) }
        takeVerdicts(isTold: wasContinuous)
        let rank = value.view.contains(settings.own) ? value.view.rank(of: settings.own.node) : nil
        tell(
            .installed(
                value.installed, rank: rank,
                stateReplaced: !wasContinuous || value.installed.stateWasLost))
    }

    private func coversTrim(of value: NextView) -> Bool {
        let vector = held.vector
        return vector.count == value.trim.count
            && zip(vector, value.trim).allSatisfy { $0 >= $1 }
    }

    private func start(_ value: NextView, now: Instant) {
        guard let rank = value.view.rank(of: settings.own.node) else { return }
        learning = nil
        // Who has a seat now is not taught any more: the order comes to it another way.
        teachings.removeAll { value.view.contains($0.learner) }
        joinedAt = now
        stays.entered(value.installed, now: now)
        order.makesDigests = true
        epoch = EpochState(view: value.view, own: rank, settings: settings, now: now)
        medianClock.begin(memberCount: value.view.members.count)
        epoch?.pulse.beat(now: now, wallClock: wallClock)
        for member in value.members where member != settings.own {
            guard paths[member.node] == member else { continue }
            send(.ready(value.epoch), to: member.node)
            startRows(to: member.node)
        }
    }
}
