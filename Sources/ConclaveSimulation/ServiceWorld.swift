import ConclaveBase
import ConclaveClientCore
import ConclaveCoordination
import ConclaveGroup
import ConclaveReplication
import ConclaveService
import ConclaveWire

/// Daemons with clients under faults: whole hosts, client processes that die, hang and quit, and
/// the checkers of everything that clients are told.
final class ServiceWorld {
    /// A place for one client process after another.
    struct Seat {
        var host: Int
        var inbox: Inbox
        var client: ClientProcess?
        var spawnStamp: UInt32 = 0
    }

    /// A connection between a client and a run of its daemon.
    struct Link {
        /// `nil`: a stranger that does not listen.
        var client: ClientProcess?
        var host: Int
        var isOpen = true
        /// The daemon wants to hear of the process's death.
        var isWatched = true
        /// The daemon does not read now; what comes waits.
        var isPaused = false
        var waiting: [FrameBuffer.Frame] = []
        var frames = FrameBuffer()
        /// Sent to the client and not taken by it yet.
        var unreadByteCount = 0
        /// The daemon was told that the client does not read.
        var isStalled = false
    }

    static let healingTime = Interval.seconds(300)
    /// The events of the world itself, as indexes of `.work`; lower ones are seats.
    static let deathIndex = UInt16.max
    static let heirIndex = UInt16.max - 1
    static let takeoverIndex = UInt16.max - 4
    static let breakIndex = UInt16.max - 6
    static let lateWordIndex = UInt16.max - 7
    static let stopIndex = UInt16.max - 8
    static let thawIndex = UInt16.max - 9
    static let hangIndex = UInt16.max - 10

    let options: RunOptions
    let shape: WorldShape
    let timeline: Timeline
    let cluster: Cluster<SimulatedService>
    let faults: FaultInjector<SimulatedService>
    var random: SeededRandom
    /// For what goes wrong at a certain moment: else the run is as it was without it.
    var momentRandom: SeededRandom
    let watch: GroupWatch<SimulatedService>
    let world: ClientWorld
    let quotas: Quotas
    /// Clients are of one user or of two.
    let isForTwoUsers: Bool
    let validitySlotCount: UInt32
    /// Once there is a view, the files of daemons that start name another longest ttl than the
    /// group's, which alone counts (V26).
    let hasEditedFiles: Bool
    /// When the first member went on without what was lost of the state.
    var grantsSuspendedAt = Moment.start
    var validity = ValidityChecker()
    var delays = DelayChecker()
    /// Sessions that ended with a goodbye: their clients have let go, though they may find them valid
    /// until they are told.
    var goodbyes: Set<SessionID> = []
    var seats: [Seat] = []
    var links: [ConnectionID: Link] = [:]
    var linkCount: UInt64 = 0
    var pidCount: UInt32 = 100
    let workload: Workload
    /// Keys of the configuration are changed and watched.
    var keyTraffic: KeyTraffic?
    /// Leases are taken.
    var leaseTraffic: LeaseTraffic?
    /// Task groups are joined and followed.
    var groupTraffic: GroupTraffic?
    /// Latches are counted down.
    var latchTraffic: LatchTraffic?
    /// Members of task groups wait for each other.
    var memberPartyTraffic: MemberPartyTraffic?
    /// An administrator ends sessions.
    var revocations: Revocations?
    /// Seats that are not there for keys, leases, groups or latches alone, or for the administrator.
    private(set) var otherSeatCount = 0
    /// Those for leases, for groups, for latches and for parties of groups alone begin
    /// here.
    private(set) var firstLeaseSeat = 0
    private(set) var firstGroupSeat = 0
    private(set) var firstLatchSeat = 0
    private(set) var firstMemberPartySeat = 0
    var digests: [StatePoint: UInt64] = [:]
    /// Since a state was compared last, how often one was not, being large.
    var comparisonsOwed = 0
    /// By host: what a daemon wanted done when it was held back in the middle of its turn.
    var heldEffects: [[HostEffect]]
    var heirs: [ConnectionID: Heir] = [:]
    var heirCallCount: UInt64 = 0
    /// Signals on their way, by number.
    var stops: [UInt32: Stop] = [:]
    var stopCount: UInt32 = 0
    /// The operator's connection, and what came on it.
    var operatorLink: (id: ConnectionID, frames: FrameBuffer)?
    var isFinishing = false
    private var inputs: [Inbox.Input] = []

