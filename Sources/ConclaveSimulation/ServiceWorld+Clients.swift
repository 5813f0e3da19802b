import ConclaveBase
import ConclaveClientCore
import ConclaveCoordination
import ConclaveService
import ConclaveWire

/// Client processes: how they begin, what their kernel does for them, and how they end.
extension ServiceWorld {
    private static let partiesPerBarrier = 3

    func scheduleSpawn(in seat: Int, after interval: Interval) {
        seats[seat].spawnStamp += 1
        timeline.schedule(
            .work(index: UInt16(seat), stamp: seats[seat].spawnStamp), after: interval)
    }

    func spawn(in seat: Int, stamp: UInt32) {
        guard stamp == seats[seat].spawnStamp, !isFinishing else { return }
        let host = seats[seat].host
        guard cluster.hosts[host].hasPower else {
            return scheduleSpawn(in: seat, after: .seconds(1))
        }
        let asleep = cluster.hosts[host].suspendedUntil.since(timeline.now)
        guard asleep <= .zero else { return scheduleSpawn(in: seat, after: asleep) }
        killClient(in: seat)
        let identity = newIdentity(on: host, uid: isForAdministrator(seat) ? 0 : nil)
        let program = program(for: seat)
        let ttl = random.interval(
            in: shape.suspicion * 3...max(shape.suspicion * 3, shape.maximumSessionTTL))
        var settings = ClientSettings(
            ttl: .milliseconds(ttl.milliseconds), label: "seat \(seat)", clientName: "simulated",
            opensSession: !program.isFollower)
        if let bursts = world.bursts { settings.requestsInFlight = bursts.requestsInFlight }
        let inbox = seats[seat].inbox
        inbox.open()
        seats[seat].client = ClientProcess(
            index: seat, number: world.drawProcessNumber(), host: host, identity: identity,
            inbox: inbox, program: program,
            settings: settings, random: random.split(),
            now: cluster.hosts[host].clock.instant(at: timeline.now))
        world.trace { "client \(seat) starts on \(cluster.nodes[host]) with ttl \(settings.ttl)" }
    }

    func newIdentity(on host: Int, uid: UInt32? = nil) -> ProcessIdentity {
        pidCount += 1
        let uid = uid ?? 1_000 + (isForTwoUsers ? pidCount % 2 : 0)
        return ProcessIdentity(
            host: cluster.nodes[host], pid: pidCount, startTime: timeline.now.nanoseconds,
            bootID: UInt64(cluster.hosts[host].bootCount), uid: uid, gid: 1_000, unit: "")
    }

    private func program(for seat: Int) -> any ClientProgram {
        let first = timeline.now.advanced(by: world.pause(&random))
        if isForAdministrator(seat) { return RevokingProgram(firstActAt: first) }
        if isForLeases(seat) {
            let longest = max(shape.suspicion * 3, shape.maximumSessionTTL)
            return LeaseProgram(ttls: shape.suspicion * 3...longest, firstActAt: first)
        }
        if isForMemberParties(seat) {
            if memberPartyTraffic?.isDouble == true {
                return DoubleBarrierProgram(firstActAt: first)
            }
            let group = world.name(from: MemberPartyTraffic.groups, &random)
            return MemberPartyProgram(group: group, firstActAt: first)
        }
        if isForLatches(seat) { return LatchProgram(firstActAt: first) }
        if isForGroups(seat) { return groupProgram(for: seat, firstActAt: first) }
        if isForKeys(seat) { return keyProgram(for: seat, firstActAt: first) }
        let kind =
            switch workload {
            case .locks: 0
            case .elections: 1 + seat % 2
            case .barriers: 3
            case .group, .mixed, .configuration, .leases, .groups, .latches: seat % 4
            }
        if isWild(seat) { return WildProgram(firstActAt: first) }
        switch kind {
        case 0 where seat % 4 != 2 && world.nesting != nil:
            return NestingProgram(world.nesting!, firstActAt: first)
        case 0: return LockProgram(firstActAt: first)
        case 1: return CandidateProgram(firstActAt: first)
        case 2:
            return ObserverProgram(
                slot: world.name(from: world.slotNames, &random), firstActAt: first)
        default: return partyProgram(for: seat, firstActAt: first)
        }
    }

