import ConclaveBase
import ConclaveGroup
import ConclaveReplication
import ConclaveWire

/// Replicas of a `LogMachine` under faults, each of which proposes commands, with every promise
/// about views and histories checked at each step.
final class GroupWorld {
    typealias Node = Replica<LogMachine>

    /// What a host's present process has said.
    private struct HostState {
        var epoch = Epoch.none
        var appliedTime = Timestamp.zero
        var version = Version.zero
        /// Of the last effect that it told; nil: it has said since that its state was replaced.
        var told: Version?
        /// Commands to be proposed in the next turn.
        var waitingCount = 0
        /// And of the longest possible.
        var longCount = 0
        /// The last number of each host's commands that it delivered.
        var delivered: [UInt64] = []
    }

    private static let healingTime = Interval.seconds(300)

    private let options: RunOptions
    private let shape: WorldShape
    private let timeline = Timeline()
    private let cluster: Cluster<Node>
    private let faults: FaultInjector<Node>
    private var random: SeededRandom
    private let watch: GroupWatch<Node>
    private var silences: SilenceChecker
    private var states: [HostState]
    private var proposalCount: UInt64 = 0
    private var effects: [ReplicaOutput<LogMachine.Entry>] = []
    private var isWorking = true

    init(options: RunOptions) {
        self.options = options
        var random = SeededRandom(seed: options.seed)
        let shape = WorldShape.drawn(for: options, from: &random)
        self.shape = shape
        timeline.trace.wantsLines = options.wantsTrace
        cluster = Cluster(
            hostCount: shape.hostCount, drift: shape.drift, disk: shape.disk,
            timeline: timeline, random: random.split())
        faults = FaultInjector(cluster: cluster, shape: shape, random: random.split())
        watch = GroupWatch(
            cluster: cluster, shape: shape, faults: faults, random: random.split())
        silences = SilenceChecker(ttl: shape.suspicion * 3)
        states = (0..<shape.hostCount).map { _ in HostState() }
        self.random = random
        faults.corrupt = { [unowned self] host in corrupt(host) }
        begin()
    }

    private func begin() {
        timeline.trace.line(at: timeline.now, "\(shape)")
        watch.remembered = { [unowned self] image, index, known throws(FatalFault) in
            try Node.remembered(
                on: image, settings: settings(of: index), blank: LogMachine(), known: known)
        }
        watch.administrator.ask = { [unowned self] change, number, index in
            let host = cluster.hosts[index]
            let now = host.clock.instant(at: timeline.now)
            host.daemon?.change(change, number: number, now: now)
            host.inbox.askForTurn()
        }
        let isOneLate = random.chance(perMille: 100)
        for host in 0..<shape.hostCount {
            for peer in 0..<shape.hostCount where peer != host {
                cluster.network.setProfile(shape.link, from: host, to: peer)
            }
            guard host < shape.memberCount else {
                scheduleWork(of: host)
                continue
            }
            let delay = random.interval(in: .zero ... .seconds(1))
            let isLate = isOneLate && host == shape.memberCount - 1
            cluster.scheduleStart(of: host, after: isLate ? delay + .seconds(10) : delay)
            scheduleWork(of: host)
        }
    }

    // MARK: - Phases

    func run() -> RunReport {
        var report = RunReport(seed: options.seed)
        do throws(Violation) {
            try advance(until: .start.advanced(by: options.duration)) { false }
            faults.stop()
            watch.stop()
            try heal()
            try compareEnds()
        } catch {
            timeline.trace.line(at: timeline.now, "BROKEN \(error.promise.rawValue)")
            report.violation = error
        }
        report.neededOperator =
            report.violation == nil && !watch.isWhole && watch.needsOperator
        report.stepCount = timeline.stepCount
        report.simulated = timeline.now.since(.start)
        report.viewCount = watch.checker.viewCount
        report.crashCount = cluster.crashCount
        report.requestCount = Int(proposalCount)
        report.digest = timeline.digest
        report.trace = timeline.trace.takeLines()
        faults.corrupt = nil
        faults.mayErase = nil
        return report
    }

