import ConclaveBase
import ConclaveClientCore
import ConclaveCoordination
import ConclaveReplication
import ConclaveService
import ConclaveWire

/// The end of a run: everything heals, everybody is answered, and nothing is left of anybody.
extension ServiceWorld {
    /// C8: everybody comes back, and requests of every client are answered.
    func heal() throws(Violation) {
        world.isHealing = true
        endLongPauses()
        wantSessionsOfTheAbsent()
        let limit = timeline.now.advanced(by: Self.healingTime)
        try advance(until: timeline.now.advanced(by: .seconds(30))) { self.watch.isWhole }
        // No time to lose where time does not help.
        if watch.needsOperator { return }
        try advance(until: limit) { self.watch.isWhole }
        guard watch.isWhole || watch.needsOperator else {
            throw Violation(.progress, "not whole after \(Self.healingTime): \(situation)")
        }
        guard watch.isWhole else { return }
        moveClientsFromStrangers()
        try expectTakeovers()
        // Where some find no room others may wait for them for ever.
        if !world.hasQuotas {
            try expectAnswers(to: seats.compactMap(\.client), until: limit)
            try goOnWithoutMinority()
        }
        try settle()
    }

    /// Who hangs holds up those that wait for what it has: not for longer than its session would last
    /// by itself, from now on.
    private func endLongPauses() {
        let longest = timeline.now.advanced(by: shape.maximumSessionTTL)
        for case let client? in seats.map(\.client)
        where !client.isFrozen && client.inbox.pausedUntil > longest {
            client.inbox.resume()
            client.inbox.pause(for: shape.maximumSessionTTL)
        }
    }

    /// In some runs other processes want sessions of members that are about to come back; they may
    /// do so while those are still believed in.
    private func wantSessionsOfTheAbsent() {
        var other = SeededRandom(seed: options.seed ^ 0x7761_6E74_6564_0000)
        guard shape.faults.contains(.clientTakeover), other.chance(perMille: 300) else { return }
        for seat in seats.indices
        where cluster.hosts[seats[seat].host].daemon?.isServing == false {
            takeOver(from: seat)
        }
    }

    /// K6, K7: who wants a session has it, or is refused, and what an administrator wanted to end is
    /// over, when what was shown before is.
    private func expectTakeovers() throws(Violation) {
        var owed = world.order.wanted
        var forced = world.order.forced
        let patience = shape.maximumSessionTTL * 2 + shape.suspicion * 8 + .seconds(10)
        try advance(until: timeline.now.advanced(by: patience)) {
            let wanted = self.world.order.wanted
            owed = owed.filter { wanted[$0.key] == $0.value }
            forced.formIntersection(self.world.order.forced)
            return owed.isEmpty && forced.isEmpty
        }
        if let session = forced.min() {
            throw Violation(
                .progress, "session \(session) was to end by force, and goes on: " + situation)
        }
        guard let (session, _) = owed.min(by: { $0.key < $1.key }) else { return }
        throw Violation(
            .progress,
            "another process wants session \(session), and neither gets it nor is refused: "
                + situation)
    }

    /// All get an answer of the group from now on. A client that is over, or whose place was taken,
    /// needs none, nor does one that was stopped, before somebody lets it go on.
    private func expectAnswers(to clients: [ClientProcess], until limit: Moment) throws(Violation) {
        let before = clients.map(\.answeredCount)
        let isDone = {
            zip(clients, before).allSatisfy { client, before in
                !client.isAlive || client.isOver || client.isFrozen || client.isContent
                    || client.answeredCount > before
            }
        }
        try advance(until: limit, done: isDone)
        guard isDone() else {
            throw Violation(.progress, "clients wait for ever: \(situation)")
        }
    }

    /// C8: a minority may fail at once and for good, in whatever manner; clients of the others are
    /// answered, and the minority comes back when it can. Who waits at a barrier may wait for
    /// somebody of the minority.
    private func goOnWithoutMinority() throws(Violation) {
        try advanceUntilWhole("not whole again")
        let survivors = watch.fellMinority()
        let clients = seats.filter { survivors.contains($0.host) }.compactMap(\.client)
            .filter { !$0.program.needsOthers }
        let patience = shape.stall + shape.maximumSessionTTL * 8 + .seconds(120)
        try expectAnswers(to: clients, until: timeline.now.advanced(by: patience))
        faults.stop()
        try advanceUntilWhole("the minority does not come back")
    }

    private func advanceUntilWhole(_ complaint: String) throws(Violation) {
        try advance(until: timeline.now.advanced(by: Self.healingTime)) { self.watch.isWhole }
        guard watch.isWhole else {
            throw Violation(.progress, "\(complaint): \(situation)")
        }
    }

    /// Each request of a client that runs is answered, unless it waits in the group.
    private func settle() throws(Violation) {
        var owed: [(client: ClientProcess, number: UInt64)] = []
        for case let client? in seats.map(\.client) {
            for number in client.unanswered.sorted() { owed.append((client, number)) }
        }
        let limit = timeline.now.advanced(by: Self.healingTime)
        try advance(until: limit) {
            owed.removeAll { !self.isOwed($0.number, to: $0.client) }
            return owed.isEmpty
        }
        guard let first = owed.first else { return }
        throw Violation(
            .progress,
            "client \(first.client.index) is not told what became of its request \(first.number): "
                + situation)
    }