    /// Some seats that would take locks or campaign do everything at once.
    private func isWild(_ seat: Int) -> Bool {
        switch workload {
        case .locks: seat % 4 == 3
        case .elections: seat % 6 == 4
        case .barriers: false
        case .group, .mixed: seat % 8 == 4
        case .configuration, .leases, .groups, .latches: false
        }
    }

    private func isForAdministrator(_ seat: Int) -> Bool {
        revocations != nil && seat == seats.count - 1
    }

    private func isForLeases(_ seat: Int) -> Bool {
        workload == .leases || (firstLeaseSeat..<firstGroupSeat).contains(seat)
    }

    private func isForGroups(_ seat: Int) -> Bool {
        workload == .groups || (firstGroupSeat..<firstLatchSeat).contains(seat)
    }

    private func isForLatches(_ seat: Int) -> Bool {
        workload == .latches || (firstLatchSeat..<firstMemberPartySeat).contains(seat)
    }

    private func isForMemberParties(_ seat: Int) -> Bool {
        seat >= firstMemberPartySeat
    }

    private func groupProgram(for seat: Int, firstActAt first: Moment) -> any ClientProgram {
        let place = seat - firstGroupSeat
        let isMember = place < 0 ? seat % 3 != 2 : place < groupTraffic?.memberCount ?? 0
        if isMember { return GroupProgram(firstActAt: first) }
        let follow = GroupFollow(
            world.name(from: ClientWorld.groupNames, &random),
            withMessages: random.chance(perMille: 500))
        return GroupWatchProgram(follow, firstActAt: first)
    }

    private func isForKeys(_ seat: Int) -> Bool {
        workload == .configuration || seat >= otherSeatCount
    }

    private func keyProgram(for seat: Int, firstActAt first: Moment) -> any ClientProgram {
        let place = seat - otherSeatCount
        let isWriter =
            place < 0 ? seat % 3 != 2 : place < keyTraffic?.writerCount ?? 0
        if isWriter { return KeyProgram(firstActAt: first) }
        let selector: KeySelector =
            random.chance(perMille: 300)
            ? .key(world.key(&random))
            : .prefix(WorldShape.pick(ClientWorld.keyPrefixes, &random))
        let isLate = random.chance(perMille: 300)
        let back = random.below(40)
        let number = world.order.version.number
        let from = isLate && number > back ? Version(number - back) : nil
        return WatchProgram(selector, from: from, firstActAt: first)
    }

    /// Seats are parties of barriers in threes; those that are left over go in by themselves.
    private func partyProgram(for seat: Int, firstActAt first: Moment) -> any ClientProgram {
        let step = workload == .barriers ? 1 : 4
        let places = Array(stride(from: seat % step, to: otherSeatCount, by: step))
        let place = places.firstIndex(of: seat)!
        let group = place / Self.partiesPerBarrier
        let members = places.dropFirst(group * Self.partiesPerBarrier)
            .prefix(Self.partiesPerBarrier)
        return PartyProgram(
            name: world.name("barrier/\(group)"), parties: UInt32(members.count),
            rank: group % 2 == 0 ? nil : UInt32(place % Self.partiesPerBarrier),
            firstActAt: first)
    }

    // MARK: - The kernel's part

    func carryOut(_ request: ClientProcess.Request, of client: ClientProcess) {
        switch request {
        case .connect: connect(client)
        case .send(let bytes, let id): send(bytes, on: id)
        case .disconnect(let id): disconnect(id)
        }
    }

    private func connect(_ client: ClientProcess) {
        let host = cluster.hosts[client.host]
        guard host.daemon != nil else { return client.inbox.put(.socket(.refused)) }
        linkCount += 1
        let id = ConnectionID(number: linkCount)
        links[id] = Link(client: client, host: client.host)
        client.inbox.put(.socket(.connected(id)))
        host.inbox.put(.client(.opened(id, client.identity)))
    }