    /// C8: with nothing wrong any more, everybody comes back, and what anybody proposes is
    /// delivered everywhere.
    private func heal() throws(Violation) {
        let limit = timeline.now.advanced(by: Self.healingTime)
        try advance(until: timeline.now.advanced(by: .seconds(30))) { self.watch.isWhole }
        // No time to lose where time does not help.
        if watch.needsOperator { return }
        try advance(until: limit) { self.watch.isWhole }
        guard watch.isWhole || watch.needsOperator else {
            throw Violation(.progress, "not whole after \(Self.healingTime): \(situation)")
        }
        if isToBeFound {
            try advance(until: limit) { self.watch.isWhole && !self.isToBeFound }
            guard !isToBeFound || watch.needsOperator else {
                throw Violation(.totalOrder, "a corrupted state is not found: \(situation)")
            }
        }
        guard watch.isWhole else { return }
        try advance(until: limit) { self.isOperatorAnswered }
        guard isOperatorAnswered else {
            throw Violation(.progress, "the operator has no answer: \(situation)")
        }
        try advance(until: limit) { self.watch.isWhole }
        try expectDelivery(among: watch.listedHosts.map(\.index), until: limit)
        try advanceUntilWhole("not whole again")
        if watch.needsOperator { return }
        try goOnWithoutMinority()
    }

    private var isOperatorAnswered: Bool {
        watch.administrator.forgetTheDead()
        return !watch.administrator.isWaiting
    }

    /// What each of these hosts proposes from now on is delivered at each of them, unless a state
    /// that was corrupted before divides them now.
    private func expectDelivery(among hosts: [Int], until limit: Moment) throws(Violation) {
        let first = proposalCount + 1
        let isDone = {
            hosts.allSatisfy { host in
                let delivered = self.states[host].delivered
                return !delivered.isEmpty && hosts.allSatisfy { delivered[$0] >> 8 >= first }
            }
        }
        try advance(until: limit) { isDone() || self.watch.needsOperator }
        guard isDone() || watch.needsOperator else {
            throw Violation(.progress, "new proposals are not delivered everywhere: \(situation)")
        }
    }

    /// C8: a minority may fail at once and for good, in whatever manner; the others go on, and the
    /// minority comes back when it can.
    private func goOnWithoutMinority() throws(Violation) {
        let survivors = watch.fellMinority()
        try expectDelivery(
            among: survivors, until: timeline.now.advanced(by: shape.stall + .seconds(120)))
        faults.stop()
        try advanceUntilWhole("the minority does not come back")
    }

    private func advanceUntilWhole(_ complaint: String) throws(Violation) {
        try advance(until: timeline.now.advanced(by: Self.healingTime)) { self.watch.isSettled() }
        guard watch.isWhole || watch.needsOperator else {
            throw Violation(.progress, "\(complaint): \(situation)")
        }
    }

    /// When nobody proposes any more, all replicas come to the same state.
    private func compareEnds() throws(Violation) {
        guard watch.isWhole else { return }
        isWorking = false
        try comeToRest()
        guard watch.isWhole else { return }
        let ends = watch.listedHosts.compactMap { $0.daemon?.machine }
        // Who has learned from a corrupted member may be in the majority.
        guard !ends.contains(where: \.isTainted) else { return }
        for end in ends.dropFirst() where end.digest != ends[0].digest {
            throw Violation(.totalOrder, "the last states differ: \(situation)")
        }
    }

    /// One suspicion time in one view, and nothing on its way: what was proposed before the rest may be
    /// ordered at any time in it. A path that broke late may end the view once more, and of two members of
    /// which one is corrupted it may be seen only now that nobody knows which.
    private func comeToRest() throws(Violation) {
        let limit = timeline.now.advanced(by: Self.healingTime)
        while timeline.now < limit {
            try advance(until: limit) { self.watch.isWhole || self.watch.needsOperator }
            if watch.needsOperator { return }
            let epoch = watch.checker.newestEpoch
            try advance(until: timeline.now.advanced(by: shape.suspicion)) { false }
            let versions = Set(watch.listedHosts.compactMap { $0.daemon?.version })
            if watch.isWhole, watch.checker.newestEpoch == epoch, versions.count == 1 { return }
        }
        throw Violation(.progress, "comes to no rest: \(situation)")
    }

    // MARK: - Corruption

    /// Once a run, in a whole group: then it must be found. Where half of the members come to the
    /// same wrong state nobody can know which one is right.
    private func corrupt(_ host: Int) -> Bool {
        let members = watch.listedHosts
        guard !faults.hasCorrupted, members.count > 1, watch.isWhole,
            let version = cluster.hosts[host].daemon?.version
        else { return false }
        var corrupted = [cluster.hosts[host]]
        if members.count == 2 || random.chance(perMille: 300) {
            let others = members.filter { $0.index != host && $0.daemon?.version == version }
            corrupted += others.prefix(members.count / 2 - 1)
        }
        guard members.contains(where: { $0.index == host }) else { return false }
        let bit = random.next()
        for host in corrupted {
            timeline.trace.line(at: timeline.now, "CORRUPTED node \(host.node)")
            host.daemon?.corruptMachine { $0.corrupt(bit: bit) }
        }
        return true
    }

