import ConclaveBase

/// Lets things go wrong in a cluster, at times and of kinds that a seed decides, and puts them
/// right again.
final class FaultInjector<Daemon: SimulatedDaemon> {
    /// Something that went wrong and is still to be put right.
    struct Fault {
        var kind: FaultKind
        /// Directions that are cut or slow.
        var directions: [(from: Int, to: Int)] = []
        var host = 0
        var flapsLeft = 0
        var isCutNow = false
        var stamp: UInt32
    }

    /// The index of the event that brings the next fault; others are places in `active`.
    private static var nextIndex: UInt16 { .max }
    private static var provokedIndex: UInt16 { .max - 1 }
    private static var occasionIndex: UInt16 { .max - 2 }
    private static var segmentIndex: UInt16 { .max - 3 }

    let cluster: Cluster<Daemon>
    let shape: WorldShape
    var random: SeededRandom
    var active: [Fault?] = []
    /// Makes an overtaken next fault stale.
    private var nextStamp: UInt32 = 0
    private var keptCount: UInt32 = 0
    private(set) var isStopped = false
    /// In some runs things go wrong on some occasions; from numbers of its own, so that the other runs
    /// are as they were.
    private var occasionRandom: SeededRandom
    private let struckOccasions: Set<FaultOccasion>
    /// The first batch of a segment takes long at times; from numbers of its own as well.
    let isSlowAtFirstBatch: Bool
    var batchRandom: SeededRandom
    /// Who has got a promise hangs at times; from numbers of its own as well.
    private let hangsCoordinators: Bool
    private var hangRandom: SeededRandom
    /// Where the provoked faults that are under way will strike.
    private var provokedHosts: [Int] = []
    /// What will go wrong on an occasion, by the stamp of its event.
    private var struck: [UInt32: (kind: FaultKind, host: Int)] = [:]
    private var struckCount: UInt32 = 0
    private(set) var hasLostRows = false
    /// A member's state was corrupted.
    private(set) var hasCorrupted = false
    /// Corrupts the state of a host's daemon, if that is to be.
    var corrupt: ((Int) -> Bool)?
    /// Holds back everything on a host that is not its daemon.
    var suspendClients: ((Int, Interval) -> Void)?
    /// Takes care of what goes wrong with clients, if there are any.
    var clientFault: ((FaultKind) -> Void)?
    /// Whether enough others would still have what a host has.
    var mayErase: ((Int) -> Bool)?
    /// Told of each host that gets an empty disk.
    var erased: ((Int) -> Void)?

    init(cluster: Cluster<Daemon>, shape: WorldShape, random: SeededRandom) {
        self.cluster = cluster
        self.shape = shape
        self.random = random
        var other = random
        var drawn = SeededRandom(seed: other.next() ^ 0x736E_6170_7368_6F74)
        struckOccasions = Set(
            FaultOccasion.allCases.filter { _ in
                drawn.chance(perMille: FaultOccasion.runsPerMille)
            })
        occasionRandom = drawn
        batchRandom = SeededRandom(seed: other.next() ^ 0x6669_7273_7420_6221)
        isSlowAtFirstBatch = batchRandom.chance(perMille: 150) && shape.faults.contains(.stall)
        hangRandom = SeededRandom(seed: other.next() ^ 0x6861_6E67_7300_0000)
        hangsCoordinators = hangRandom.chance(perMille: 150)
        scheduleNext()
    }

    var timeline: Timeline { cluster.timeline }
    var hostCount: Int { cluster.hosts.count }

    // MARK: - When

    private func scheduleNext() {
        guard !shape.faults.isEmpty else { return }
        let pause = WorldShape.logarithmic(shape.faultPause / 8...shape.faultPause * 2, &random)
        timeline.schedule(.fault(index: Self.nextIndex, stamp: nextStamp), after: pause)
    }