    /// A process that does not listen.
    func connectStranger(at host: Int, uid: UInt32? = nil) -> ConnectionID {
        linkCount += 1
        let id = ConnectionID(number: linkCount)
        links[id] = Link(client: nil, host: host)
        cluster.hosts[host].inbox.put(.client(.opened(id, newIdentity(on: host, uid: uid))))
        return id
    }

    func send(_ bytes: [UInt8], on id: ConnectionID) {
        guard let link = links[id], link.isOpen else { return }
        let inbox = cluster.hosts[link.host].inbox
        links[id]!.frames.append(bytes)
        do throws(WireError) {
            while let frame = try links[id]!.frames.next() {
                if link.isPaused {
                    links[id]!.waiting.append(frame)
                } else {
                    inbox.put(.client(.frame(id, frame)))
                }
            }
        } catch {
            inbox.put(.client(.malformed(id, error)))
        }
    }

    /// The client's process has read all that there was.
    func hasRead(on id: ConnectionID) {
        guard let link = links[id], link.unreadByteCount > 0 else { return }
        links[id]!.unreadByteCount = 0
        guard link.isStalled else { return }
        links[id]!.isStalled = false
        cluster.hosts[link.host].inbox.put(.client(.drained(id)))
    }

    func disconnect(_ id: ConnectionID) {
        guard let link = links[id], link.isOpen else { return }
        links[id]?.isOpen = false
        cluster.hosts[link.host].inbox.put(.client(.closed(id)))
    }

    /// A pidfd says that the process behind a connection is dead.
    func processDied(_ id: ConnectionID) {
        guard let link = links[id] else { return }
        if link.isWatched { cluster.hosts[link.host].inbox.put(.client(.processDied(id))) }
        if !link.isOpen { links[id] = nil }
    }

    // MARK: - Faults

    func clientFault(_ kind: FaultKind) {
        guard !seats.isEmpty, !isFinishing else { return }
        let seat = Int(random.below(UInt64(seats.count)))
        switch kind {
        case .clientKill:
            killClient(in: seat)
            scheduleSpawn(in: seat, after: world.pause(&random))
        case .clientPause:
            seats[seat].inbox.pause(
                for: WorldShape.logarithmic(
                    shape.heartbeat...shape.maximumSessionTTL * 3, &random))
        case .clientQuit:
            seats[seat].client?.program.finish(at: timeline.now)
            seats[seat].inbox.askForTurn()
        case .clientCut:
            breakLink(of: seat)
        case .clientGarbage where random.chance(perMille: 200):
            openBehindDeath(at: seats[seat].host)
        case .clientGarbage:
            sendGarbage(to: seats[seat].host)
        case .clientTakeover:
            takeOver(from: seat)
        default:
            preconditionFailure("\(kind) is no fault of clients")
        }
    }

    private func openLink(of seat: Int) -> ConnectionID? {
        guard let id = seats[seat].client?.connection, links[id]?.isOpen == true else {
            return nil
        }
        return id
    }

    /// The socket breaks under both.
    func breakLink(of seat: Int) {
        guard let id = openLink(of: seat) else { return }
        seats[seat].client?.inbox.put(.socket(.closed(id)))
        disconnect(id)
    }

    /// C9: what comes over a socket may be anything, also after a proper beginning. Nobody but who
    /// sent it suffers.
    private func sendGarbage(to host: Int) {
        guard cluster.hosts[host].daemon != nil else { return }
        world.trace { "a stranger at \(cluster.nodes[host]) sends garbage" }
        let id = connectStranger(at: host)
        if random.chance(perMille: 800) { send(Self.beginning, on: id) }
        for _ in 0..<1 + random.below(6) { send(garbage(), on: id) }
        disconnect(id)
        let teardown = WorldShape.logarithmic(.microseconds(80) ... .seconds(2), &random)
        timeline.schedule(
            .work(index: Self.deathIndex, stamp: UInt32(truncatingIfNeeded: id.number)),
            after: teardown)
    }