    struct StatePoint: Hashable {
        var version: Version
        var epoch: Epoch
    }

    init(options: RunOptions, workload: Workload) {
        self.options = options
        self.workload = workload
        var random = SeededRandom(seed: options.seed)
        let shape = WorldShape.drawn(for: options, from: &random)
        self.shape = shape
        timeline = Timeline()
        timeline.trace.wantsLines = options.wantsTrace
        cluster = Cluster(
            hostCount: shape.hostCount, drift: shape.drift, disk: shape.disk,
            timeline: timeline, random: random.split())
        faults = FaultInjector(cluster: cluster, shape: shape, random: random.split())
        watch = GroupWatch(
            cluster: cluster, shape: shape, faults: faults, random: random.split())
        // From numbers of its own: other runs are as they were before there were any such.
        var files = SeededRandom(seed: options.seed ^ 0x6564_6974_6564_5574)
        hasEditedFiles = files.chance(perMille: 200)
        // From numbers of its own, as what came later is.
        var users = SeededRandom(seed: options.seed ^ 0x7065_7220_7569_6400)
        isForTwoUsers = users.chance(perMille: 250)
        var drawn = Self.quotas(&random)
        Self.drawQuotasOfUsers(&drawn, &users)
        let bursts = ClientBursts.drawn(seed: options.seed)
        let keyTraffic = KeyTraffic.drawn(seed: options.seed, workload: workload)
        self.keyTraffic = keyTraffic
        leaseTraffic = LeaseTraffic.drawn(seed: options.seed, workload: workload)
        revocations = Revocations.drawn(seed: options.seed, workload: workload)
        let groupTraffic = GroupTraffic.drawn(seed: options.seed, workload: workload)
        self.groupTraffic = groupTraffic
        var bounded = Self.quotas(drawn, bursts, keyTraffic, seed: options.seed)
        groupTraffic?.bound(&bounded)
        let latchTraffic = LatchTraffic.drawn(seed: options.seed, workload: workload)
        self.latchTraffic = latchTraffic
        latchTraffic?.bound(&bounded)
        let parties = MemberPartyTraffic.drawn(seed: options.seed, workload: workload)
        memberPartyTraffic = parties
        parties?.bound(&bounded)
        quotas = bounded
        validitySlotCount = Self.validitySlotCount(besides: drawn, &random)
        world = ClientWorld(
            timeline: timeline,
            order: OrderChecker(
                quotas: quotas, longestTTL: shape.maximumSessionTTL,
                keepsPast: shape.majorityLostAt != nil),
            pace: WorldShape.logarithmic(.milliseconds(20) ... .seconds(2), &random),
            longestTTL: shape.maximumSessionTTL,
            lockNames: (0...random.below(3)).map { "lock/\($0)" },
            slotNames: (0...random.below(2)).map { "slot/\($0)" },
            socketByteCount: WorldShape.pick([512, 16 * 1_024, 208 * 1_024], &random))
        heldEffects = Array(repeating: [], count: shape.hostCount)
        self.random = random
        momentRandom = SeededRandom(seed: options.seed ^ 0x6D6F_6D65_6E74_7300)
        world.bursts = bursts
        world.semaphores = SemaphoreWork.drawn(seed: options.seed)
        world.nesting = NestedWork.drawn(seed: options.seed)
        world.leaderPlaces = LeaderPlaces.drawn(seed: options.seed, slots: world.slotNames)
        world.handOvers = HandOvers.drawn(seed: options.seed)
        world.lockSets = LockSets.drawn(seed: options.seed)
        world.modeChanges = ModeChanges.drawn(seed: options.seed)
        world.lockDelays = LockDelays.drawn(seed: options.seed)
        world.lossActions = LossActions.drawn(seed: options.seed)
        world.hasKeyQuotas = keyTraffic?.hasQuotas ?? false
        world.hasGroupQuotas = groupTraffic?.hasQuotas ?? false
        world.sharesGroupStates = groupTraffic?.sharesStates ?? false
        world.hasMemberPartyQuotas = parties?.barriersPerGroup != nil
        world.hasLatchQuotas = latchTraffic?.latchesPerUID != nil
        world.hasQuotas =
            drawn != Quotas() || bursts?.isKnown == false || keyTraffic?.boundsValues == true
        begin()
    }