    func step(index: UInt16, stamp: UInt32) {
        guard !isStopped else { return }
        if index == Self.nextIndex {
            guard stamp == nextStamp else { return }
            begin(WorldShape.pick(shape.faults, &random), host: anyHost())
            scheduleNext()
        } else if index == Self.provokedIndex {
            begin(WorldShape.pick(shape.provoked, &random), host: provokedHosts.removeFirst())
        } else if index == Self.occasionIndex {
            guard let (kind, host) = struck.removeValue(forKey: stamp) else { return }
            begin(kind, host: host)
        } else if index == Self.segmentIndex {
            loseSegment(of: Int(stamp))
        } else if let fault = active[Int(index)], fault.stamp == stamp {
            goOn(with: Int(index))
        }
    }

    /// A host takes a step of a view change: a good time for something to go wrong just there.
    func provoke(at host: Int) {
        guard !isStopped, !shape.provoked.isEmpty, random.chance(perMille: shape.provokedPerMille)
        else { return }
        let isHere = random.chance(perMille: 700) && !shape.spared.contains(host)
        provokedHosts.append(isHere ? host : anyHost())
        let pause = WorldShape.logarithmic(.microseconds(1) ... .milliseconds(20), &random)
        timeline.schedule(.fault(index: Self.provokedIndex, stamp: 0), after: pause)
    }

    /// A host has just done what some runs let go wrong.
    func provoke(on occasion: FaultOccasion, at host: Int) {
        guard !isStopped, struckOccasions.contains(occasion), !shape.spared.contains(host),
            occasionRandom.chance(perMille: FaultOccasion.strikesPerMille)
        else { return }
        let kinds = shape.faults.filter(occasion.kinds.contains)
        guard !kinds.isEmpty else { return }
        struckCount += 1
        struck[struckCount] = (WorldShape.pick(kinds, &occasionRandom), host)
        let pause = WorldShape.logarithmic(
            .microseconds(1) ... .milliseconds(20), &occasionRandom)
        timeline.schedule(.fault(index: Self.occasionIndex, stamp: struckCount), after: pause)
    }

    /// Somebody lets a host decide on the next view, and in some runs that host hangs then: for longer than
    /// the others may take to go on without it, as often as not.
    func provokeAtPromise(to host: Int) {
        let kinds = shape.faults.filter { $0 == .pause || $0 == .stall }
        guard !isStopped, hangsCoordinators, !kinds.isEmpty, !shape.spared.contains(host),
            hangRandom.chance(perMille: FaultOccasion.strikesPerMille)
        else { return }
        let isLong = hangRandom.chance(perMille: 500)
        let interval =
            isLong
            ? hangRandom.interval(in: shape.patience...shape.patience * 2)
            : WorldShape.logarithmic(shape.heartbeat...shape.patience, &hangRandom)
        let kind = WorldShape.pick(kinds, &hangRandom)
        timeline.trace.line(
            at: timeline.now, "FAULT \(kind.rawValue) host \(host + 1) for \(interval)")
        if kind == .pause {
            cluster.hosts[host].inbox.pause(for: interval)
        } else {
            cluster.hosts[host].disk.stall(for: interval)
        }
    }

    /// A host has a new segment.
    func provokeAtSegment(on host: Int) {
        guard !isStopped, shape.faults.contains(.loseFile), !shape.spared.contains(host),
            occasionRandom.chance(perMille: 30)
        else { return }
        let pause = WorldShape.logarithmic(.milliseconds(1) ... .seconds(2), &occasionRandom)
        timeline.schedule(.fault(index: Self.segmentIndex, stamp: UInt32(host)), after: pause)
    }

    private func anyHost() -> Int {
        if !shape.spared.isEmpty {
            let others = cluster.hosts.indices.filter { !shape.spared.contains($0) }
            return WorldShape.pick(others, &random)
        }
        if let victim = shape.victim, random.chance(perMille: 700) { return victim }
        return Int(random.below(UInt64(hostCount)))
    }

    /// How long a fault lasts: often just long enough to be noticed; now and then for very long.
    private func duration() -> Interval {
        if random.chance(perMille: 400) {
            return random.interval(in: shape.suspicion...shape.suspicion * 4)
        }
        let (longPerMille, longest): (UInt64, Int64) = shape.spared.isEmpty ? (40, 60) : (300, 400)
        let factor = random.chance(perMille: longPerMille) ? longest : 12
        let drawn = WorldShape.logarithmic(
            shape.heartbeat / 10...shape.suspicion * factor, &random)
        return min(drawn, Self.longestFault)
    }

