import ConclaveBase
import ConclaveClientCore
import ConclaveCoordination
import ConclaveGroup
import ConclaveReplication
import ConclaveService
import ConclaveWire

/// What daemons do and say.
extension ServiceWorld {
    func start(_ index: Int, stamp: UInt32) throws(Violation) {
        do throws(FatalFault) {
            try cluster.start(index, stamp: stamp) { host, fabric, random throws(FatalFault) in
                timeline.trace.line(
                    at: timeline.now, "START \(host.node) \(host.member.incarnation)")
                heldEffects[index] = []
                var settings = HostSettings(replica: settings(of: index), quotas: quotas)
                settings.keysPerPiece =
                    keyTraffic?.keysPerPiece ?? groupTraffic?.entriesPerPiece
                    ?? settings.keysPerPiece
                settings.toldByteCountOfTurn = toldByteCountOfTurn ?? settings.toldByteCountOfTurn
                settings.witness = world.order
                settings.validitySlotCount = validitySlotCount
                var random = random
                var secrets = random.split()
                return SimulatedService(
                    host: try Host(
                        settings: settings, disk: host.disk, fabric: fabric, random: random,
                        drawSecret: { Secret(high: secrets.next(), low: secrets.next()) },
                        now: host.clock.instant(at: timeline.now)))
            }
        } catch {
            throw Violation(.progress, "node \(cluster.nodes[index]) cannot start: \(error)")
        }
        try watch.started(on: index)
        if hasEditedFiles, random.chance(perMille: 500) { askForTooLong(of: index) }
    }

    /// In some worlds a turn answers next to nothing, so that replies are held for the turns after it.
    private var toldByteCountOfTurn: Int? {
        var random = SeededRandom(seed: ~options.seed)
        return random.chance(perMille: 250) ? 256 : nil
    }

    private func settings(of index: Int) -> ReplicaSettings {
        var settings = shape.replicaSettings(
            own: cluster.hosts[index].member, nodes: watch.administrator.files[index])
        settings.plant = options.plant
        settings.maximumSessionTTL = longestTTL(inFileOf: index)
        return settings
    }

    private func longestTTL(inFileOf index: Int) -> Interval {
        guard hasEditedFiles, watch.checker.newestEpoch > .none else {
            return shape.maximumSessionTTL
        }
        let start = cluster.hosts[index].member.incarnation.number
        var random = SeededRandom(seed: options.seed ^ start)
        let shortest = shape.suspicion * 3
        if random.chance(perMille: 500) { return shortest }
        return random.interval(in: shortest...shape.maximumSessionTTL * 2)
    }

    /// What a start of a daemon would find on a disk.
    func remembered(
        on image: DiskImage, by index: Int, known: KnownBatches
    ) throws(FatalFault) -> Remembered {
        var blank = Coordinator(quotas: quotas)
        blank.plant = options.plant
        return try Replica.remembered(
            on: image, settings: settings(of: index), blank: blank, known: known)
    }

    func daemonTurn(of index: Int, stamp: UInt32) throws(Violation) {
        guard let (daemon, now) = cluster.beginTurn(of: index, stamp: stamp) else { return }
        if !heldEffects[index].isEmpty {
            let held = heldEffects[index]
            heldEffects[index] = []
            for effect in held { try take(effect, from: daemon, index: index, decidedAt: nil) }
        }
        if !isFinishing, random.chance(perMille: 2) { proposeLate(from: daemon) }
        let isHeldBack = cluster.endTurn(of: index, daemon: daemon, now: now)
        let effects = daemon.takeEffects()
        try watch.checkAcknowledged(by: daemon, on: index)
        try watch.lookAtSegments(of: daemon, on: index)
        guard !isHeldBack else {
            heldEffects[index] = effects
            cluster.hosts[index].inbox.askForTurn()
            return
        }
        for effect in effects { try take(effect, from: daemon, index: index, decidedAt: now) }
        try watch.checkServing(daemon, on: index)
        if random.chance(perMille: 10) { try compareStateIfWorthIt(of: index) }
    }

    /// A large state is compared more rarely: that takes as long as the state is large.
    private func compareStateIfWorthIt(of index: Int) throws(Violation) {
        guard let machine = cluster.hosts[index].daemon?.host.replica.machine else { return }
        comparisonsOwed += 1
        guard comparisonsOwed * Self.rowsPerComparison >= machine.rowCount else { return }
        comparisonsOwed = 0
        try compareState(of: index)
    }

    private static var rowsPerComparison: Int { 256 }

    /// Equal versions, equal states.
    func compareState(of index: Int) throws(Violation) {
        guard let replica = cluster.hosts[index].daemon?.host.replica else { return }
        let point = StatePoint(version: replica.version, epoch: replica.machine.view.epoch)
        let digest = replica.machine.digest
        timeline.mix(digest)
        guard digests.updateValue(digest, forKey: point) ?? digest == digest else {
            throw Violation(
                .totalOrder,
                "node \(cluster.nodes[index]) has another state at version "
                    + "\(point.version.counter) in view \(point.epoch)")
        }
    }