    private func isOwed(_ number: UInt64, to client: ClientProcess) -> Bool {
        guard client.isAlive, !client.isOver, !client.isFrozen,
            client.unanswered.contains(number), let session = client.session
        else { return false }
        return !world.order.isWaiting(number, of: session)
    }

    /// All clients end their work and say goodbye: then nothing of them is left, and whoever
    /// follows a slot knows it.
    func finish() throws(Violation) {
        guard watch.isWhole else { return }
        isFinishing = true
        for seat in seats.indices { thaw(in: seat) }
        try checkMembers()
        let limit = timeline.now.advanced(by: Self.healingTime)
        try finish(until: limit) { !$0.isContent }
        try advance(until: timeline.now.advanced(by: .seconds(2))) { false }
        try checkObservers()
        try finish(until: limit) { _ in true }
    }

    /// Who follows a task group was told what is behind it.
    private func checkMembers() throws(Violation) {
        guard groupTraffic != nil else { return }
        let version = world.order.version
        try advance(until: timeline.now.advanced(by: .seconds(2))) { false }
        for case let client? in seats.map(\.client) { try checkFollower(client, upTo: version) }
    }

    private func checkFollower(
        _ client: ClientProcess, upTo version: Version
    ) throws(Violation) {
        guard client.isAlive, !client.isOver, client.connection != nil,
            client.inbox.pausedUntil < timeline.now
        else { return }
        if let member = client.program as? GroupProgram {
            try member.checkIsTold(upTo: version, world: world)
        } else if let follower = client.program as? GroupWatchProgram {
            try follower.checkIsTold(upTo: version, world: world)
        }
    }

    private func finish(
        until limit: Moment, _ isMeant: (ClientProcess) -> Bool
    ) throws(Violation) {
        for case let client? in seats.map(\.client) where isMeant(client) {
            client.program.finish(at: timeline.now)
            client.inbox.askForTurn()
        }
        try advance(until: limit) { self.isIdle(isMeant) }
        guard isIdle(isMeant) else {
            throw Violation(.progress, "something of the clients is left: \(situation)")
        }
    }

    private func isIdle(_ isMeant: (ClientProcess) -> Bool) -> Bool {
        seats.allSatisfy { seat in
            guard let client = seat.client, isMeant(client) else { return true }
            return !client.isAlive || client.isOver
        }
            && watch.listedHosts.allSatisfy { host in
                guard let machine = host.daemon?.host.replica.machine else { return false }
                let kept = machine.keyCount + machine.latchCount
                return machine.sessionCount == 0 && machine.objectCount == kept
                    && machine.ephemeralKeyCount == 0
            }
    }

    /// Nobody leads any more, and observers were told so; whoever watches keys knows what they are.
    private func checkObservers() throws(Violation) {
        for case let client? in seats.map(\.client) {
            try checkWatcher(client)
            try checkFollower(client, upTo: world.order.version)
            guard client.isAlive, !client.isOver, client.connection != nil,
                client.inbox.pausedUntil < timeline.now,
                let observer = client.program as? ObserverProgram, let newest = observer.newest
            else { continue }
            guard let leader = newest.leaders.first else { continue }
            throw Violation(
                .progress,
                "client \(client.index) was not told that \(newest.slot) is led by nobody, but "
                    + "that session \(leader.session) does")
        }
    }

    private func checkWatcher(_ client: ClientProcess) throws(Violation) {
        guard client.isAlive, !client.isOver, client.connection != nil,
            client.inbox.pausedUntil < timeline.now,
            let watcher = client.program as? WatchProgram, watcher.isSure
        else { return }
        let present = world.order.presentEntries(of: watcher.subject)
        guard watcher.entries != present else { return }
        throw Violation(
            .progress,
            "client \(client.index) watches \(watcher.subject) and knows of \(watcher.entries), but "
                + "there is \(present)")
    }

    /// What the processes did and were told, as one history.
    func checkHistory(_ report: inout RunReport) throws(Violation) {
        for case let client? in seats.map(\.client) where client.isAlive && !client.isOver {
            let since = world.believedUntil(client)
            guard client.session != nil, since < timeline.now else { continue }
            world.record(.lost(since: since.nanoseconds), by: client)
        }
        let history: History
        do {
            history = try History(world.events)
        } catch {
            throw Violation(.exactlyOnce, "the clients' history is none: \(error)")
        }
        var checker = HistoryChecker(history, wasGivenUp: watch.checker.hasGivenUp)
        try checker.check()
        report.undecidedCount = checker.undecidedCount
        timeline.trace.line(
            at: timeline.now,
            "HISTORY of \(world.events.count) events, \(checker.objectCount) objects, "
                + "\(checker.stepCount) steps, \(checker.undecidedCount) undecided")
    }
}
