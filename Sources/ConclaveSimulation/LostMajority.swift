import ConclaveBase
import ConclaveGroup
import ConclaveReplication

/// In some runs a majority of the members is lost for good, with all that was on their disks, and
/// an operator has one of those that are left go on without them (V27).
///
/// Everything beside those that are left is gone at one moment; some machines come back with an empty
/// disk. In memory mode those that are left may be started again, so that maybe nobody has the state
/// any more. When one has gone on, the operator moves the data of the others that are left out of the
/// way, and turns off what is not on the member list any more.
final class LostMajority<Daemon: SimulatedDaemon> {
    /// The event of this, an index of `.work`.
    static var eventIndex: UInt16 { .max - 3 }
    private static var patience: Int { 10 }

    private enum Phase {
        case before, lost
        /// One has gone on; the others are to be seen to.
        case goneOn(host: Int)
        case over
    }

    private let cluster: Cluster<Daemon>
    private let shape: WorldShape
    private unowned let watch: GroupWatch<Daemon>
    private var random: SeededRandom
    private var phase = Phase.before
    private var left: [Int] = []
    /// Who is gone and does not come back by itself.
    private var gone: [Int] = []
    /// Who may still have something of the history before, members or not.
    private var hasOldData: Set<Int> = []
    private var strikeCount = 0
    private var askCount: UInt16 = 0
    private var asked: Set<Int> = []
    private var lastAsked: Int?
    /// Whose daemon was asked, and lives.
    private var askedDaemons: Set<Member> = []
    /// One that was asked may have begun, and come to no end.
    private var mayHaveBegun = false
    private var isStopped = false

    init(cluster: Cluster<Daemon>, shape: WorldShape, watch: GroupWatch<Daemon>) {
        self.cluster = cluster
        self.shape = shape
        self.watch = watch
        random = SeededRandom(seed: shape.lossSeed)
    }

    func begin() {
        if let first = shape.majorityLostAt { schedule(after: first) }
    }

    private func schedule(after interval: Interval) {
        cluster.timeline.schedule(
            .work(index: Self.eventIndex, stamp: 0), after: interval)
    }

    private func trace(_ text: String) {
        cluster.timeline.trace.line(at: cluster.timeline.now, text)
    }

    /// Nothing more is lost from now on; what was is seen to all the same.
    func stop() {
        isStopped = true
    }

    /// Whether an operator will still help.
    var isActive: Bool {
        switch phase {
        case .lost: !isHopeless
        case .goneOn: true
        case .before, .over: false
        }
    }

    /// Everybody who is left is there, and has nothing to go on with.
    var isHopeless: Bool {
        guard case .lost = phase else { return false }
        return cluster.hosts.allSatisfy { host in
            host.isRetired || host.daemon.map { !mayGoOn($0, on: host.node) } ?? false
        }
    }

    /// With what is left of the state, or in memory mode without any. Who was removed, and then added again
    /// in a view that it does not know, believes that it is no member.
    private func mayGoOn(_ daemon: Daemon, on node: NodeID) -> Bool {
        daemon.list.contains(node)
            && (daemon.hasAnyState || shape.durability == .memory && daemon.view.epoch > .none)
    }

    func act() {
        switch phase {
        case .before:
            guard !isStopped else { return }
            schedule(after: .seconds(2))
            strike()
        case .lost where isGoingOnByItself: bringBack()
        case .lost:
            schedule(after: shape.suspicion * 4)
            askNext()
        case .goneOn(let host): seeToOthers(than: host)
        case .over: break
        }
    }

    private func strike() {
        guard let view = watch.newestView, view.members.count > 1,
            cluster.hosts.allSatisfy(\.isIntact)
        else { return }
        strikeCount += 1
        let isForLeftOut = shape.lossSeed % 3 == 0 && strikeCount <= Self.patience
        var choices = isForLeftOut ? leftOut(of: view) : present(in: view)
        guard !choices.isEmpty else { return }
        let count = 1 + Int(random.below(UInt64(view.quorum - 1)))
        while !choices.isEmpty, left.count < count {
            left.append(choices.remove(at: Int(random.below(UInt64(choices.count)))))
        }
        // Somebody that was without the others before may be left as well, with less of the history.
        if !isForLeftOut {
            left += leftOut(of: view).filter { _ in random.chance(perMille: 500) }
        }
        phase = .lost
        trace("LOST for good: all but \(left.map { cluster.nodes[$0] }) of view \(view.epoch)")
        for host in cluster.hosts where !left.contains(host.index) && !host.isRetired {
            let comesBack = random.chance(perMille: 400)
            lose(host, comesBackAfter: comesBack ? random.interval(in: downTime) : nil)
            if !comesBack { gone.append(host.index) }
        }
        if shape.durability == .memory, random.chance(perMille: 500) { restartLeft() }
    }

    private func restartLeft() {
        trace("LOST with that is the state of some of those that are left")
        for index in left where random.chance(perMille: 700) {
            cluster.endProcess(on: index)
            cluster.scheduleStart(of: index, after: random.interval(in: downTime))
        }
    }

    private func present(in view: View) -> [Int] {
        cluster.hosts.filter { host in
            view.contains(host.member) && host.daemon?.view.epoch == view.epoch
        }.map(\.index)
    }

    /// In some runs those that are left were without the others before, if that comes about soon: the
    /// majority had gone on, and what it did nobody knows any more.
    private func leftOut(of view: View) -> [Int] {
        cluster.hosts.filter { host in
            guard let daemon = host.daemon, daemon.hasAnyState,
                // Who was removed, or soon learns that it was, goes on with nothing.
                daemon.list.contains(host.node), watch.administrator.isListed(host.index)
            else { return false }
            return daemon.view.epoch < view.epoch && view.rank(of: host.node) == nil
        }.map(\.index)
    }

