package import ConclaveBase
package import ConclaveReplication

/// What a run draws before it begins: how large the group is, how it is set, how fast its machines
/// are, and how often what goes wrong.
package struct WorldShape: Sendable {
    package var memberCount: Int
    /// Machines beside the founding members, for an operator to add.
    package var spareCount = 0
    /// Between two acts of the operator, on the average; nil: there is none.
    package var operatorPause: Interval?
    package var operatorSeed: UInt64 = 0
    /// From when on a majority may be lost for good; nil: never.
    package var majorityLostAt: Interval?
    package var lossSeed: UInt64 = 0
    package var durability: Durability
    package var minimumMembers: Int?
    package var heartbeat: Interval
    package var suspicion: Interval
    package var stall: Interval
    package var maximumSessionTTL: Interval
    package var slotCount: Int
    package var slotByteCount: Int
    package var segmentByteCount: Int
    package var snapshotEveryByteCount: Int
    package var recentByteCount: Int
    package var disk: DiskProfile
    package var link: LinkProfile
    /// Of every clock, in parts per million, either way.
    package var drift: Int64
    package var faults: [FaultKind]
    /// Between two faults, on the average; nothing goes wrong if there are no `faults`.
    package var faultPause: Interval
    /// How often, in a thousand, something goes wrong just when a member takes a step of a view
    /// change.
    package var provokedPerMille: UInt64
    /// What goes wrong then.
    package var provoked: [FaultKind]
    /// A host that most things happen to: what takes two blows to the same member is rare else.
    package var victim: Int?
    /// Hosts, a majority of the founders, that nothing happens to, nor to the links between them;
    /// mostly none.
    package var spared: Set<Int> = []
    /// What befalls one disk befalls another one at once, as far as the others can do without them.
    package var damagesSeveral = false
    /// Size of a file of the view journal.
    package var viewJournalByteCount = 64 * 1_024
    /// Between two pieces of work of one host, on the average.
    package var workPause: Interval

    package init(allowed: [FaultKind], random: inout SeededRandom) {
        memberCount = Self.pick([1, 2, 3, 3, 3, 3, 3, 4, 5, 5, 6, 7], &random)
        durability = random.chance(perMille: 700) ? .disk : .memory
        minimumMembers =
            random.chance(perMille: 800)
            ? nil : 1 + Int(random.below(UInt64(memberCount)))
        // Each heartbeat goes to everybody and comes back: quick ones are for small groups.
        let quickest: Int64 = memberCount <= 3 ? 20 : 50
        heartbeat = .milliseconds(max(quickest, Self.pick([20, 20, 50, 50, 100, 200], &random)))
        suspicion = heartbeat * Self.pick([4, 5, 6, 8, 12], &random)
        stall = max(suspicion, random.interval(in: .milliseconds(500) ... .seconds(5)))
        maximumSessionTTL = suspicion * Self.pick([3, 5, 10, 20, 40], &random)
        slotCount = Self.pick([16, 16, 32, 128], &random)
        slotByteCount = Self.pick([1, 2, 8], &random) * 1_024
        segmentByteCount = Self.pick([64, 128, 512], &random) * 1_024
        snapshotEveryByteCount = Self.pick([16, 64, 256, 1_024], &random) * 1_024
        recentByteCount = Self.pick([4, 32, 256], &random) * 1_024
        disk = random.chance(perMille: 700) ? .fast : .slow
        link = Self.link(suspicion: suspicion, random: &random)
        drift = Self.pick([0, 100, 2_000, 9_990], &random)
        faults = Self.faults(of: allowed, random: &random)
        faultPause = Self.logarithmic(suspicion / 2...max(suspicion * 24, .seconds(5)), &random)
        provokedPerMille = Self.pick([0, 0, 30, 150, 400], &random)
        provoked = faults.filter(Self.provokable.contains)
        victim = random.chance(perMille: 400) ? Int(random.below(UInt64(memberCount))) : nil
        // What one member says goes to everybody, and everybody says that it is there.
        let busiest = Interval.milliseconds(10) * Int64(memberCount * memberCount)
        workPause = max(busiest, Self.logarithmic(.milliseconds(30) ... .seconds(3), &random))
    }

    /// What can strike in the middle of a view change.
    private static let provokable: [FaultKind] = [
        .kill, .power, .killAll, .powerAll, .pause, .partition, .oneWay, .cutPair, .isolate, .reset,
        .stall, .failedSync, .erase, .rot,
    ]

    /// What a run with these options draws first.
    package static func drawn(
        for options: RunOptions, from random: inout SeededRandom
    ) -> WorldShape {
        var shape = WorldShape(
            allowed: options.faults.filter { !drawnApart.contains($0) },
            random: &random)
        shape.drawOperator(for: options)
        shape.drawLoss(for: options)
        shape.drawOlderDisks(for: options)
        shape.drawSpared(for: options)
        shape.drawSeveral(for: options)
        shape.drawNamesakes(for: options)
        shape.drawRotNewest(for: options)
        shape.drawViewJournal(for: options)
        shape.drawRecent(for: options)
        shape.drawFew(for: options)
        return shape
    }

    private static let drawnApart: Set<FaultKind> = [
        .members, .loseMajority, .olderDisk, .namesake, .rotNewest,
    ]

    package var hostCount: Int { memberCount + spareCount }

    /// For as long a majority may be steady and not serve: what hangs is left out after the stall
    /// time, and whoever has waited behind growing pauses comes in after some suspicion times.
    var patience: Interval { stall + suspicion * 20 + .seconds(3) }

    /// From numbers of its own: runs without an operator are as they were before there was one.
    private mutating func drawOperator(for options: RunOptions) {
        guard options.faults.contains(.members) else { return }
        var random = SeededRandom(seed: options.seed ^ 0x6F70_6572_6174_6F72)
        let isWanted = options.faults.count < FaultKind.allCases.count
        guard isWanted || random.chance(perMille: 400) else { return }
        spareCount = 1 + Int(random.below(3))
        operatorSeed = random.next()
        operatorPause = Self.logarithmic(.seconds(1) ... .seconds(20), &random)
    }

    /// As with the operator: whatever else a seed decides stays as it was.
    private mutating func drawLoss(for options: RunOptions) {
        guard options.faults.contains(.loseMajority) else { return }
        var random = SeededRandom(seed: options.seed ^ 0x6D61_6A6F_7269_7479)
        let isWanted = options.faults.count < FaultKind.allCases.count
        guard isWanted || random.chance(perMille: 150) else { return }
        lossSeed = random.next()
        let latest = options.duration - options.duration / 4
        majorityLostAt = random.interval(in: options.duration / 8...latest)
    }

    /// Disks that were lost come back, unless they may be of a history that was given up.
    private mutating func drawOlderDisks(for options: RunOptions) {
        guard options.faults.contains(.olderDisk), majorityLostAt == nil else { return }
        var random = SeededRandom(seed: options.seed ^ 0x6F6C_6465_7220_646B)
        let isWanted = options.faults.count < FaultKind.allCases.count
        guard isWanted || random.chance(perMille: 200) else { return }
        faults += faults.contains(.erase) ? [.olderDisk, .olderDisk] : [.erase, .olderDisk]
    }

    /// A majority that can serve all the time should (C8), whatever the others go through.
    private mutating func drawSpared(for options: RunOptions) {
        guard memberCount > 2, spareCount == 0, majorityLostAt == nil else { return }
        var random = SeededRandom(seed: options.seed ^ 0x7370_6172_6564_0000)
        guard random.chance(perMille: 150) else { return }
        let count = max(memberCount / 2 + 1, minimumMembers ?? 0)
        guard count < memberCount else { return }
        while spared.count < count {
            spared.insert(Int(random.below(UInt64(memberCount))))
        }
    }

    private mutating func drawNamesakes(for options: RunOptions) {
        guard options.faults.contains(.namesake), memberCount > 1 else { return }
        var random = SeededRandom(seed: options.seed ^ 0x6E61_6D65_7361_6B65)
        let isWanted = options.faults.count < FaultKind.allCases.count
        guard isWanted || random.chance(perMille: 150) else { return }
        faults += [.namesake]
        provoked += [.namesake]
    }

    private mutating func drawRotNewest(for options: RunOptions) {
        guard options.faults.contains(.rotNewest), memberCount > 1, durability == .disk else {
            return
        }
        var random = SeededRandom(seed: options.seed ^ 0x726F_7420_6E65_7773)
        let isWanted = options.faults.count < FaultKind.allCases.count
        guard isWanted || random.chance(perMille: 150) else { return }
        faults += [.rotNewest]
        provoked += [.rotNewest]
    }

    /// Four can do without one of them, as three can.
    private mutating func drawSeveral(for options: RunOptions) {
        guard memberCount > 4 else { return }
        var random = SeededRandom(seed: options.seed ^ 0x7365_7665_7261_6C00)
        damagesSeveral = random.chance(perMille: 400)
    }

    /// Short files are made anew more often, with less of what was before.
    private mutating func drawViewJournal(for options: RunOptions) {
        var random = SeededRandom(seed: options.seed ^ 0x7669_6577_7320_6669)
        guard random.chance(perMille: 400) else { return }
        viewJournalByteCount = Self.pick([8, 16], &random) * 1_024
    }

    /// With next to nothing of the past in memory, whoever comes back needs a snapshot.
    private mutating func drawRecent(for options: RunOptions) {
        var random = SeededRandom(seed: options.seed ^ 0x7265_6365_6E74_0000)
        if random.chance(perMille: 100) { recentByteCount = 256 }
    }

    /// Where one is enough to serve, a view may leave out members that have promised it, while others
    /// hear of them that do not come into it either.
    private mutating func drawFew(for options: RunOptions) {
        guard memberCount > 2, spared.isEmpty else { return }
        var random = SeededRandom(seed: options.seed ^ 0x6665_7720_6173_7877)
        guard random.chance(perMille: 100) else { return }
        minimumMembers = 1
        let apart: Set<FaultKind> = [.isolate, .partition, .cutPair, .oneWay]
        let more = options.faults.filter(apart.contains)
        guard !faults.isEmpty, !more.isEmpty else { return }
        while faults.count(where: apart.contains) < faults.count / 2 { faults += more }
        faultPause = min(faultPause, suspicion * 4)
    }

    private static func link(suspicion: Interval, random: inout SeededRandom) -> LinkProfile {
        var profile = LinkProfile.near
        switch random.below(10) {
        case 0:
            // Two halls, or a busy network: up to a tenth of what counts as silence.
            profile.delays = Delays(
                .microseconds(100)...suspicion / 20, rarePerMille: 10,
                rare: .milliseconds(1)...suspicion / 10)
        case 1:
            // So slow and uneven that steps of a view change overtake each other.
            profile.delays = Delays(.microseconds(100)...suspicion / 4)
        default: break
        }
        profile.patience = suspicion * 2...max(suspicion * 4, .seconds(20))
        return profile
    }

    /// Each run leaves some kinds out, so that what they hide shows in others.
    private static func faults(
        of allowed: [FaultKind], random: inout SeededRandom
    ) -> [FaultKind] {
        guard allowed.count > 1 else { return allowed }
        let keptPerMille: UInt64 = pick([250, 500, 800, 1_000], &random)
        let kept = allowed.filter { _ in random.chance(perMille: keptPerMille) }
        return kept.isEmpty ? allowed : kept
    }

    static func pick<T>(_ choices: [T], _ random: inout SeededRandom) -> T {
        choices[Int(random.below(UInt64(choices.count)))]
    }

    /// An interval within `range`, each order of magnitude as likely as another.
    static func logarithmic(
        _ range: ClosedRange<Interval>, _ random: inout SeededRandom
    ) -> Interval {
        var (lower, upper) = (range.lowerBound, range.upperBound)
        // Halving the number of doublings needs no floating point.
        while upper.nanoseconds / 2 > lower.nanoseconds {
            let doublings = UInt64(64 - (upper.nanoseconds / lower.nanoseconds).leadingZeroBitCount)
            let chosen = Int64(random.below(doublings))
            lower = Interval(nanoseconds: lower.nanoseconds << chosen)
            upper = min(upper, lower * 2)
        }
        return random.interval(in: min(lower, upper)...max(lower, upper))
    }

    package func replicaSettings(own: Member, nodes: [NodeID]) -> ReplicaSettings {
        var settings = ReplicaSettings(
            own: own, configured: nodes, durability: durability, minimumMembers: minimumMembers,
            maximumSessionTTL: maximumSessionTTL, heartbeat: heartbeat, suspicion: suspicion,
            stall: stall, slotCount: slotCount, slotByteCount: slotByteCount,
            segmentByteCount: segmentByteCount, snapshotEveryByteCount: snapshotEveryByteCount,
            recentByteCount: recentByteCount)
        // Snapshots are short: they take many turns all the same.
        settings.viewJournalByteCount = viewJournalByteCount
        settings.snapshotPartByteCount = segmentByteCount / 256
        settings.digestPace = DigestPace(
            versionCount: UInt64(segmentByteCount / 4_096), versionsPerRow: 1)
        return settings
    }
}
