import ConclaveBase
import ConclaveGroup
import ConclaveReplication

/// What every world watches of its group: the views that are installed, what members say of
/// themselves, and whether the group is whole.
final class GroupWatch<Daemon: SimulatedDaemon> {
    let cluster: Cluster<Daemon>
    let shape: WorldShape
    let faults: FaultInjector<Daemon>
    let administrator: MemberOperator<Daemon>
    private lazy var steady = SteadyMajority(cluster: cluster, shape: shape)
    private(set) lazy var loss = LostMajority(cluster: cluster, shape: shape, watch: self)
    /// Reads what a start of a host's daemon would find on a disk; set by the world.
    var remembered: (DiskImage, Int, KnownBatches) throws(FatalFault) -> Remembered = {
        (_, _, _) throws(FatalFault) in preconditionFailure("no daemons yet")
    }
    var pledges: PledgeChecker
    /// By host: what was read of its segments.
    let knownBatches: [KnownBatches]
    var occasions = DiskOccasions()
    /// By host: when that was checked last.
    var lastAcknowledged: [[UInt64]]
    /// By host: the last start of which the disk was looked at.
    var checkedStarts: [Int]
    /// Whose state was corrupted at any time, or learned from one that was.
    var tainted: Set<NodeID> = []
    /// And whose is so still: a start finds the right one on the disk.
    var taintedNow: Set<NodeID> = []
    /// By host: what its daemon had applied when it found that no state has a majority.
    private var dividedAt: [Int: Version] = [:]
    /// Found in the middle of a turn.
    var found: Violation?
    var checker: GroupChecker
    var ballots = BallotChecker()
    private var random: SeededRandom
    /// The epoch in which each host's daemon was last seen to serve, as it may.
    private var servingIn: [Epoch]
    /// Who has entered the newest view.
    private var enteredNewest: Set<Member> = []
    private var settledQuestionCount = 0

    init(
        cluster: Cluster<Daemon>, shape: WorldShape, faults: FaultInjector<Daemon>,
        random: SeededRandom
    ) {
        self.cluster = cluster
        self.shape = shape
        self.faults = faults
        administrator = MemberOperator(
            cluster: cluster, shape: shape,
            random: SeededRandom(seed: shape.operatorSeed))
        self.random = random
        checker = GroupChecker(durability: shape.durability)
        servingIn = Array(repeating: .none, count: shape.hostCount)
        knownBatches = (0..<shape.hostCount).map { _ in KnownBatches() }
        pledges = PledgeChecker(hostCount: shape.hostCount, durability: shape.durability)
        lastAcknowledged = Array(repeating: [], count: shape.hostCount)
        checkedStarts = Array(repeating: 0, count: shape.hostCount)
        faults.mayErase = { [unowned self] host in mayErase(host) }
        faults.erased = { [unowned self] host in administrator.writeFile(of: host) }
        cluster.ending = { [unowned self] index in noteEnd(of: index) }
        cluster.frameSent = { [unowned self] index, frame in sent(frame, by: index) }
        loss.begin()
        scheduleLook()
    }

    private func scheduleLook() {
        cluster.timeline.schedule(
            .work(index: SteadyMajority<Daemon>.eventIndex, stamp: 0), after: steady.pause)
    }

    /// C8: a majority that is there and well serves before long, whatever happens to the others.
    func look() throws(Violation) {
        // When all is put right, that is waited for.
        guard !faults.isStopped else { return }
        scheduleLook()
        steady.look(isFaulty: faults.isFaulty, isCut: faults.isCut)
        guard !loss.isActive, !needsOperator, let view = newestView else { return steady.served() }
        let minimum = checker.view(of: view.epoch)?.minimumMembers ?? 0
        guard let idle = steady.idleMajority(of: view, needing: minimum) else { return }
        throw Violation(
            .progress,
            "nodes \(idle) are a majority of view \(view.epoch), have been well and connected for "
                + "long, and nobody serves")
    }

    func stop() {
        administrator.stop()
        loss.stop()
    }

    // MARK: - Other histories

    /// A daemon has started: the record with which it goes on in another history may have been the
    /// last thing that its process did.
    func started(on index: Int) throws(Violation) {
        servingIn[index] = .none
        dividedAt[index] = nil
        if let daemon = cluster.hosts[index].daemon {
            try checkPledges(ofStarted: daemon, on: index)
        }
        guard let lineage = cluster.hosts[index].daemon?.lineage, lineage != .none,
            checker.lineage != .none, lineage != checker.lineage, !checker.isGivenUp(lineage)
        else { return }
        try historyBegins(lineage, on: index)
    }

