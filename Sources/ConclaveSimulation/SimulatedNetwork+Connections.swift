package import ConclaveBase

/// How connections begin and end.
extension SimulatedNetwork {
    // MARK: - Processes

    package func processStarted(on host: Int, as member: Member) {
        hosts[host].hasPower = true
        hosts[host].process = member
        hosts[host].heldUntil = timeline.now
        for peer in 0..<hostCount where peer != host {
            scheduleDial(host, peer, anew: true)
        }
    }

    /// The process is gone and its host closes what it had open: the others learn it soon.
    package func processEnded(on host: Int) {
        forgetProcess(on: host)
        for peer in 0..<hostCount where peer != host {
            let end = end(of: host, to: peer)
            guard ends[end].state != .closed else { continue }
            if random.chance(perMille: 500) { loseTails(of: end) }
            close(end, announced: true)
        }
    }

    /// The host falls silent: nobody is told anything.
    package func powerLost(on host: Int) {
        forgetProcess(on: host)
        hosts[host].hasPower = false
        for peer in 0..<hostCount where peer != host {
            let end = end(of: host, to: peer)
            guard ends[end].state != .closed else { continue }
            loseTails(of: end)
            close(end, announced: false)
        }
    }

    private func forgetProcess(on host: Int) {
        hosts[host].process = nil
        hosts[host].lineage = .none
        hosts[host].givenUp = []
        hosts[host].known = Array(repeating: true, count: hostCount)
    }

    /// Connections to those of another one end.
    package func adopt(lineage: Lineage, givenUp: [Lineage] = [], on host: Int) {
        hosts[host].lineage = lineage
        hosts[host].givenUp = givenUp
        for peer in 0..<hostCount where peer != host && !fits(host, peer) {
            let end = end(of: host, to: peer)
            if ends[end].state != .closed { closeByOwner(end) }
        }
    }

    /// Connections to others end.
    package func adopt(known: [Bool], on host: Int) {
        hosts[host].known = known
        for peer in 0..<hostCount where peer != host && !known[peer] {
            let end = end(of: host, to: peer)
            if ends[end].state != .closed { closeByOwner(end) }
        }
    }

    // MARK: - Ends

    /// What a process asks for, of a connection that it was told of.
    func closeOwnEnd(of host: Int, to peer: Int, connection: UInt32) {
        let end = end(of: host, to: peer)
        guard ends[end].state == .open, ends[end].connection == connection else { return }
        closeByOwner(end)
    }

    /// This end's own choice: its process is told that it gave up.
    func closeByOwner(_ end: Int) {
        let connection = ends[end].connection
        let wasOpen = ends[end].state == .open
        close(end, announced: true)
        guard wasOpen else { return }
        tell(end, connection: connection, .closed(byPeer: false))
    }

    /// Closes an end without telling its own process. What it sent may still arrive.
    private func close(_ end: Int, announced: Bool) {
        let connection = ends[end].connection
        ends[end].state = .closed
        let peer = owner(ofEnd: opposite(end))
        if announced { announceBreak(to: opposite(end), connection: connection, gracefully: true) }
        scheduleDial(owner(ofEnd: end), peer, anew: false)
    }

    /// Sends word of the end to `end`: behind the frames on the way if `gracefully`, or past them,
    /// so that they are lost.
    func announceBreak(to end: Int, connection: UInt32, gracefully: Bool) {
        guard ends[end].state != .closed, ends[end].connection == connection else { return }
        let incoming = opposite(end)
        var moment = max(
            timeline.now.advanced(by: directions[incoming].profile.delays.draw(from: &random)),
            ends[end].openAt)
        if gracefully, random.chance(perMille: 700) {
            for stream in outgoing(incoming) { moment = max(moment, streams[stream].lastArrival) }
        }
        timeline.schedule(.broken(end: UInt16(end), connection: connection), at: moment)
    }

    func learnOfBreak(end: Int, connection: UInt32) {
        guard ends[end].connection == connection, ends[end].state != .closed else { return }
        guard !directions[opposite(end)].isCut else {
            let retry = directions[opposite(end)].profile.retry
            timeline.schedule(
                .broken(end: UInt16(end), connection: connection), after: retry * 2)
            return
        }
        let wasOpen = ends[end].state == .open
        ends[end].state = .closed
        if wasOpen { tell(end, connection: connection, .closed(byPeer: true)) }
        scheduleDial(owner(ofEnd: end), owner(ofEnd: opposite(end)), anew: false)
    }

    private func loseTails(of end: Int) {
        for stream in outgoing(end) where !streams[stream].isEmpty {
            let kept = random.below(UInt64(streams[stream].count) + 1)
            streams[stream].truncate(to: Int(kept))
        }
    }

    private func tell(_ end: Int, connection: UInt32, _ content: FabricDelivery.Content) {
        timeline.trace.line(
            at: timeline.now,
            "end \(owner(ofEnd: end) + 1)-\(owner(ofEnd: opposite(end)) + 1) \(content)")
        let delivery = FabricDelivery(
            peer: owner(ofEnd: opposite(end)), connection: connection, content: content)
        inboxes[owner(ofEnd: end)].put(.fabric(delivery))
    }