    /// Remembers whose state was ever wrong.
    private func noteTaint(of daemon: Node, on index: Int) {
        guard faults.hasCorrupted, daemon.machine.isTainted else { return }
        watch.tainted.insert(cluster.nodes[index])
        watch.taintedNow.insert(cluster.nodes[index])
    }

    /// Some have a corrupted state, and fewer than have a right one.
    private var isToBeFound: Bool {
        let tainted = watch.listedHosts.count { $0.daemon?.machine.isTainted ?? false }
        return tainted > 0 && 2 * tainted < watch.listedHosts.count
    }

    private var situation: String {
        cluster.hosts.map { host in
            guard let daemon = host.daemon else { return "\(host.node) down" }
            return "\(host.node) view \(daemon.view.epoch) of \(daemon.view.members.count) "
                + "\(daemon.isServing ? "serving" : "not serving") at \(daemon.version.counter)"
        }.joined(separator: ", ")
    }

    // MARK: - Events

    private func advance(until limit: Moment, done: () -> Bool) throws(Violation) {
        while !done(), let event = cluster.next(until: limit) {
            switch event {
            case .turn(let process, let stamp):
                try turn(of: Int(process), stamp: stamp)
            case .start(let host, let stamp):
                try start(Int(host), stamp: stamp)
            case .fault(let index, let stamp):
                faults.step(index: index, stamp: stamp)
            case .work(MemberOperator<Node>.eventIndex, _):
                watch.administrator.act()
            case .work(LostMajority<Node>.eventIndex, _):
                watch.loss.act()
            case .work(SteadyMajority<Node>.eventIndex, _):
                try watch.look()
            case .work(let index, _):
                work(at: Int(index))
            default:
                preconditionFailure("nobody takes \(event)")
            }
        }
    }

    private func start(_ index: Int, stamp: UInt32) throws(Violation) {
        do throws(FatalFault) {
            try cluster.start(index, stamp: stamp) { host, fabric, random throws(FatalFault) in
                timeline.trace.line(
                    at: timeline.now, "START \(host.node) \(host.member.incarnation)")
                states[index] = HostState()
                watch.taintedNow.remove(host.node)
                states[index].delivered = Array(repeating: 0, count: shape.hostCount)
                silences.started(host.member, clock: host.clock)
                return try Node(
                    settings: settings(of: index), blank: LogMachine(), disk: host.disk,
                    fabric: fabric,
                    random: random, now: host.clock.instant(at: timeline.now))
            }
        } catch {
            throw Violation(.progress, "node \(cluster.nodes[index]) cannot start: \(error)")
        }
        try watch.started(on: index)
    }

    private func settings(of index: Int) -> ReplicaSettings {
        var settings = shape.replicaSettings(
            own: cluster.hosts[index].member, nodes: watch.administrator.files[index])
        settings.plant = options.plant
        return settings
    }

    private func turn(of index: Int, stamp: UInt32) throws(Violation) {
        guard let (daemon, now) = cluster.beginTurn(of: index, stamp: stamp) else { return }
        propose(by: daemon, index: index)
        cluster.endTurn(of: index, daemon: daemon, now: now)
        try watch.checkAcknowledged(by: daemon, on: index)
        try watch.lookAtSegments(of: daemon, on: index)
        noteTaint(of: daemon, on: index)
        for output in daemon.takeOutputs() { try take(output, from: daemon, index: index) }
        try watch.checkServing(daemon, on: index)
        let version = daemon.version
        guard version >= states[index].version else {
            throw Violation(.totalOrder, "the version of node \(cluster.nodes[index]) goes back")
        }
        states[index].version = version
    }

    // MARK: - Work

    private func scheduleWork(of host: Int) {
        let pause = random.interval(in: shape.workPause / 4...shape.workPause * 2)
        timeline.schedule(.work(index: UInt16(host), stamp: 0), after: pause)
    }

