import ConclaveBase
import ConclaveReplication

/// The machines of one group and the network between them. It starts, ends and steps the daemons;
/// what they say is for whoever runs the cluster.
final class Cluster<Daemon: SimulatedDaemon> {
    let timeline: Timeline
    let network: SimulatedNetwork
    let hosts: [SimulatedHost<Daemon>]
    let nodes: [NodeID]
    private(set) var crashCount = 0
    /// Told of each daemon that is about to end, by its host.
    var ending: ((Int) -> Void)?
    /// Told of each daemon that has ended, by its host.
    var ended: ((Int) -> Void)?
    /// Told of each frame that a host's daemon sends to another one.
    var frameSent: ((Int, [UInt8]) -> Void)?
    private var random: SeededRandom
    /// Of hosts' clocks, in parts per million, either way.
    private let drift: Int64
    private var inputs: [Inbox.Input] = []

    init(
        hostCount: Int, drift: Int64, disk: DiskProfile, timeline: Timeline, random: SeededRandom
    ) {
        var random = random
        let nodes = (1...hostCount).map { NodeID(UInt32($0)) }
        let inboxes = (0..<hostCount).map {
            Inbox(process: UInt16($0), timeline: timeline, random: random.split())
        }
        let network = SimulatedNetwork(
            inboxes: inboxes, timeline: timeline, random: random.split())
        var hosts: [SimulatedHost<Daemon>] = []
        for index in 0..<hostCount {
            let disk = SimulatedDisk(
                host: index, profile: disk, timeline: timeline, inbox: inboxes[index],
                random: random.split())
            hosts.append(
                SimulatedHost(
                    index: index, node: nodes[index], inbox: inboxes[index], disk: disk,
                    clock: Self.bootedClock(at: .start, drift: drift, random: &random),
                    fabric: SimulatedFabric(network: network, host: index, nodes: nodes)))
        }
        self.timeline = timeline
        self.network = network
        self.hosts = hosts
        self.nodes = nodes
        self.drift = drift
        self.random = random
    }

    private static func bootedClock(
        at moment: Moment, drift: Int64, random: inout SeededRandom
    ) -> SimulatedClock {
        // Firmware and kernel take their time before anybody reads the clock.
        let firstReading = random.interval(in: .milliseconds(1) ... .seconds(100))
        let wallOffset = 1_700_000_000_000_000 + random.below(2_000_000)
        return SimulatedClock(
            bootedAt: moment,
            firstReading: Instant(nanoseconds: UInt64(firstReading.nanoseconds)),
            driftPerMillion: Int64(random.below(UInt64(2 * drift) + 1)) - drift,
            wallOffset: Timestamp(microseconds: wallOffset))
    }

    // MARK: - Starting and ending daemons

    func scheduleStart(of host: Int, after interval: Interval) {
        hosts[host].startStamp += 1
        timeline.schedule(
            .start(host: UInt8(host), stamp: hosts[host].startStamp), after: interval)
    }

    /// Starts a daemon, unless that start was overtaken or one runs already. `make` is given what
    /// the new process has.
    func start(
        _ host: Int, stamp: UInt32,
        make: (SimulatedHost<Daemon>, any Fabric, SeededRandom) throws(FatalFault) -> Daemon
    ) throws(FatalFault) {
        let index = host
        let host = hosts[index]
        guard stamp == host.startStamp, host.daemon == nil, !host.isRetired else { return }
        guard host.suspendedUntil <= timeline.now else {
            return scheduleStart(of: host.index, after: host.suspendedUntil.since(timeline.now))
        }
        if !host.hasPower {
            host.hasPower = true
            host.bootCount += 1
            host.clock = Self.bootedClock(at: timeline.now, drift: drift, random: &random)
        }
        host.startCount += 1
        host.member = Member(
            node: host.node,
            incarnation: Incarnation(disk: host.disk.identity, start: random.next() | 1))
        host.fabric = SimulatedFabric(network: network, host: host.index, nodes: nodes)
        host.fabric.sent = { [unowned self] frame in frameSent?(index, frame) }
        host.pauseInTurn = .zero
        host.isLeaving = false
        host.inbox.open()
        host.daemon = try make(host, host.fabric, random.split())
        network.processStarted(on: host.index, as: host.member)
    }