    /// A process dies, and its last words are read after that is known; somebody has inherited its
    /// socket. It leaves no session.
    private func openBehindDeath(at host: Int) {
        guard cluster.hosts[host].daemon != nil else { return }
        world.trace { "a stranger at \(cluster.nodes[host]) dies before it is heard" }
        let id = connectStranger(at: host)
        send(Self.beginning, on: id)
        processDied(id)
        send(opening(ttl: shape.suspicion * 3, label: "dead"), on: id)
    }

    private func opening(ttl: Interval, label: String) -> [UInt8] {
        let name = Secret(high: random.next(), low: random.next())
        var writer = ByteWriter()
        OpenRequest(id: name, ttl: ttl, label: label).encode(into: &writer)
        return FrameHeader.frame(type: ClientFrameType.open.rawValue, body: writer.bytes)
    }

    /// A process wants a session that lasts longer than any may in this group (V26), and waits a
    /// while for it. The order knows whether it got one.
    func askForTooLong(of host: Int) {
        guard !isFinishing, !faults.isStopped else { return }
        let id = connectStranger(at: host)
        send(Self.beginning, on: id)
        let longest = shape.maximumSessionTTL
        let ttl = random.interval(in: longest + .milliseconds(1)...longest * 2)
        send(opening(ttl: ttl, label: "too long"), on: id)
        let life = WorldShape.logarithmic(shape.heartbeat...shape.suspicion * 20, &random)
        timeline.schedule(
            .work(index: Self.deathIndex, stamp: UInt32(truncatingIfNeeded: id.number)),
            after: life)
    }

    /// What a proper client begins with.
    static let beginning: [UInt8] = {
        var hello = ByteWriter()
        ClientHello(version: ClientLimits.protocolVersion, features: 0, name: "stranger")
            .encode(into: &hello)
        return FrameHeader.frame(type: ClientFrameType.hello.rawValue, body: hello.bytes)
    }()

    /// Runs without keys, leases, task groups or latches are as they were before there were any.
    private var garbageTypes: [ClientFrameType] {
        let known = ClientFrameType.allCases.filter { type in
            groupTraffic?.sharesStates == true || ![.provideState, .adoptState].contains(type)
        }
        if latchTraffic != nil { return known }
        let first: ClientFrameType =
            groupTraffic != nil
            ? .latch : leaseTraffic != nil ? .joinGroup : keyTraffic == nil ? .transact : .lease
        return known.filter { $0.rawValue < first.rawValue }
    }

    private func garbage() -> [UInt8] {
        let type =
            random.chance(perMille: 900)
            ? WorldShape.pick(garbageTypes, &random).rawValue
            : UInt16(random.below(100))
        let body = (0..<random.below(60)).map { _ in UInt8(random.below(4) * random.below(80)) }
        var bytes = FrameHeader.frame(type: type, number: random.below(20), body: body)
        if random.chance(perMille: 100) { bytes[Int(random.below(4))] ^= 0xFF }
        return bytes
    }

    /// The process ends without a word. Its sockets close, unless somebody has inherited them; its
    /// memory takes a while to be torn down before the pidfd says so.
    func killClient(in seat: Int) {
        guard let client = seats[seat].client, client.isAlive else { return }
        world.trace { "client \(seat) dies" }
        if !client.isOver {
            let since = client.session == nil ? nil : world.believedUntil(client).nanoseconds
            world.record(.died(since: since), by: client)
        }
        client.end()
        world.letGoOfEverything(client)
        let isInherited = random.chance(perMille: 100)
        let teardown = WorldShape.logarithmic(.microseconds(80) ... .milliseconds(165), &random)
        for (id, link) in links.sorted(by: { $0.key < $1.key }) where link.client === client {
            if !isInherited { disconnect(id) }
            timeline.schedule(
                .work(index: Self.deathIndex, stamp: UInt32(truncatingIfNeeded: id.number)),
                after: teardown)
        }
    }
}