    private func take(
        _ effect: HostEffect, from daemon: SimulatedService, index: Int, decidedAt now: Instant?
    ) throws(Violation) {
        switch effect {
        case .client(.show(let slot, let session, let deadline)):
            try show(deadline, of: session, in: slot, from: daemon, on: index, decidedAt: now)
        case .client(let effect):
            try take(effect, from: daemon)
        case .event(let event):
            try take(event, from: daemon, index: index)
        case .serving(let state, _):
            world.trace { "node \(cluster.nodes[index]) \(state)" }
        case .fatal(let fault):
            try watch.take(fault, on: index)
        case .removed:
            try watch.checkRemoved(index)
            watch.administrator.wasRemoved(index)
        case .disturb: break
        case .left:
            if cluster.hosts[index].isLeaving { watch.endByItself(index) }
        }
    }

    private func take(
        _ event: GroupEvent, from daemon: SimulatedService, index: Int
    ) throws(Violation) {
        try watch.take(event, on: index)
        guard case .installed(let view) = event, !watch.isStale(daemon) else { return }
        try watch.installed(view, lineage: daemon.host.replica.lineage, on: index)
    }

    // MARK: - For clients

    private func show(
        _ deadline: Instant, of session: SessionID, in slot: UInt32, from daemon: SimulatedService,
        on index: Int, decidedAt now: Instant?
    ) throws(Violation) {
        let host = cluster.hosts[index]
        let place = ValidityChecker.Place(
            host: index, startCount: host.startCount, slot: slot, session: session)
        try validity.show(
            deadline, at: place, ttl: world.order.ttl(of: session), clock: host.clock, now: now)
        if deadline == .distantPast {
            world.trace { "node \(cluster.nodes[index]) withdraws session \(session)" }
        }
        daemon.page.show(deadline, of: session, in: slot)
        try checkHoldings(of: session, page: daemon.page)
    }

    private func take(
        _ effect: ServiceEffect, from daemon: SimulatedService
    ) throws(Violation) {
        switch effect {
        case .send(let id, let bytes, let attachPage):
            guard let link = links[id], link.isOpen else { return }
            if id == operatorLink?.id { return try hear(bytes, at: link.host) }
            link.client?.inbox.put(
                .socket(.bytes(id, bytes, page: attachPage ? daemon.page : nil)))
            noteUnread(bytes.count, on: id)
        case .close(let id):
            guard let link = links[id], link.isOpen else { return }
            links[id]?.isOpen = false
            link.client?.inbox.put(.socket(.closed(id)))
        case .forget(let id):
            links[id]?.isWatched = false
            if links[id]?.isOpen == false { links[id] = nil }
        case .pauseReading(let id):
            links[id]?.isPaused = true
        case .resumeReading(let id):
            resumeReading(id)
        case .stop(let id, let session, let action):
            try stop(id, session, action)
        case .show:
            preconditionFailure("a deadline is shown by the host that decided on it")
        }
    }

    /// Beyond what the kernel keeps for a client that does not read, the daemon keeps it, and its
    /// service is told so.
    private func noteUnread(_ byteCount: Int, on id: ConnectionID) {
        guard var link = links[id] else { return }
        link.unreadByteCount += byteCount
        let isFull = link.unreadByteCount > world.socketByteCount
        if isFull, !link.isStalled {
            link.isStalled = true
            let excess = link.unreadByteCount - world.socketByteCount
            cluster.hosts[link.host].inbox.put(.client(.stalled(id, byteCount: excess)))
        }
        links[id] = link
    }

    private func resumeReading(_ id: ConnectionID) {
        guard let link = links[id] else { return }
        links[id]?.isPaused = false
        links[id]?.waiting = []
        for frame in link.waiting {
            cluster.hosts[link.host].inbox.put(.client(.frame(id, frame)))
        }
    }

    private func checkHoldings(of session: SessionID, page: ValidityPage) throws(Violation) {
        for seat in seats {
            guard let client = seat.client, client.session == session, client.maps(page) else {
                continue
            }
            try world.exclusion.check(client)
        }
    }

    /// The daemon's process is gone: its clients' sockets close, and with the power go they too.
    func daemonEnded(on host: Int) {
        heldEffects[host] = []
        for (id, link) in links.sorted(by: { $0.key < $1.key }) where link.host == host {
            links[id] = nil
            if link.isOpen { link.client?.inbox.put(.socket(.closed(id))) }
        }
        guard !cluster.hosts[host].hasPower else { return }
        for seat in seats.indices where seats[seat].host == host {
            killClient(in: seat)
            scheduleSpawn(in: seat, after: world.pause(&random))
        }
    }

    /// Programs move to another machine when theirs is taken out of the group.
    func hostIsRetired(_ host: Int) {
        for seat in seats.indices where seats[seat].host == host { move(seat) }
    }

    func moveClientsFromStrangers() {
        for seat in seats.indices where !watch.administrator.isListed(seats[seat].host) {
            move(seat)
        }
    }

    private func move(_ seat: Int) {
        killClient(in: seat)
        let hosts = watch.listedHosts.map(\.index)
        if !hosts.isEmpty { seats[seat].host = WorldShape.pick(hosts, &random) }
        scheduleSpawn(in: seat, after: world.pause(&random))
    }
}
