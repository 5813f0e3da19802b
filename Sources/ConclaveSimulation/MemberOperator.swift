import ConclaveBase
import ConclaveGroup
import ConclaveReplication

/// An operator who adds machines to a group, removes and replaces them, at times that a seed
/// decides, and wants a definite answer each time.
///
/// Machines off the list are off as well, but for a while: some run as strangers before they are
/// added, and after they were removed.
final class MemberOperator<Daemon: SimulatedDaemon> {
    /// The operator's own event, an index of `.work`.
    static var eventIndex: UInt16 { .max - 2 }

    private struct Wish {
        var change: MemberChange
        var number: UInt64
        var asked: Member
    }

    private let cluster: Cluster<Daemon>
    private let shape: WorldShape
    private var random: SeededRandom
    private var wish: Wish?
    private var wishCount: UInt64 = 0
    /// What is to follow an addition, for a machine to be replaced.
    private var toRemove: NodeID?
    private var isStopped = false
    /// What was ever asked for.
    private var asked: Set<MemberChange.Action> = []
    /// The view with which each wish came true, by the operator's name in it.
    private var madeIn: [String: Epoch] = [:]
    /// The newest list that any member has told.
    private(set) var list = MemberList.empty
    private var newest = Epoch.none
    /// Whom each machine's configuration names.
    private(set) var files: [[NodeID]]
    /// Asks the daemon of a host, by the number of the wish. Its outcome is told to `take`.
    var ask: ((MemberChange, UInt64, Int) -> Void)?
    /// What is done where a daemon is turned off for good.
    var retired: ((Int) -> Void)?

    init(cluster: Cluster<Daemon>, shape: WorldShape, random: SeededRandom) {
        self.cluster = cluster
        self.shape = shape
        self.random = random
        let founders = Array(cluster.nodes[..<shape.memberCount])
        files = cluster.nodes.map { founders.contains($0) ? founders : founders + [$0] }
        for host in cluster.hosts[shape.memberCount...] { host.isRetired = true }
        scheduleNext()
    }

    /// All founding members are listed before there is a view.
    func isListed(_ host: Int) -> Bool {
        guard newest > .none else { return host < shape.memberCount }
        return list.contains(cluster.nodes[host])
    }

    var isWaiting: Bool { wish != nil }

    private func scheduleNext() {
        guard let pause = shape.operatorPause else { return }
        cluster.timeline.schedule(
            .work(index: Self.eventIndex, stamp: 0),
            after: random.interval(in: pause / 4...pause * 2))
    }

    func stop() {
        isStopped = true
    }

    // MARK: - Acting

    func act() {
        guard !isStopped else { return }
        scheduleNext()
        forgetTheDead()
        guard wish == nil, newest > .none else { return }
        retireStrangers()
        guard let change = nextChange() else { return }
        let serving = cluster.hosts.filter { host in
            host.daemon != nil && isListed(host.index)
        }
        guard !serving.isEmpty else { return }
        let host = WorldShape.pick(serving, &random)
        wishCount += 1
        wish = Wish(change: change, number: wishCount, asked: host.member)
        asked.insert(change.action)
        cluster.timeline.trace.line(
            at: cluster.timeline.now, "OPERATOR asks node \(host.node): \(change.action)")
        if !change.isRemoval { turnOn(change.node) }
        ask?(change, wishCount, host.index)
    }

    /// Whoever was asked and died gives no answer: nobody knows, and the operator asks anew.
    func forgetTheDead() {
        guard let waiting = wish else { return }
        let isAlive = cluster.hosts.contains { $0.member == waiting.asked && $0.daemon != nil }
        if !isAlive { wish = nil }
    }

    private func nextChange() -> MemberChange? {
        let spare = cluster.nodes.filter { !list.contains($0) }
        let by = "operator \(wishCount + 1)"
        if let old = toRemove, list.contains(old) {
            if random.chance(perMille: 300) { toRemove = nil }
            return MemberChange(.remove(old), by: by)
        }
        toRemove = nil
        let kind = random.below(3)
        if kind > 0, !spare.isEmpty {
            if kind == 2 { toRemove = WorldShape.pick(list.nodes, &random) }
            let entry = MemberList.Entry(node: WorldShape.pick(spare, &random), address: [])
            return MemberChange(.add(entry), by: by)
        }
        return MemberChange(.remove(WorldShape.pick(list.nodes, &random)), by: by)
    }