    /// The process is killed, or ends by itself.
    func endProcess(on index: Int) {
        let host = hosts[index]
        guard host.daemon != nil else { return }
        crashCount += 1
        if host.daemon != nil { ending?(index) }
        host.daemon = nil
        host.inbox.close()
        host.disk.processEnded()
        network.processEnded(on: index)
        ended?(index)
    }

    func losePower(on index: Int) {
        let host = hosts[index]
        guard host.hasPower, host.daemon != nil || host.startCount > 0 else { return }
        crashCount += 1
        if host.daemon != nil { ending?(index) }
        host.daemon = nil
        host.hasPower = false
        host.inbox.close()
        host.disk.losePower()
        network.powerLost(on: index)
        ended?(index)
    }

    // MARK: - Turns

    /// Gives the daemon its inputs and its tick. The turn must be finished with `endTurn`, unless
    /// this returns `nil`: there was no turn.
    func beginTurn(of index: Int, stamp: UInt32) -> (daemon: Daemon, now: Instant)? {
        let host = hosts[index]
        guard let daemon = host.daemon, host.inbox.beginTurn(stamp: stamp) else { return nil }
        let now = host.clock.instant(at: timeline.now)
        host.inbox.take(into: &inputs)
        // Taken out one by one, from the end, none is kept by two.
        inputs.reverse()
        while let input = inputs.popLast() {
            switch input {
            case .fabric(let delivery):
                guard let input = host.fabric.admit(delivery) else { continue }
                daemon.step(input, now: now)
            case .disk(let input):
                daemon.step(input, now: now)
            case .client(let input):
                daemon.step(input, now: now)
            case .socket:
                preconditionFailure("a daemon is no client")
            }
        }
        if daemon.nextTick <= now { daemon.tick(now: now) }
        return (daemon, now)
    }

    /// Lets the daemon send what the turn led to. Returns whether it was held back meanwhile: then
    /// what it wants done on its host is not done before its next turn.
    @discardableResult
    func endTurn(of index: Int, daemon: Daemon, now: Instant) -> Bool {
        let host = hosts[index]
        let isHeldBack = host.pauseInTurn > .zero
        if isHeldBack {
            host.inbox.pause(for: host.pauseInTurn)
            // Either before it sends to its peers or after.
            if random.chance(perMille: 500) {
                network.holdBack(host: index, for: host.pauseInTurn)
            }
            host.pauseInTurn = .zero
        }
        daemon.endTurn(now: now, wallClock: host.clock.wallClock(at: timeline.now))
        daemon.work(now: now)
        host.inbox.setTimer(at: host.clock.moment(of: daemon.nextTick))
        return isHeldBack
    }

    /// Moves the time on to the next event that is for whoever runs the cluster, `nil` if none is due
    /// at `limit` or before. Until then no daemon does anything.
    func next(until limit: Moment) -> SimulationEvent? {
        while let event = timeline.next(until: limit) {
            if !step(event) { return event }
        }
        return nil
    }

    /// Takes care of events that are not for whoever runs the cluster; `false` if this one is.
    private func step(_ event: SimulationEvent) -> Bool {
        switch event {
        case .arrival, .established, .broken, .giveUp, .dial:
            network.step(event)
        case .disk(let host, let lane, let run):
            hosts[Int(host)].disk.complete(lane: lane, run: run)
        case .timer(let process, let stamp) where Int(process) < hosts.count:
            hosts[Int(process)].inbox.timerRanOut(stamp: stamp)
        default:
            return false
        }
        return true
    }
}
