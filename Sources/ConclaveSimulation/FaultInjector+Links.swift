import ConclaveBase

/// What befalls the links between hosts, and how a minority fails for good.
extension FaultInjector {
    func haveNamesake(of host: Int) {
        let other = Member(
            node: cluster.nodes[host],
            incarnation: Incarnation(disk: Self.namesakesDisk, start: random.next() | 1))
        let longest = shape.suspicion * 2
        network.supplant(host, by: other, for: .milliseconds(1)...longest)
    }

    /// No simulated host has such a one.
    static var namesakesDisk: UInt64 { 255 }

    func cut(_ kind: FaultKind, host: Int) {
        guard hostCount > 1 else { return }
        var fault = Fault(kind: kind, host: host, stamp: 0)
        switch kind {
        case .partition: fault.directions = directionsBetweenParts()
        case .isolate: fault.directions = directions(around: host)
        case .oneWay: fault.directions = [(host, another(than: host))]
        default:
            let peer = another(than: host)
            fault.directions = [(host, peer), (peer, host)]
        }
        if kind == .flap { fault.flapsLeft = 2 + Int(random.below(20)) }
        setCut(true, in: &fault)
        keep(fault)
    }

    func directionsBetweenParts() -> [(from: Int, to: Int)] {
        let part = (0..<hostCount).map {
            random.chance(perMille: 500) && !shape.spared.contains($0)
        }
        var directions: [(from: Int, to: Int)] = []
        for from in 0..<hostCount {
            for to in 0..<hostCount where part[from] != part[to] { directions.append((from, to)) }
        }
        return directions
    }

    func directions(around host: Int) -> [(from: Int, to: Int)] {
        let manner = random.below(3)
        var directions: [(from: Int, to: Int)] = []
        for peer in 0..<hostCount where peer != host {
            if manner != 1 { directions.append((host, peer)) }
            if manner != 0 { directions.append((peer, host)) }
        }
        return directions
    }

    func setCut(_ isCut: Bool, in fault: inout Fault) {
        guard fault.isCutNow != isCut else { return }
        fault.isCutNow = isCut
        for (from, to) in fault.directions {
            if isCut { network.cut(from: from, to: to) } else { network.heal(from: from, to: to) }
        }
    }

    func slowDown(_ host: Int) {
        guard hostCount > 1 else { return }
        var profile = shape.link
        let delay = WorldShape.logarithmic(.milliseconds(1)...shape.suspicion * 2, &random)
        profile.delays = Delays(delay / 2...delay)
        var fault = Fault(kind: .slow, host: host, stamp: 0)
        fault.directions = [(host, another(than: host))]
        for (from, to) in fault.directions { network.setProfile(profile, from: from, to: to) }
        keep(fault)
    }

    /// Something other than a cut is wrong with a host that is still to be put right.
    func isFaulty(_ host: Int) -> Bool {
        active.contains { $0?.host == host && $0?.directions.isEmpty ?? false }
    }

    /// Something is wrong with what the two hosts send each other, or it comes and goes.
    func isCut(_ one: Int, _ other: Int) -> Bool {
        active.contains { fault in
            fault?.directions.contains {
                $0.from == one && $0.to == other || $0.from == other && $0.to == one
            } ?? false
        }
    }

    /// After everything was put right: lets all of `members` fail but `count`, each in a manner of
    /// its own, until `stop`. Two that cannot reach each other are one that fails, as the others
    /// choose. Returns those that go on for certain.
    func fell(of members: [Int], sparing count: Int) -> [Int] {
        var survivors = members
        let drawOne = { (self: FaultInjector) in
            survivors.remove(at: Int(self.random.below(UInt64(survivors.count))))
        }
        if members.count > max(count, 2), random.chance(perMille: 250) {
            cutForGood(drawOne(self), drawOne(self))
        }
        let sparedCount = survivors.count < members.count ? count - 1 : count
        while survivors.count > sparedCount { fell(drawOne(self)) }
        return survivors
    }

    func cutForGood(_ one: Int, _ other: Int) {
        timeline.trace.line(
            at: timeline.now, "CUT for good between hosts \(one + 1) and \(other + 1)")
        var fault = Fault(kind: .cutPair, host: one, stamp: 0)
        fault.directions = [(one, other), (other, one)]
        setCut(true, in: &fault)
        keep(fault, for: Self.forGood)
    }

    func fell(_ host: Int) {
        let manner = random.below(5)
        timeline.trace.line(at: timeline.now, "FELLED host \(host + 1) in manner \(manner)")
        switch manner {
        case 0: cluster.losePower(on: host)
        case 1: cluster.endProcess(on: host)
        case 2: cluster.hosts[host].inbox.pause(for: Self.forGood)
        case 3: cluster.hosts[host].disk.stall(for: Self.forGood)
        default:
            var fault = Fault(kind: .isolate, host: host, stamp: 0)
            fault.directions = directions(around: host)
            setCut(true, in: &fault)
            keep(fault, for: Self.forGood)
        }
    }

    static var forGood: Interval { .seconds(1_000_000) }
}
