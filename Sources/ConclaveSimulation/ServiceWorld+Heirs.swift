import ConclaveBase
import ConclaveClientCore
import ConclaveCoordination
import ConclaveService
import ConclaveWire

/// Processes that resume somebody else's session (K7): they know its secret, ask for it on any host,
/// say a few things in its name, and die.
extension ServiceWorld {
    struct Heir {
        var session: SessionID
        /// Whose session it was, in the history.
        var process: UInt64
        /// Requests that its client may have sent.
        var newest: UInt64
        var host: Int
    }

    func takeOver(from seat: Int) {
        guard let client = seats[seat].client, let opened = client.openedSession else { return }
        let host = random.chance(perMille: 500) ? client.host : anyHost()
        guard cluster.hosts[host].daemon != nil else { return }
        // It may not come to read that it has lost its session.
        if host == client.host, momentRandom.chance(perMille: 300) {
            seats[seat].inbox.pause(
                for: WorldShape.logarithmic(
                    shape.heartbeat...shape.maximumSessionTTL, &momentRandom))
        }
        world.trace {
            "a process on \(cluster.nodes[host]) wants session \(opened.session) of client \(seat)"
        }
        let id = connectStranger(at: host)
        send(Self.beginning, on: id)
        send(wish(for: opened, of: client), on: id)
        // It has, or may have, the session: the history knows of it only what its client knows.
        world.order.unruly.insert(opened.session)
        heirs[id] = Heir(
            session: opened.session, process: client.number, newest: client.newestNumber,
            host: host)
        let life = WorldShape.logarithmic(.milliseconds(1) ... .seconds(8), &random)
        timeline.schedule(
            .work(index: Self.heirIndex, stamp: UInt32(truncatingIfNeeded: id.number)),
            after: life)
    }

    /// To go on with the session, or to open one under its name, as a copy of the process would that
    /// has not seen the answer.
    private func wish(for opened: SessionOpened, of client: ClientProcess) -> [UInt8] {
        var writer = ByteWriter()
        guard random.chance(perMille: 750) else {
            OpenRequest(id: client.core.id, ttl: shape.suspicion * 3, label: "a copy")
                .encode(into: &writer)
            return FrameHeader.frame(type: ClientFrameType.open.rawValue, body: writer.bytes)
        }
        ResumeRequest(
            session: opened.session, secret: opened.secret,
            confirmed: random.below(client.newestNumber + 1)
        ).encode(into: &writer)
        return FrameHeader.frame(type: ClientFrameType.resume.rawValue, body: writer.bytes)
    }

    private func anyHost() -> Int { Int(random.below(UInt64(cluster.hosts.count))) }

    /// Says what it has to say, if it has the session, and dies.
    func heirSpeaks(_ id: ConnectionID) {
        guard let heir = heirs.removeValue(forKey: id), links[id]?.isOpen == true else { return }
        if world.order.isOpen(heir.session) {
            for _ in 0..<random.below(12) { speak(as: heir, on: id) }
        }
        if random.chance(perMille: 300) {
            let frame = FrameHeader.frame(
                type: ClientFrameType.goodbye.rawValue, number: heir.newest + 100, body: [])
            world.record(.goodbye, call: 0, by: heir.process)
            send(frame, on: id)
        }
        let teardown = WorldShape.logarithmic(.microseconds(80) ... .seconds(2), &random)
        timeline.schedule(
            .work(index: Self.deathIndex, stamp: UInt32(truncatingIfNeeded: id.number)),
            after: teardown)
        if random.chance(perMille: 500) { disconnect(id) }
    }

    /// A request with an old number, which has its answer, or with a new one; some are cancelled before
    /// they come.
    private func speak(as heir: Heir, on id: ConnectionID) {
        let number = 1 + random.below(heir.newest + 8)
        let operation: Operation
        switch random.below(4) {
        case 0:
            operation = .acquire(
                name: world.name(from: world.lockNames, &random), mode: .shared,
                isTry: random.chance(perMille: 500))
        case 1:
            let slot = world.name(from: world.slotNames, &random)
            operation = .campaign(
                slot: slot, value: [7], places: world.leaderPlaces?.next(for: slot))
        case 2: operation = .cancel(number: 1 + random.below(number + 1), reason: .gaveUp)
        default:
            operation = .release(
                name: world.name(from: world.lockNames, &random), token: FencingToken(1))
        }
        for what in HistoryCall.all(operation) {
            heirCallCount += 1
            world.record(.called(what), call: 1 << 32 + heirCallCount, by: heir.process)
        }
        send(operation, number: number, confirmed: random.below(number), on: id)
    }

    func send(_ operation: Operation, number: UInt64, confirmed: UInt64, on id: ConnectionID) {
        var writer = ByteWriter()
        OperationFrame(confirmed: confirmed, operation: operation).encode(into: &writer)
        send(
            FrameHeader.frame(type: operation.type.rawValue, number: number, body: writer.bytes),
            on: id)
    }
}
