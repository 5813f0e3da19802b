import ConclaveBase
import ConclaveClientCore
import ConclaveCoordination
import ConclaveService
import ConclaveWire

/// Processes that their daemon stops before what they hold is somebody else's, as they have asked.
extension ServiceWorld {
    /// A signal on its way.
    struct Stop {
        var client: ClientProcess
        var action: LossAction
    }

    /// The daemon sends a signal to the process that opened a connection.
    func stop(
        _ id: ConnectionID, _ session: SessionID, _ action: LossAction
    ) throws(Violation) {
        guard let client = links[id]?.client, client.isAlive else { return }
        world.trace { "client \(client.index) is to \(action) before it loses \(session)" }
        try checkReason(to: action, client, session)
        stopCount += 1
        stops[stopCount] = Stop(client: client, action: action)
        let ttl = client.core.session?.ttl ?? shape.suspicion * 3
        let margin = LossAction.margin(of: ttl)
        let delay = world.lossActions?.delay(within: margin) ?? .zero
        timeline.schedule(.work(index: Self.stopIndex, stamp: stopCount), after: delay)
    }

    /// Nobody is stopped for what he has let go of, as far as the daemon can know.
    private func checkReason(
        to action: LossAction, _ client: ClientProcess, _ session: SessionID
    ) throws(Violation) {
        // Of one that has lost it by its own clock nobody knows what it was granted meanwhile.
        guard client.session == session, client.unanswered.isEmpty, !client.isOver,
            !client.saysGoodbye,
            client.core.guards.strongest < action
        else { return }
        throw Violation(
            .badInput, "client \(client.index) is to \(action), but holds nothing that asks for it")
    }

    func isStopped(by number: UInt32) {
        guard let stop = stops.removeValue(forKey: number), stop.client.isAlive else { return }
        let seat = stop.client.index
        switch stop.action {
        case .notify: break
        case .signal:
            stop.client.program.finish(at: timeline.now)
            stop.client.inbox.askForTurn()
        case .freeze:
            guard !stop.client.isFrozen else { return }
            world.trace { "client \(seat) stands still" }
            stop.client.isFrozen = true
            stop.client.inbox.pause(for: Self.healingTime * 100)
            let longest = shape.maximumSessionTTL * (world.isHealing ? 1 : 4)
            let length = world.lossActions?.freeze(upTo: longest) ?? .zero
            timeline.schedule(.work(index: Self.thawIndex, stamp: UInt32(seat)), after: length)
        case .kill:
            killClient(in: seat)
            scheduleSpawn(in: seat, after: world.pause(&random))
        }
    }

    /// An administrator comes, and lets a process go on or kills it.
    func thaw(in seat: Int) {
        guard let client = seats[seat].client, client.isAlive, client.isFrozen else { return }
        if isFinishing || world.lossActions?.isThawed() ?? true {
            world.trace { "client \(seat) goes on" }
            client.isFrozen = false
            client.thawedSession = client.session
            client.inbox.resume()
            client.inbox.askForTurn()
        } else {
            killClient(in: seat)
            scheduleSpawn(in: seat, after: world.pause(&random))
        }
    }

    /// A process has resumed its session, and what it is to be stopped for is known to this run of its
    /// daemon by its word alone: a good time for it to hang, and for its host to be cut off.
    func provokeHang(of seat: Int) {
        guard shape.faults.contains(.clientPause), shape.faults.contains(.isolate),
            !shape.spared.contains(seats[seat].host), !isFinishing, !faults.isStopped,
            world.lossActions?.isHung() ?? false
        else { return }
        let pause =
            world.lossActions?.hang(between: shape.heartbeat, shape.suspicion * 2) ?? .zero
        timeline.schedule(.work(index: Self.hangIndex, stamp: UInt32(seat)), after: pause)
    }

    func hang(in seat: Int) {
        guard !isFinishing, !faults.isStopped, let client = seats[seat].client, client.isAlive,
            client.core.guards.strongest.isFinal
        else { return }
        let longest = shape.maximumSessionTTL
        let length = world.lossActions?.hang(between: longest, longest * 2) ?? .zero
        faults.isolate(seats[seat].host, for: length)
        seats[seat].inbox.pause(for: length * 2)
    }

    /// C5: who has asked to be stopped stands still before what it holds may be somebody else's,
    /// unless its daemon cannot: it has ended since, or did not run when it was time.
    func checkStopped(_ session: SessionID, _ what: String) {
        let owner = world.order.process(of: session)
        for case let client? in seats.map(\.client) where client.session == session {
            if owner?.isSameProcess(as: client.identity) ?? false { continue }
            guard client.isAlive, !client.isOver, !client.isFrozen,
                client.thawedSession != session,
                client.core.guards.strongest.isFinal, isWatchedOver(client)
            else { continue }
            world.order.report(
                .mutualExclusion,
                "session \(session) \(what) while client \(client.index) runs, which is to "
                    + "\(client.core.guards.strongest)")
        }
    }

    /// Its daemon knows what it holds, and ran when it was time to stop it. What it has withdrawn it
    /// has done that for.
    private func isWatchedOver(_ client: ClientProcess) -> Bool {
        let host = cluster.hosts[client.host]
        guard let daemon = host.daemon, client.maps(daemon.page),
            let deadline = client.shownDeadline, let ttl = client.core.session?.ttl
        else { return false }
        let margin = LossAction.margin(of: ttl)
        // One that went on only now may have come too late, and its signal be on its way.
        if deadline == .distantPast {
            return timeline.now.since(host.inbox.pausedUntil) > margin
        }
        let due = deadline.advanced(by: .zero - margin)
        return host.inbox.pausedUntil < host.clock.moment(of: due)
    }
}