    private func turnOn(_ node: NodeID) {
        guard let host = cluster.hosts.first(where: { $0.node == node }), host.isRetired else {
            return
        }
        writeFile(of: host.index)
        host.isRetired = false
        cluster.scheduleStart(of: host.index, after: random.interval(in: .zero ... .seconds(3)))
    }

    /// The machine is set up anew: its configuration names the present members.
    func writeFile(of host: Int) {
        let node = cluster.nodes[host]
        let members = newest > .none ? list.nodes : files[host]
        files[host] = (members.filter { $0 != node } + [node]).sorted()
    }

    private func retireStrangers() {
        for host in cluster.hosts where !host.isRetired && !isListed(host.index) {
            if random.chance(perMille: 300) { turnOff(host.index) }
        }
    }

    func turnOff(_ index: Int) {
        cluster.endProcess(on: index)
        cluster.hosts[index].isRetired = true
        retired?(index)
    }

    // MARK: - What daemons say

    /// Another history begins: what was wanted of the one before is forgotten.
    func historyBegins() {
        newest = .none
        wish = nil
        toRemove = nil
        madeIn = [:]
    }

    /// A view has a change of the list: each is asked for, and made once, however often it was sent.
    func checkMade(_ change: MemberChange, in epoch: Epoch) throws(Violation) {
        guard asked.contains(change.action) else {
            throw Violation(.oneChainOfViews, "nobody asked for \(change.action)")
        }
        guard let known = madeIn.updateValue(epoch, forKey: change.by), known != epoch else {
            return
        }
        throw Violation(
            .oneChainOfViews,
            "\(change.action), which \(change.by) asked for once, is made in views \(known) and "
                + "\(epoch)")
    }

    /// What a removed member says of its own removal is no reason yet to turn it off: the others may
    /// not know.
    func told(_ list: MemberList, in epoch: Epoch, by node: NodeID) {
        guard epoch > newest, list.contains(node) else { return }
        newest = epoch
        self.list = list
        // An addition that the operator has given up may come about all the same.
        for node in list.nodes { turnOn(node) }
        for host in cluster.hosts where isListed(host.index) { correctFile(of: host) }
    }

    /// A machine that was away while all others that it knows were replaced finds nobody, and nobody
    /// that it would listen to finds it.
    private func correctFile(of host: SimulatedHost<Daemon>) {
        if isLost(host.node, knowing: files[host.index]) { writeFile(of: host.index) }
        guard let daemon = host.daemon, isLost(host.node, knowing: daemon.list.nodes) else {
            return
        }
        cluster.endProcess(on: host.index)
        cluster.scheduleStart(of: host.index, after: random.interval(in: .zero ... .seconds(3)))
    }

    private func isLost(_ node: NodeID, knowing nodes: [NodeID]) -> Bool {
        let others = list.nodes.filter { $0 != node }
        return !others.isEmpty && !others.contains { nodes.contains($0) }
    }

    /// Its daemon has ended by itself, since it was removed. If it was added again meanwhile, without
    /// having heard so, the operator starts it.
    func wasRemoved(_ index: Int) {
        turnOff(index)
        if list.contains(cluster.nodes[index]) { turnOn(cluster.nodes[index]) }
    }

    /// Whether `outcome` is true, as far as `checker` knows the lists.
    func take(
        _ outcome: MemberChangeOutcome, of number: UInt64, on index: Int, checker: GroupChecker
    ) throws(Violation) {
        guard let waiting = wish, waiting.number == number,
            waiting.asked == cluster.hosts[index].member
        else { return }
        wish = nil
        cluster.timeline.trace.line(at: cluster.timeline.now, "OPERATOR is told \(outcome)")
        guard case .done(let epoch) = outcome else { return }
        guard let list = checker.list(of: epoch), waiting.change.isDone(in: list) else {
            throw Violation(
                .oneChainOfViews,
                "node \(cluster.nodes[index]) said that \(waiting.change.action) is done in view "
                    + "\(epoch), and it is not")
        }
    }
}