    /// The last word of those that are gone was a view of those that are left.
    private var isGoingOnByItself: Bool {
        left.contains { index in
            guard let daemon = cluster.hosts[index].daemon, daemon.isServing else { return false }
            return daemon.view.members.allSatisfy { member in
                left.contains { cluster.nodes[$0] == member.node }
            }
        }
    }

    /// Who asks somebody to go on without a majority looks first whether there is one.
    private var isServed: Bool {
        cluster.hosts.contains { host in
            host.daemon.map { $0.isServing && !watch.isStale($0) } ?? false
        }
    }

    /// In some runs the majority is lost once more.
    private func end() {
        phase = .over
        guard random.chance(perMille: 300) else { return }
        phase = .before
        (left, gone, asked, lastAsked, askedDaemons) = ([], [], [], nil, [])
        mayHaveBegun = false
        strikeCount = Self.patience
        schedule(after: random.interval(in: .seconds(2) ... .seconds(20)))
    }

    private func bringBack() {
        defer { end() }
        for index in gone {
            cluster.hosts[index].isRetired = false
            cluster.scheduleStart(of: index, after: random.interval(in: downTime))
        }
    }

    private var downTime: ClosedRange<Interval> { .milliseconds(100) ... .seconds(30) }

    private func lose(_ host: SimulatedHost<Daemon>, comesBackAfter pause: Interval?) {
        cluster.losePower(on: host.index)
        host.disk.erase()
        host.wasErased = true
        hasOldData.remove(host.index)
        watch.administrator.writeFile(of: host.index)
        if let pause {
            cluster.scheduleStart(of: host.index, after: pause)
        } else {
            watch.administrator.turnOff(host.index)
        }
    }

    /// One after the other: who refuses says whom to ask, or why not yet. It may be one that was
    /// lost, and has learned everything again. Before one has answered, or while it is down, nobody
    /// asks another: both might go on.
    private func askNext() {
        guard hasAnswered, !isServed else { return }
        askCount += 1
        // Now and then the wrong one: it refuses.
        let isAnybody = shape.durability == .disk && random.chance(perMille: 250)
        let choices = cluster.hosts.filter { host in
            guard !host.isRetired, let daemon = host.daemon else { return false }
            return mayGoOn(daemon, on: host.node) || isAnybody
        }
        guard !choices.isEmpty else { return }
        let host = choices[Int(askCount) % choices.count]
        guard let daemon = host.daemon, !daemon.isServing else { return }
        trace("OPERATOR has node \(host.node) go on alone")
        asked.insert(host.index)
        lastAsked = host.index
        noteEnded()
        askedDaemons.insert(host.member)
        // What one tried that did not come to its end may have been an era before; and of an era that
        // began without it, it does not know.
        daemon.salvage(
            eraAtLeast: mayHaveBegun || hasMissedEra(daemon) ? 100 + askCount : 0,
            now: host.clock.instant(at: cluster.timeline.now))
        host.inbox.askForTurn()
    }

    private func hasMissedEra(_ daemon: Daemon) -> Bool {
        if watch.isStale(daemon) { return true }
        let newest = watch.checker.newestEpoch
        guard daemon.view.epoch < newest else { return false }
        return (daemon.view.epoch.number + 1...newest.number).contains {
            watch.checker.view(of: Epoch($0))?.stateWasLost ?? false
        }
    }

    /// A daemon that lives, and is not at it, has refused.
    private func noteEnded() {
        let living = Set(cluster.hosts.filter { $0.daemon != nil }.map(\.member))
        if !askedDaemons.isSubset(of: living) { mayHaveBegun = true }
    }

    private var hasAnswered: Bool {
        guard let host = lastAsked.map({ cluster.hosts[$0] }), !host.isRetired else { return true }
        return host.daemon.map { !$0.isGoingOnAlone } ?? false
    }

    /// Whether another history may have begun there.
    func mayGoOn(on host: Int) -> Bool {
        guard case .lost = phase else { return false }
        return asked.contains(host)
    }

    func hasGoneOn(_ host: Int) {
        phase = .goneOn(host: host)
        // Who came back with nothing may have learned it again.
        hasOldData = Set(cluster.hosts.map(\.index).filter { $0 != host })
        clearRetired()
        // Meanwhile the others still believe in the history before.
        schedule(after: random.interval(in: .milliseconds(10) ... .seconds(10)))
    }

    /// A machine that was taken out before is set up anew when it is added again.
    private func clearRetired() {
        for host in cluster.hosts where host.isRetired && hasOldData.contains(host.index) {
            host.disk.erase()
            host.wasErased = true
            hasOldData.remove(host.index)
        }
    }

    private func seeToOthers(than survivor: Int) {
        guard let list = cluster.hosts[survivor].daemon?.list else {
            // Its list is known when it has started again.
            return schedule(after: .seconds(1))
        }
        clearRetired()
        for host in cluster.hosts where hasOldData.contains(host.index) {
            guard list.contains(host.node) else {
                lose(host, comesBackAfter: nil)
                continue
            }
            // What it has is known when it has started, and learned something.
            guard let daemon = host.daemon, daemon.view.epoch > .none else { continue }
            if watch.isStale(daemon) {
                trace("OPERATOR moves the data of node \(host.node) away")
                lose(host, comesBackAfter: random.interval(in: downTime))
            }
            hasOldData.remove(host.index)
        }
        guard !hasOldData.isEmpty else { return end() }
        schedule(after: .seconds(1))
    }
}
