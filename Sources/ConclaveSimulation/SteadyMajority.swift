import ConclaveBase
import ConclaveReplication

/// C8 while other things still go wrong: before long somebody serves, if a majority of the newest
/// view runs, is connected member with member, and has disks that work.
///
/// It looks at the hosts now and then; what is over before it looks again is shorter than what a
/// group takes for a failure.
struct SteadyMajority<Daemon: SimulatedDaemon> {
    /// The event of this, an index of `.work`.
    static var eventIndex: UInt16 { .max - 5 }

    private let cluster: Cluster<Daemon>
    private let shape: WorldShape
    /// By host, and by pair: when something was wrong with it last.
    private var hostTroubledAt: [Moment]
    private var pairTroubledAt: [Moment]
    private var startCounts: [Int]
    private var connections: [UInt32]
    private var servedAt = Moment.start
    /// When no majority of what was the newest view then was well.
    private var helplessAt = Moment.start

    init(cluster: Cluster<Daemon>, shape: WorldShape) {
        self.cluster = cluster
        self.shape = shape
        let count = shape.hostCount
        hostTroubledAt = Array(repeating: .start, count: count)
        pairTroubledAt = Array(repeating: .start, count: count * count)
        startCounts = Array(repeating: 0, count: count)
        connections = Array(repeating: 0, count: count * count)
    }

    /// Between two looks.
    var pause: Interval { shape.suspicion / 2 }

    /// Somebody serves whom others can hear, or nobody can help but an operator.
    mutating func served() {
        servedAt = cluster.timeline.now
    }

    mutating func look(isFaulty: (_ host: Int) -> Bool, isCut: (_ one: Int, _ other: Int) -> Bool) {
        let now = cluster.timeline.now
        for host in cluster.hosts {
            if isTroubled(host) || isFaulty(host.index)
                || host.startCount != startCounts[host.index]
            {
                hostTroubledAt[host.index] = now
                startCounts[host.index] = host.startCount
            }
            for peer in 0..<host.index {
                let pair = pair(host.index, peer)
                let connection = cluster.network.connection(host.index, peer)
                if connection == connections[pair], connection > 0, !isCut(host.index, peer) {
                    continue
                }
                pairTroubledAt[pair] = now
                connections[pair] = connection
            }
            if host.daemon?.isServing ?? false, hostTroubledAt[host.index] < now { served() }
        }
    }

    private func isTroubled(_ host: SimulatedHost<Daemon>) -> Bool {
        host.daemon == nil || host.isRetired || host.isLeaving || host.wasErased
            || host.damage != nil || host.pauseInTurn > .zero
            || host.inbox.pausedUntil > cluster.timeline.now
            || host.suspendedUntil > cluster.timeline.now
            || host.disk.isFull || host.disk.isStalled
    }

    private func pair(_ one: Int, _ other: Int) -> Int {
        min(one, other) * shape.hostCount + max(one, other)
    }

    /// Who should have served long ago; nil: nobody.
    mutating func idleMajority(of view: View, needing minimum: Int) -> [NodeID]? {
        let patience = shape.patience
        let now = cluster.timeline.now
        // A view of those that are well may have come only now.
        if majority(of: view, needing: minimum, wellFor: .zero) == nil { helplessAt = now }
        guard now.since(servedAt) > patience, now.since(helplessAt) > patience else { return nil }
        return majority(of: view, needing: minimum, wellFor: patience)?.map { cluster.nodes[$0] }
    }

    private func majority(
        of view: View, needing minimum: Int, wellFor length: Interval
    ) -> [Int]? {
        let now = cluster.timeline.now
        let well = cluster.hosts.filter { host in
            isMember(host, of: view) && now.since(hostTroubledAt[host.index]) > length
        }
        let needed = max(view.quorum, minimum)
        guard well.count >= needed else { return nil }
        return connected(well.map(\.index), count: needed, for: length)
    }

    /// What a process had in memory alone is gone with it. The first view is known to its founder alone,
    /// until that has told the others.
    private func isMember(_ host: SimulatedHost<Daemon>, of view: View) -> Bool {
        guard view.epoch > Epoch(1) || host.daemon?.view.epoch == view.epoch else { return false }
        return shape.durability == .disk
            ? view.rank(of: host.node) != nil : view.contains(host.member)
    }

    /// Some `count` of these that have all been connected for long.
    private func connected(_ hosts: [Int], count: Int, for length: Interval) -> [Int]? {
        if count == 0 { return [] }
        guard let first = hosts.first, hosts.count >= count else { return nil }
        let others = hosts.dropFirst()
        let near = others.filter {
            cluster.timeline.now.since(pairTroubledAt[pair(first, $0)]) > length
        }
        if let rest = connected(Array(near), count: count - 1, for: length) {
            return [first] + rest
        }
        return connected(Array(others), count: count, for: length)
    }
}