    private func historyBegins(_ lineage: Lineage, on index: Int) throws(Violation) {
        guard loss.mayGoOn(on: index) else {
            throw Violation(
                .oneChainOfViews,
                "node \(cluster.nodes[index]) goes on in lineage \(lineage), and nobody said so")
        }
        timeline.trace.line(
            at: timeline.now, "HISTORY \(lineage) goes on from node \(cluster.nodes[index])")
        checker.historyGivenUp(for: lineage)
        ballots = BallotChecker()
        enteredNewest = []
        servingIn = servingIn.map { _ in .none }
        administrator.historyBegins()
        loss.hasGoneOn(index)
    }

    /// What it says is of a history that was given up, and interests nobody.
    func isStale(_ daemon: Daemon) -> Bool {
        let lineage = daemon.lineage
        return checker.isGivenUp(lineage)
    }

    private var timeline: Timeline { cluster.timeline }

    // MARK: - What members say

    func installed(
        _ view: InstalledView, lineage: Lineage, on index: Int
    ) throws(Violation) {
        let host = cluster.hosts[index]
        // Whoever enters a view with a seat may vote again (V13).
        if view.view.contains(host.member) {
            host.wasErased = false
            if let damage = host.damage, host.startCount > damage.atStart,
                !host.disk.hasUnreadable
            {
                host.damage = nil
            }
        }
        if view.view.epoch > checker.newestEpoch { enteredNewest = [] }
        if view.view.epoch >= checker.newestEpoch { enteredNewest.insert(host.member) }
        try checker.installed(view, lineage: lineage, isGone: isGone)
    }

    /// A promise was given to whoever has that ballot.
    private func provoke(_ ballot: Ballot, in epoch: Epoch) {
        guard let members = checker.view(of: epoch)?.view.members,
            members.indices.contains(ballot.rank.index),
            let host = cluster.hosts.first(where: { $0.node == members[ballot.rank.index].node })
        else { return }
        faults.provokeAtPromise(to: host.index)
    }

    private func isGone(_ member: Member) -> Bool {
        !cluster.hosts.contains { $0.member == member && $0.daemon != nil }
    }

    func take(_ event: GroupEvent, on index: Int) throws(Violation) {
        timeline.trace.line(at: timeline.now, "node \(cluster.nodes[index]) \(event)")
        if case .historyGivenUp(_, let lineage, _, _) = event {
            try historyBegins(lineage, on: index)
        }
        if let daemon = cluster.hosts[index].daemon {
            if isStale(daemon) { return }
            notePledges(of: event, by: daemon, on: index)
        }
        try checkDivided(event, on: index)
        try ballots.take(event, by: cluster.nodes[index]) { checker.view(of: $0)?.view }
        if let occasion = FaultOccasion(event) { faults.provoke(on: occasion, at: index) }
        if case .promised(let epoch, let ballot) = event { provoke(ballot, in: epoch) }
        switch event {
        case .wedged, .promised, .proposed, .accepted, .installed, .founding, .learning, .teaching:
            faults.provoke(at: index)
        case .journalSetAside(let reason):
            guard cluster.hosts[index].damage?.mayLoseJournal == true else {
                throw Violation(
                    .badInput,
                    "node \(cluster.nodes[index]) sets its journal aside, and nothing was damaged that "
                        + "it needs: \(reason)")
            }
            cluster.hosts[index].wasErased = true
        case .listed(let list, let epoch, let change):
            try checker.listed(list, in: epoch, after: change)
            if let change { try administrator.checkMade(change, in: epoch) }
            administrator.told(list, in: epoch, by: cluster.nodes[index])
        case .pathBroken(let node, let reason) where !faults.hasLostRows:
            throw Violation(
                .totalOrder,
                "node \(cluster.nodes[index]) breaks its path to node \(node), though no write "
                    + "was lost: \(reason)")
        case .stateDiffers(let node, let version) where !faults.hasCorrupted:
            throw Violation(
                .totalOrder, "the state of node \(node) differs at version \(version.counter)")
        case .stateDiffers(let node, let version) where !isToBlame(node, on: index):
            throw Violation(
                .totalOrder,
                "the state of node \(node) is said to differ at version \(version.counter), and "
                    + "it was that of \(tainted.sorted()) that was corrupted")
        case .stateDiffers(let node, _) where node == cluster.nodes[index]:
            // It notes on its disk that nothing there is to be trusted.
            cluster.hosts[index].damage = Damage(
                atStart: cluster.hosts[index].startCount, mayHideEnd: false, mayLoseJournal: true)
        case .stateDivided(let version) where !faults.hasCorrupted:
            throw Violation(
                .totalOrder, "no state has a majority at version \(version.counter)")
        case .stateDivided(let version) where isMostlySound(index):
            throw Violation(
                .totalOrder,
                "no state is said to have a majority at version \(version.counter), though only "
                    + "that of \(tainted.sorted()) was corrupted")
        case .refused(let node, let what):
            throw Violation(
                .badInput, "node \(cluster.nodes[index]) refuses \(what), of node \(node)")
        case .commandNotUnderstood(let version):
            throw Violation(
                .totalOrder, "nobody knows the command at version \(version.counter)")
        default:
            break
        }
    }