    // MARK: - Dialling

    /// Tries to connect soon: at once after a start, with growing pauses else.
    private func scheduleDial(_ one: Int, _ other: Int, anew: Bool) {
        let pair = pair(one, other)
        pairs[pair].dialSerial += 1
        if anew || pairs[pair].backoff == .zero { pairs[pair].backoff = Self.firstBackoff }
        let pause = random.interval(in: pairs[pair].backoff / 2...pairs[pair].backoff)
        timeline.schedule(
            .dial(pair: UInt16(pair), serial: pairs[pair].dialSerial), after: pause)
    }

    func dial(pair: Int, serial: UInt32) {
        guard pairs[pair].dialSerial == serial else { return }
        let (lower, higher) = (pair / hostCount, pair % hostCount)
        let near = end(of: lower, to: higher)
        guard ends[near].state == .closed || ends[opposite(near)].state == .closed else { return }
        // Whichever of the two starts later dials again.
        guard let one = hosts[lower].process, let other = hosts[higher].process else { return }
        let isCut = directions[near].isCut || directions[opposite(near)].isCut
        guard !isCut, knowEachOther(lower, higher) else {
            if !isCut { tellOfGivenUp(lower, higher) }
            pairs[pair].backoff = min(pairs[pair].backoff * 2, Self.lastBackoff)
            scheduleDial(lower, higher, anew: false)
            return
        }
        pairs[pair].backoff = Self.firstBackoff
        pairs[pair].connection += 1
        accept(near, of: one, connection: pairs[pair].connection)
        accept(opposite(near), of: other, connection: pairs[pair].connection)
    }

    /// The hello of the one says to the other that its history was given up.
    private func tellOfGivenUp(_ one: Int, _ other: Int) {
        for (host, peer) in [(one, other), (other, one)]
        where hosts[peer].givenUp.contains(hosts[host].lineage) && hosts[peer].known[host] {
            let end = end(of: host, to: peer)
            tell(end, connection: ends[end].connection, .givenUp)
        }
    }

    private func fits(_ one: Int, _ other: Int) -> Bool {
        let (near, far) = (hosts[one].lineage, hosts[other].lineage)
        return near == far || near == .none || far == .none
    }

    private func knowEachOther(_ one: Int, _ other: Int) -> Bool {
        fits(one, other) && hosts[one].known[other] && hosts[other].known[one]
    }

    private func accept(_ end: Int, of member: Member, connection: UInt32) {
        // An end that still believed in the connection before is told now.
        if ends[end].state == .open {
            tell(end, connection: ends[end].connection, .closed(byPeer: true))
        }
        let profile = directions[end].profile
        let handshake =
            profile.delays.draw(from: &random) + profile.delays.draw(from: &random)
            + directions[opposite(end)].profile.delays.draw(from: &random)
        let openAt = timeline.now.advanced(by: handshake)
        ends[end].state = .opening
        ends[end].connection = connection
        ends[end].patience = random.interval(in: profile.patience)
        ends[end].openAt = openAt
        for stream in outgoing(opposite(end)) { streams[stream].reset(notBefore: openAt) }
        timeline.schedule(.established(end: UInt16(end), connection: connection), at: openAt)
    }

    func establish(end: Int, connection: UInt32) {
        guard ends[end].connection == connection, ends[end].state == .opening else { return }
        // A process that ended meanwhile had its end closed; the word of that comes later.
        guard let peer = memberBehind(opposite(end), connection: connection) else { return }
        ends[end].state = .open
        tell(end, connection: connection, .opened(peer))
    }

    /// Another process of the host's number, on a machine of its own, takes its connections. To the
    /// others it is one more start of that member; it says nothing, and goes again, or when the one
    /// before it has come back (0020).
    package func supplant(_ host: Int, by member: Member, for life: ClosedRange<Interval>) {
        for peer in 0..<hostCount where peer != host {
            let (far, near) = (end(of: peer, to: host), end(of: host, to: peer))
            guard ends[far].state == .open else { continue }
            for end in [far, near] where ends[end].state == .open {
                tell(end, connection: ends[end].connection, .closed(byPeer: true))
            }
            ends[near].state = .closed
            for stream in [outgoing(far), outgoing(near)].joined() {
                streams[stream].reset(notBefore: timeline.now)
            }
            let pair = pair(host, peer)
            pairs[pair].connection += 1
            ends[far].connection = pairs[pair].connection
            tell(far, connection: pairs[pair].connection, .opened(member))
            timeline.schedule(
                .broken(end: UInt16(far), connection: pairs[pair].connection),
                after: random.interval(in: life))
            scheduleDial(host, peer, anew: false)
        }
    }

    private func memberBehind(_ end: Int, connection: UInt32) -> Member? {
        guard ends[end].connection == connection, ends[end].state != .closed else { return nil }
        return hosts[owner(ofEnd: end)].process
    }
}