    /// What a paused process had said leaves when its pause would have ended, also if all heals before;
    /// half of the time in which that must be over.
    private static var longestFault: Interval { .seconds(150) }

    // MARK: - What

    private func begin(_ kind: FaultKind, host: Int) {
        timeline.trace.line(at: timeline.now, "FAULT \(kind.rawValue) host \(host + 1)")
        switch kind {
        case .kill: kill(host)
        case .power: losePower(host)
        case .killAll: forAll { kill($0) }
        case .powerAll: forAll { losePower($0) }
        case .pause: pause(host)
        case .reset: network.reset(host, another(than: host))
        case .failedSync: cluster.hosts[host].disk.failingSyncCount = 1
        case .wallClock: jumpWallClock(of: host)
        case .leave: leave(host)
        case .erase: forSeveral(host) { erase($0) }
        case .olderDisk: forSeveral(host) { putBackOlderDisk(of: $0) }
        case .rot, .unreadable, .loseFile: forSeveral(host) { damage($0, kind) }
        case .rotNewest: rotNewest(of: host)
        case .stall: stall(host)
        case .fullDisk:
            cluster.hosts[host].disk.isFull = true
            keep(Fault(kind: kind, host: host, stamp: 0))
        case .partition, .oneWay, .cutPair, .isolate, .flap: cut(kind, host: host)
        case .slow: slowDown(host)
        case .loseRows: loseRows(of: host)
        case .namesake: haveNamesake(of: host)
        case .members, .loseMajority: break
        case .clientKill, .clientPause, .clientQuit, .clientCut, .clientGarbage, .clientTakeover:
            clientFault?(kind)
        case .suspend: suspend(host)
        case .corrupt: hasCorrupted = corrupt?(host) ?? false || hasCorrupted
        }
    }

    var network: SimulatedNetwork { cluster.network }

    func another(than host: Int) -> Int {
        guard hostCount > 1 else { return host }
        return (host + 1 + Int(random.below(UInt64(hostCount - 1)))) % hostCount
    }

    private func forAll(_ body: (Int) -> Void) {
        let spared = random.chance(perMille: 300) ? Int(random.below(UInt64(hostCount))) : -1
        for host in 0..<hostCount where host != spared && !shape.spared.contains(host) {
            body(host)
        }
    }

    private func forSeveral(_ host: Int, _ body: (Int) -> Void) {
        body(host)
        if shape.damagesSeveral { body(another(than: host)) }
    }

    func downTime() -> Interval {
        WorldShape.logarithmic(.milliseconds(1)...shape.suspicion * 10, &random)
    }

    func kill(_ host: Int) {
        cluster.endProcess(on: host)
        cluster.scheduleStart(of: host, after: downTime())
    }

    func losePower(_ host: Int) {
        cluster.losePower(on: host)
        cluster.scheduleStart(of: host, after: downTime() + .milliseconds(20))
    }

    private func loseRows(of host: Int) {
        hasLostRows = true
        network.loseRows(1 + Int(random.below(3)), from: host, to: another(than: host))
    }

    private func pause(_ host: Int) {
        if random.chance(perMille: 500) {
            cluster.hosts[host].pauseInTurn = duration()
        } else {
            cluster.hosts[host].inbox.pause(for: duration())
        }
    }

    /// Nobody on the host runs, and nothing reaches it; then all of it wakes at once, in any order.
    private func suspend(_ host: Int) {
        let length = duration()
        let sleeper = cluster.hosts[host]
        sleeper.suspendedUntil = timeline.now.advanced(by: length)
        if random.chance(perMille: 500) {
            sleeper.pauseInTurn = length
        } else {
            sleeper.inbox.pause(for: length)
        }
        suspendClients?(host, length)
        cutOff(host, .suspend, for: length)
    }