    /// A state that half of the members do not have is neither kept nor taught, unless an operator has
    /// this member go on with it.
    private func checkDivided(_ event: GroupEvent, on index: Int) throws(Violation) {
        guard let daemon = cluster.hosts[index].daemon, daemon.isDivided, !daemon.isGoingOnAlone
        else {
            return dividedAt[index] = nil
        }
        let since = dividedAt[index] ?? daemon.version
        dividedAt[index] = since
        switch event {
        case .snapshotWritten(let version, _) where version > since: break
        case .teaching(_, withSnapshot: true): break
        default: return
        }
        throw Violation(
            .totalOrder, "node \(cluster.nodes[index]) has a divided state, and says: \(event)")
    }

    /// Who has left since it was removed is not needed any more: enough of the others have the view
    /// without it on their disks, or nobody knows what a lost disk had.
    func checkRemoved(_ index: Int) throws(Violation) {
        guard shape.durability == .disk, let daemon = cluster.hosts[index].daemon,
            !isStale(daemon)
        else { return }
        let view = daemon.view
        guard view.rank(of: cluster.nodes[index]) == nil else { return }
        var knowing = 0
        for member in view.members {
            guard let host = cluster.hosts.first(where: { $0.node == member.node }) else {
                continue
            }
            if try knows(view.epoch, host) { knowing += 1 }
        }
        guard knowing < view.quorum, newestView?.epoch ?? .none <= view.epoch else { return }
        throw Violation(
            .progress,
            "node \(cluster.nodes[index]) goes since it was removed in view \(view.epoch), and only "
                + "\(knowing) of its \(view.members.count) members know so")
    }

    private func knows(
        _ epoch: Epoch, _ host: SimulatedHost<Daemon>
    ) throws(Violation) -> Bool {
        if let daemon = host.daemon, daemon.view.epoch >= epoch { return true }
        guard !host.wasErased, host.damage == nil else { return true }
        do throws(FatalFault) {
            let there = try remembered(host.disk.image, host.index, knownBatches[host.index])
            return there.epoch >= epoch
        } catch {
            throw Violation(.badInput, "node \(host.node): its journal is not whole: \(error)")
        }
    }

    /// Whether that member's state may be told apart from that of the others: it was corrupted, or
    /// most of the others' were.
    private func isToBlame(_ node: NodeID, on index: Int) -> Bool {
        votingMembers(on: index).contains { isToBlame(node, among: $0) }
    }

    /// Who may have voted on what a member says now of the states: the last messages of a view are
    /// delivered when the next one is installed.
    private func votingMembers(on index: Int) -> [[Member]] {
        // At its last words it has no view any more: it was the newest one, or that before.
        let epoch = cluster.hosts[index].daemon?.view.epoch ?? checker.newestEpoch
        let voted = [epoch, Epoch(max(epoch.number, 1) - 1)]
        return voted.compactMap { checker.view(of: $0)?.view.members }
    }

    private func isToBlame(_ node: NodeID, among members: [Member]) -> Bool {
        let wrongCount = members.count { tainted.contains($0.node) }
        if 2 * wrongCount > members.count { return true }
        let stillWrongCount = members.count { taintedNow.contains($0.node) }
        let isDivided = 2 * stillWrongCount == members.count && !members.isEmpty
        return tainted.contains(node) && !isDivided
    }

    private func isMostlySound(_ index: Int) -> Bool {
        votingMembers(on: index).allSatisfy { members in
            2 * members.count { !tainted.contains($0.node) } > members.count
        }
    }

    func take(_ fault: FatalFault, on index: Int) throws(Violation) {
        timeline.trace.line(at: timeline.now, "node \(cluster.nodes[index]) ends: \(fault)")
        switch fault {
        case .disk(let error):
            // V31: only a failed sync ends a daemon.
            guard case .failed = error, cluster.hosts[index].disk.failedSyncCount > 0 else {
                throw Violation(.badInput, "node \(cluster.nodes[index]) ends: \(fault)")
            }
            endByItself(index)
        case .broken where isToBlame(cluster.nodes[index], on: index): endByItself(index)
        case .foreignData, .broken, .damaged:
            throw Violation(.totalOrder, "node \(cluster.nodes[index]) ends: \(fault)")
        }
    }