    /// Most runs are far from any quota; some run into one after the other.
    private static func quotas(_ random: inout SeededRandom) -> Quotas {
        var quotas = Quotas()
        guard random.chance(perMille: 200) else { return quotas }
        if random.chance(perMille: 300) { quotas.sessions = 2 + Int(random.below(8)) }
        if random.chance(perMille: 300) { quotas.objects = 1 + Int(random.below(4)) }
        if random.chance(perMille: 300) { quotas.waitersPerObject = 1 + Int(random.below(3)) }
        if random.chance(perMille: 300) { quotas.valueByteCount = 30 + Int(random.below(90)) }
        if random.chance(perMille: 300) { quotas.endedFor = .seconds(1 + Int64(random.below(9))) }
        if random.chance(perMille: 300) { quotas.ended = 1 + Int(random.below(4)) }
        if random.chance(perMille: 300) { quotas.endedReplies = 1 + Int(random.below(9)) }
        if random.chance(perMille: 300) { quotas.claimsPerSession = 1 + Int(random.below(3)) }
        return quotas
    }

    private static func drawQuotasOfUsers(_ quotas: inout Quotas, _ random: inout SeededRandom) {
        if random.chance(perMille: 80) { quotas.sessionsPerUID = 2 + Int(random.below(8)) }
        if random.chance(perMille: 60) { quotas.claimsPerUID = 1 + Int(random.below(6)) }
        if random.chance(perMille: 60) { quotas.keysPerUID = 1 + Int(random.below(6)) }
        if random.chance(perMille: 60) { quotas.barriersPerUID = 1 + Int(random.below(2)) }
        guard random.chance(perMille: 60) else { return }
        quotas.replyByteCountPerSession = 32 + Int(random.below(600))
        quotas.endedReplyByteCount = Int(random.below(2_000))
        if random.chance(perMille: 500) {
            quotas.replyByteCountPerSession += ClientLimits.leaderValue
            quotas.replyByteCountPerUID = 64 + Int(random.below(9_000))
        }
        if random.chance(perMille: 500) { quotas.valueByteCountPerUID = Int(random.below(200)) }
    }

    private static func validitySlotCount(
        besides quotas: Quotas, _ random: inout SeededRandom
    ) -> UInt32 {
        guard quotas != Quotas(), random.chance(perMille: 300) else { return 16 * 1_024 }
        return 2 + UInt32(random.below(4))
    }

    private static func quotas(
        _ drawn: Quotas, _ bursts: ClientBursts?, _ keyTraffic: KeyTraffic?, seed: UInt64
    ) -> Quotas {
        var quotas = drawn
        var random = SeededRandom(seed: seed ^ 0x6C6F_7373_6573_6B74)
        if random.chance(perMille: 200) { quotas.rememberedEnds = 1 + Int(random.below(4)) }
        if random.chance(perMille: 200) { quotas.entriesPerRow = 1 + Int(random.below(3)) }
        var ofHistory = SeededRandom(seed: seed ^ 0x6869_7374_6F72_7921)
        quotas.historyCountPerObject = 1 + Int(ofHistory.below(40))
        quotas.historyCount = quotas.historyCountPerObject * (1 + Int(ofHistory.below(8)))
        if ofHistory.chance(perMille: 300) { quotas.historyByteCount = 4_096 }
        keyTraffic?.bound(&quotas)
        if let bursts { quotas.requestsPerSession = bursts.requestsPerSession }
        return quotas
    }