    /// A host reaches nobody, and nobody reaches it, for a while from now on.
    func isolate(_ host: Int, for interval: Interval) {
        timeline.trace.line(at: timeline.now, "ISOLATED host \(host + 1) for \(interval)")
        cutOff(host, .isolate, for: interval)
    }

    private func cutOff(_ host: Int, _ kind: FaultKind, for interval: Interval) {
        var fault = Fault(kind: kind, host: host, stamp: 0)
        for peer in 0..<hostCount where peer != host {
            fault.directions += [(host, peer), (peer, host)]
        }
        setCut(true, in: &fault)
        keep(fault, for: interval)
    }

    /// The whole disk, or only where the messages are written.
    private func stall(_ host: Int) {
        let disk = cluster.hosts[host].disk
        if random.chance(perMille: 500) {
            disk.stall(for: duration())
        } else {
            disk.stall(.segments, for: duration())
        }
    }

    private func jumpWallClock(of host: Int) {
        let jump = WorldShape.logarithmic(.milliseconds(1) ... .seconds(100_000), &random)
        let isBack = random.chance(perMille: 500)
        cluster.hosts[host].clock.jumpWallClock(by: isBack ? .zero - jump : jump)
    }

    private func leave(_ host: Int) {
        guard let daemon = cluster.hosts[host].daemon else { return }
        let now = cluster.hosts[host].clock.instant(at: timeline.now)
        guard daemon.leave(now: now) else { return }
        cluster.hosts[host].isLeaving = true
        cluster.hosts[host].inbox.askForTurn()
        keep(Fault(kind: .leave, host: host, stamp: 0), for: .seconds(5))
    }

    // MARK: - Putting right

    func keep(_ fault: Fault, for interval: Interval? = nil) {
        keptCount += 1
        var fault = fault
        fault.stamp = keptCount
        let place = active.firstIndex { $0 == nil } ?? active.count
        if place == active.count { active.append(nil) }
        active[place] = fault
        timeline.schedule(
            .fault(index: UInt16(place), stamp: fault.stamp), after: interval ?? duration())
    }

    private func goOn(with place: Int) {
        guard var fault = active[place] else { return }
        if fault.kind == .flap, fault.flapsLeft > 0 {
            fault.flapsLeft -= 1
            setCut(!fault.isCutNow, in: &fault)
            active[place] = fault
            let pause = WorldShape.logarithmic(
                shape.heartbeat / 10...shape.suspicion * 2, &random)
            timeline.schedule(.fault(index: UInt16(place), stamp: fault.stamp), after: pause)
            return
        }
        putRight(&fault)
        active[place] = nil
    }

    private func putRight(_ fault: inout Fault) {
        timeline.trace.line(
            at: timeline.now, "FAULT ends: \(fault.kind.rawValue) host \(fault.host + 1)")
        setCut(false, in: &fault)
        switch fault.kind {
        case .slow:
            for (from, to) in fault.directions {
                network.setProfile(shape.link, from: from, to: to)
            }
        case .fullDisk:
            cluster.hosts[fault.host].disk.isFull = false
        case .leave where cluster.hosts[fault.host].isLeaving:
            kill(fault.host)
        default:
            break
        }
    }

    /// The end of everything bad: links heal, disks go on, and whoever is down comes back.
    func stop() {
        isStopped = true
        timeline.trace.line(at: timeline.now, "HEAL")
        for place in active.indices {
            guard var fault = active[place] else { continue }
            putRight(&fault)
            active[place] = nil
        }
        for from in 0..<hostCount {
            for to in 0..<hostCount where from != to {
                network.setProfile(.near, from: from, to: to)
            }
        }
        for host in cluster.hosts {
            host.disk.endStall()
            host.disk.isFull = false
            host.disk.failingSyncCount = 0
            host.pauseInTurn = .zero
            host.suspendedUntil = timeline.now
            host.inbox.resume()
            guard host.daemon == nil else { continue }
            cluster.scheduleStart(
                of: host.index, after: random.interval(in: .zero ... .milliseconds(500)))
        }
    }
}