    private func work(at host: Int) {
        guard isWorking else { return }
        scheduleWork(of: host)
        states[host].waitingCount += random.chance(perMille: 20) ? Int(random.below(300)) : 1
        // Together more than one write to the journal takes.
        if random.chance(perMille: 10) { states[host].longCount += 4 + Int(random.below(36)) }
        cluster.hosts[host].inbox.askForTurn()
    }

    private func propose(by daemon: Node, index: Int) {
        let (count, longCount) = (states[index].waitingCount, states[index].longCount)
        guard count + longCount > 0 else { return }
        states[index].waitingCount = 0
        states[index].longCount = 0
        let maximum = daemon.maximumCommandByteCount
        for number in 0..<count + longCount {
            proposalCount += 1
            let length = number < count ? length(maximum: maximum) : UInt64(maximum - 8)
            guard daemon.propose(command(by: index, length: length)) else { return }
        }
    }

    private func length(maximum: Int) -> UInt64 {
        let isLong = random.chance(perMille: 10)
        let room = UInt64(maximum - 8)
        return isLong ? random.below(room + 1) : random.below(min(room, 40) + 1)
    }

    private func command(by host: Int, length: UInt64) -> [UInt8] {
        var writer = ByteWriter(reserving: Int(length) + 8)
        writer.integer(proposalCount << 8 | UInt64(host))
        writer.raw(Array(repeating: UInt8(truncatingIfNeeded: proposalCount), count: Int(length)))
        return writer.bytes
    }

    // MARK: - Outputs

    private func take(
        _ output: ReplicaOutput<LogMachine.Entry>, from daemon: Node, index: Int
    ) throws(Violation) {
        if watch.isStale(daemon), !output.isFatal { return }
        switch output {
        case .machine(let entries):
            for entry in entries { try take(entry, index: index) }
        case .installed(let view, _, let stateReplaced):
            try takeInstalled(view, stateReplaced: stateReplaced, from: daemon, index: index)
        case .confirmed(let since):
            try silences.confirmed(cluster.hosts[index].member, since: since)
        case .event(let event):
            try take(event, index: index)
        case .wedged, .serving, .marked:
            break
        case .memberChange(let number, let outcome):
            try watch.administrator.take(
                outcome, of: number, on: index, checker: watch.checker)
        case .salvaged:
            break
        case .removed:
            try watch.checkRemoved(index)
            watch.administrator.wasRemoved(index)
        case .fatal(let fault):
            try watch.take(fault, on: index)
        }
    }

    private func take(_ entry: LogMachine.Entry, index: Int) throws(Violation) {
        timeline.mix(entry.digest)
        if case .installed(let epoch) = entry.kind { states[index].epoch = epoch }
        guard entry.time >= states[index].appliedTime else {
            throw Violation(.totalOrder, "the time at node \(cluster.nodes[index]) goes back")
        }
        states[index].appliedTime = entry.time
        if let told = states[index].told, entry.version != told.next, entry.version.era == told.era
        {
            throw Violation(
                .totalOrder,
                "node \(cluster.nodes[index]) tells what came of version \(entry.version.counter) "
                    + "after \(told.counter), and not that its state was replaced")
        }
        states[index].told = entry.version
        if case .applied(let number) = entry.kind {
            states[index].delivered[Int(number & 0xFF)] = number
        }
        guard !entry.isTainted else { return }
        try watch.checker.record(entry, deliveredIn: states[index].epoch)
    }

    private func takeInstalled(
        _ view: InstalledView, stateReplaced: Bool, from daemon: Node, index: Int
    ) throws(Violation) {
        let host = cluster.hosts[index]
        timeline.trace.line(
            at: timeline.now,
            "node \(host.node) installs \(view.view.epoch) \(view.view.members.map(\.node))"
                + (stateReplaced ? " with a new state" : ""))
        states[index].epoch = view.view.epoch
        try watch.installed(view, lineage: daemon.lineage, on: index)
        if stateReplaced {
            states[index].told = nil
            if !daemon.machine.isTainted { try watch.checker.replaced(by: daemon.machine) }
            states[index].appliedTime = daemon.appliedTime
        }
        try silences.installed(
            view, of: daemon.lineage, at: timeline.now, by: host.clock)
    }

    private func take(_ event: GroupEvent, index: Int) throws(Violation) {
        try watch.take(event, on: index)
        if case .leftOut = event, cluster.hosts[index].isLeaving { watch.endByItself(index) }
    }
}

extension ReplicaOutput {
    fileprivate var isFatal: Bool {
        if case .fatal = self { true } else { false }
    }
}