    private func begin() {
        timeline.trace.line(at: timeline.now, "\(shape)")
        world.clock = { [cluster] client in cluster.hosts[client.host].clock }
        world.order.follower = { [unowned self] effect in follow(effect) }
        if shape.majorityLostAt == nil {
            // A history that is given up takes such ends with it.
            world.order.leaseExpired = { [unowned self] name, token in
                world.leases.expire(token, of: name, now: timeline.now)
            }
        }
        world.order.grantsSuspended = { [unowned self] in
            grantsSuspendedAt = timeline.now
            delays.forgetAll()
            world.latches.forgetHistory()
        }
        world.order.grantsOpened = { [unowned self] in
            checkWait()
            checkNothingIsBelieved()
        }
        world.exclusion.instant = { [timeline, cluster] client in
            cluster.hosts[client.host].clock.instant(at: timeline.now)
        }
        watch.remembered = { [unowned self] image, index, known throws(FatalFault) in
            try remembered(on: image, by: index, known: known)
        }
        cluster.ended = { [unowned self] host in daemonEnded(on: host) }
        faults.clientFault = { [unowned self] kind in clientFault(kind) }
        faults.suspendClients = { [unowned self] host, length in
            for seat in seats where seat.host == host { seat.inbox.pause(for: length) }
        }
        watch.administrator.ask = { [unowned self] change, number, host in
            ask(change, number, of: host)
        }
        watch.administrator.retired = { [unowned self] host in hostIsRetired(host) }
        for host in 0..<shape.hostCount {
            for peer in 0..<shape.hostCount where peer != host {
                cluster.network.setProfile(shape.link, from: host, to: peer)
            }
            guard host < shape.memberCount else { continue }
            cluster.scheduleStart(of: host, after: random.interval(in: .zero ... .seconds(1)))
        }
        makeSeats()
    }

    private static let mostForGroups = 12

    private func makeSeats() {
        var count = 2 + Int(random.below(UInt64(3 * shape.memberCount + 4)))
        // What each of them says, each of them hears.
        if workload == .groups { count = min(count, Self.mostForGroups) }
        for index in 0..<count {
            let process = UInt16(shape.hostCount + index)
            let inbox = Inbox(process: process, timeline: timeline, random: random.split())
            seats.append(Seat(host: Int(random.below(UInt64(shape.memberCount))), inbox: inbox))
            scheduleSpawn(in: index, after: random.interval(in: .zero ... .seconds(2)))
        }
        otherSeatCount = count
        if let count = keyTraffic?.seatCount { makeSeats(count, &keyTraffic!.random) }
        firstLeaseSeat = seats.count
        if let count = leaseTraffic?.seatCount { makeSeats(count, &leaseTraffic!.random) }
        firstGroupSeat = seats.count
        if let count = groupTraffic?.seatCount { makeSeats(count, &groupTraffic!.random) }
        firstLatchSeat = seats.count
        if let count = latchTraffic?.seatCount { makeSeats(count, &latchTraffic!.random) }
        firstMemberPartySeat = seats.count
        if let count = memberPartyTraffic?.seatCount {
            makeSeats(count, &memberPartyTraffic!.random)
        }
        if revocations != nil { makeSeat(&revocations!.random) }
    }

    private func makeSeats(_ count: Int, _ random: inout SeededRandom) {
        for _ in 0..<count { makeSeat(&random) }
    }

    private func makeSeat(_ random: inout SeededRandom) {
        let index = seats.count
        let process = UInt16(shape.hostCount + index)
        let inbox = Inbox(process: process, timeline: timeline, random: random.split())
        seats.append(Seat(host: Int(random.below(UInt64(shape.memberCount))), inbox: inbox))
        scheduleSpawn(in: index, after: random.interval(in: .zero ... .seconds(2)))
    }

    // MARK: - Phases