    /// The daemon's process ends and its supervisor starts it again.
    func endByItself(_ index: Int) {
        cluster.endProcess(on: index)
        cluster.scheduleStart(
            of: index, after: random.interval(in: .milliseconds(100) ... .seconds(2)))
    }

    // MARK: - The group as a whole

    /// All members serve in one view, and what they say gets out.
    var isWhole: Bool {
        listedHosts.allSatisfy { host in
            guard let daemon = host.daemon, !cluster.network.isHeldBack(host: host.index) else {
                return false
            }
            return daemon.isServing && daemon.view.members.count == listedHosts.count
        }
    }

    /// Lets as many members fail for good as the group can do without. Returns the others.
    func fellMinority() -> [Int] {
        let minimum = checker.view(of: checker.newestEpoch)?.minimumMembers ?? 0
        let members = listedHosts.map(\.index)
        return faults.fell(of: members, sparing: max(members.count / 2 + 1, minimum))
    }

    /// V21: whoever serves is in its view, which is large enough. A process stays in that view and in
    /// its history until it stops serving there, so that each view is looked at once.
    func checkServing(_ daemon: Daemon, on index: Int) throws(Violation) {
        guard daemon.isServing else { return }
        let epoch = daemon.view.epoch
        guard epoch != servingIn[index] else { return }
        guard !isStale(daemon) else {
            throw Violation(
                .oneChainOfViews,
                "node \(cluster.nodes[index]) serves in a history that was given up")
        }
        guard let view = checker.view(of: epoch) else { return }
        guard view.view.contains(cluster.hosts[index].member),
            view.view.members.count >= view.minimumMembers
        else {
            throw Violation(
                .nothingLost,
                "node \(cluster.nodes[index]) serves in view \(view.view.epoch), which has not the "
                    + "\(view.minimumMembers) members that it needs, or not this one")
        }
        servingIn[index] = epoch
    }

    /// The machines of the newest member list.
    var listedHosts: [SimulatedHost<Daemon>] {
        cluster.hosts.filter { administrator.isListed($0.index) }
    }

    /// A disk may be lost, or damaged, as long as somebody else has entered the newest view and the
    /// others are enough to agree on the next: what is more is for an operator.
    private func mayErase(_ index: Int) -> Bool {
        guard let view = checker.view(of: checker.newestEpoch)?.view else { return false }
        let others = cluster.hosts.filter { $0.index != index }
        let isKnownElsewhere = others.contains {
            $0.daemon != nil && $0.isIntact && enteredNewest.contains($0.member)
        }
        guard isKnownElsewhere, cluster.hosts[index].isIntact else { return false }
        guard shape.damagesSeveral else {
            let isNeeded = view.members.count < 3 && view.rank(of: cluster.nodes[index]) != nil
            return !isNeeded && others.allSatisfy(\.isIntact)
        }
        return others.count { $0.isIntact && view.rank(of: $0.node) != nil } >= view.quorum
    }

    /// One may be decided, and on a disk, though nobody has lived to enter it.
    var newestView: View? {
        let recorded = cluster.hosts.compactMap { $0.daemon?.view }.max { $0.epoch < $1.epoch }
        let entered = checker.view(of: checker.newestEpoch)?.view
        guard let recorded, recorded.epoch > entered?.epoch ?? .none else { return entered }
        return recorded
    }

    /// Nothing more happens by itself. To be asked at every step: whether an operator is needed is
    /// found out a little later.
    func isSettled() -> Bool {
        if isWhole { return true }
        settledQuestionCount += 1
        return settledQuestionCount % 16 == 0 && needsOperator
    }

    /// A member whose disk was lost has no vote until it has joined a view, and cannot say that it
    /// has no state; if its view needs that vote, or that word (V26), only an operator can help.
    var needsOperator: Bool {
        if cluster.hosts.contains(where: { $0.daemon?.isDivided ?? false }) { return true }
        if loss.isActive { return false }
        guard let view = newestView else { return false }
        if lacksVoters(view) { return true }
        guard !mayBeKnown(view), let before = checker.view(of: Epoch(view.epoch.number - 1))?.view
        else { return false }
        return lacksVoters(before)
    }

    private func lacksVoters(_ view: View) -> Bool {
        let voters = view.members.filter { member in
            !cluster.hosts.contains { $0.node == member.node && $0.wasErased }
        }
        if shape.durability == .memory, voters.count < view.members.count { return true }
        return voters.count < view.quorum
    }

    /// False: whoever has entered or recorded it has lost its disk since, and the others must decide it
    /// again.
    private func mayBeKnown(_ view: View) -> Bool {
        cluster.hosts.contains { host in
            !host.wasErased && !host.isRetired
                && host.daemon.map { $0.view.epoch >= view.epoch } ?? true
        }
    }
}