    func run() -> RunReport {
        var report = RunReport(seed: options.seed)
        do throws(Violation) {
            try advance(until: .start.advanced(by: options.duration)) { false }
            faults.stop()
            watch.stop()
            try heal()
            try finish()
            try compareEnds()
            try checkHistory(&report)
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
        report.requestCount = world.requestCount
        report.digest = timeline.digest
        report.trace = timeline.trace.takeLines()
        cluster.ended = nil
        world.order.follower = nil
        world.order.leaseExpired = nil
        world.order.grantsSuspended = nil
        world.order.grantsOpened = nil
        faults.clientFault = nil
        faults.suspendClients = nil
        faults.mayErase = nil
        faults.erased = nil
        watch.administrator.retired = nil
        watch.administrator.ask = nil
        return report
    }

    private func compareEnds() throws(Violation) {
        guard watch.isWhole else { return }
        try advance(until: timeline.now.advanced(by: shape.suspicion)) { false }
        for host in watch.listedHosts { try compareState(of: host.index) }
    }

    var situation: String {
        let hosts = cluster.hosts.map { host in
            guard let replica = host.daemon?.host.replica else { return "\(host.node) down" }
            return "\(host.node) view \(replica.view.epoch) of \(replica.view.members.count) "
                + "\(replica.isServing ? "serving" : "not serving") at \(replica.version.counter) "
                + "with \(replica.machine.sessionCount) sessions, "
                + "\(replica.machine.objectCount) objects"
        }
        let clients = seats.compactMap(\.client).filter { $0.isAlive && !$0.isOver }
        let waiting = clients.map { "client \($0.index) with \($0.pendingCalls.count) calls" }
        return (hosts + waiting).joined(separator: ", ")
    }

    // MARK: - Events

    func advance(until limit: Moment, done: () -> Bool) throws(Violation) {
        while !done(), let event = cluster.next(until: limit) {
            switch event {
            case .turn(let process, let stamp):
                try turn(of: Int(process), stamp: stamp)
            case .timer(let process, let stamp):
                seats[Int(process) - shape.hostCount].inbox.timerRanOut(stamp: stamp)
            case .start(let host, let stamp):
                try start(Int(host), stamp: stamp)
            case .fault(let index, let stamp):
                faults.step(index: index, stamp: stamp)
            case .work(Self.deathIndex, let stamp):
                processDied(ConnectionID(number: UInt64(stamp)))
            case .work(Self.heirIndex, let stamp):
                heirSpeaks(ConnectionID(number: UInt64(stamp)))
            case .work(Self.takeoverIndex, let seat):
                if !faults.isStopped { takeOver(from: Int(seat)) }
            case .work(Self.breakIndex, let seat):
                if !faults.isStopped { breakLink(of: Int(seat)) }
            case .work(Self.lateWordIndex, let seat):
                speakLate(in: Int(seat))
            case .work(Self.stopIndex, let number):
                isStopped(by: number)
            case .work(Self.thawIndex, let seat):
                thaw(in: Int(seat))
            case .work(Self.hangIndex, let seat):
                hang(in: Int(seat))
            case .work(MemberOperator<SimulatedService>.eventIndex, _):
                watch.administrator.act()
            case .work(LostMajority<SimulatedService>.eventIndex, _):
                watch.loss.act()
            case .work(SteadyMajority<SimulatedService>.eventIndex, _):
                try watch.look()
            case .work(let index, let stamp):
                if Int(index) < seats.count { spawn(in: Int(index), stamp: stamp) }
            default:
                preconditionFailure("nobody takes \(event)")
            }
            if let violation = world.order.found { throw violation }
        }
    }

    private func turn(of process: Int, stamp: UInt32) throws(Violation) {
        if process < shape.hostCount {
            try daemonTurn(of: process, stamp: stamp)
        } else {
            try clientTurn(in: process - shape.hostCount, stamp: stamp)
        }
    }

    private func clientTurn(in seat: Int, stamp: UInt32) throws(Violation) {
        guard let client = seats[seat].client, client.isAlive,
            client.inbox.beginTurn(stamp: stamp)
        else { return }
        let clock = cluster.hosts[client.host].clock
        client.inbox.take(into: &inputs)
        if let id = client.connection { hasRead(on: id) }
        try client.turn(
            inputs, now: clock.instant(at: timeline.now), moment: timeline.now, world: world)
        try checkAnswers(to: client)
        for request in client.takeRequests() { carryOut(request, of: client) }
        client.inbox.setTimer(at: client.nextTurn(clock: clock))
        if let violation = world.order.found { throw violation }
        if client.isOver, !isFinishing {
            scheduleSpawn(in: seat, after: world.pause(&random))
        }
    }
}
