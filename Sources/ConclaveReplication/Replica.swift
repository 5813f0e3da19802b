package import ConclaveBase
import ConclaveGroup
import ConclaveWire

/// One member's part of a replicated state machine: recovery, membership, multicast, delivery.
///
/// It is told of frames, completions and ticks by `step`, and of the end of each turn, in which it
/// sends what the turn collected. It reads no clock and draws only from the generator it was given.
package final class Replica<Machine: StateMachine> {
    let settings: ReplicaSettings
    let disk: any Disk
    let fabric: any Fabric
    var random: SeededRandom

    let membership: Membership
    let viewJournal: ViewJournal
    var snapshots: SnapshotStore
    var journal: SegmentJournal?

    var epoch: EpochState?
    /// Received and not delivered, while there is no running epoch.
    var held: HeldMessages
    /// The order reaches the beginning of the newest view's epoch, and `held` goes on from there.
    var hasState: Bool
    /// This process has told every effect of the order since it installed its view.
    var isContinuous = false
    var echoed: [Instant] = []
    var isFreezing = false
    var raiseTarget: [UInt64]?

    var pending: [[UInt8]] = []
    /// To go into the order before those.
    var words: [ReplicaWord] = []
    /// A digest that is being made.
    var digest: DigestSource<Machine>?
    /// One is due.
    var hasDueDigest = false
    /// Why this member ends, once that is noted on its disk.
    var breaking: (tag: UInt64, fault: FatalFault)?
    var outputs: [ReplicaOutput<Machine.Effect>] = []
    /// As a plain fact, since every turn asks: there are some.
    var hasOutputs = false
    var found: [OrderedMessage] = []

    /// Syncs of what a start has read, and has written again where it may be in the page cache alone.
    /// Nothing is said or promised on the strength of it before they complete.
    var startTags: [UInt64] = []
    /// What of those files goes then: segments that no view of this history needs.
    var startLeftovers: [UInt64] = []
    /// What came in meanwhile.
    var earlyInputs: [FabricInput] = []
    /// Of the frames among them.
    var earlyByteCount = 0

    /// The change of the member list that this member was asked for.
    var pendingChange: PendingChange?
    /// Machines that were removed a moment ago: they are still told so.
    var parting: [MemberList.Entry] = []
    var partingUntil = Instant.distantFuture
    /// Whom the fabric was told that there may be paths to.
    var reachable: [MemberList.Entry] = []
    /// Of the newest list that others told and that has gone into it.
    var reachableAsHeard = Epoch.none

    var nextTagNumber: UInt64 = 1
    /// Tags of view records that membership waits for.
    var viewTokens: [UInt64: UInt64] = [:]
    var paths = Paths()
    /// The epoch for which a peer said `ready` on the connection that stands.
    var peerReady: [NodeID: Epoch] = [:]
    /// One for each member that learns here.
    var teachings: [Teaching<Machine>] = [] { didSet { isTeaching = !teachings.isEmpty } }
    /// As a plain fact, since every turn asks.
    var isTeaching = false
    var learning: Learning<Machine>?
    /// What is left of the own state to be written.
    var ownSnapshot: SnapshotSource<Machine>?
    /// Who has said that this member's history was given up, and goes on in another one.
    var successor: NodeID?
    /// What an operator asked for when a majority was lost for good, and how far it has come.
    var salvage: Salvage<Machine>?
    /// A view that a teacher told, on its way to the disk; it is applied when it is there, whatever
    /// became of the teacher.
    var recordingView: (next: NextView, voteFrom: Epoch, tag: UInt64)?
    var nextJoin = Instant.distantPast
    var joinPause: Interval
    var joinedAt = Instant.distantPast
    /// Which of the others died soon after they were let in.
    var stays = MemberStays()
    /// When it first asked to be let in, having heard everybody.
    var trialBegan: Instant?
    /// How often in a row it was left out soon after it had joined.
    var leftOutCount = 0
    var isPausing = false
    /// Of which state the membership was told last whom it remembers.
    var toldRemembered: RememberedState?
    /// Members that this one, which has caught up, does not hear both ways.
    var unheard: [NodeID] = []
    var wasServing: Bool?
    /// Why it was not serving, when that was last told.
    var toldReason: NotServing?
    /// It is time to look whether it is another one now.
    var isReasonDue = false
    var waitingFor: (nodes: [NodeID], purpose: WaitPurpose)?
    var hasFailed = false
    /// Lanes of the disk that found no room, and for which file.
    var fullLanes: [(lane: DiskLane, file: String)] = []
    /// Now and then what was synced is recorded, though nothing else is.
    var nextMark = Instant.distantPast
    /// What is to be removed once it is recorded that nothing of it is needed any more.
    var forgetting: (tag: UInt64, before: UInt64?)?
    /// Of the newest snapshot on the disk.
    var durableSnapshot: SnapshotHeader?
    var wallClock = Timestamp.zero
    let medianClock: MedianClock
    /// What this turn sends is given that time.
    var sendingTime = Timestamp.zero

    /// When the next heartbeat is due.
    var tickDue: Instant

    /// After `work`: another turn is wanted at once.
    var hasWork = false

    // Behind everything else: the code for all machines finds what comes before without asking how
    // large this one is.
    let blank: Machine
    var order: AppliedOrder<Machine>

    /// When `tick` and a turn are wanted at the latest.
    package var nextTick: Instant { hasWork ? .distantPast : min(tickDue, nextPartDue) }

    /// Recovers from the disk. `blank` is the state before the first command.
    package init(
        settings: ReplicaSettings, blank: Machine, disk: any Disk, fabric: any Fabric,
        random: SeededRandom, now: Instant
    ) throws(FatalFault) {
        self.settings = settings
        self.blank = blank
        self.disk = disk
        self.fabric = fabric
        self.random = random
        let recovery = try Recovery<Machine>.orSetAside(
            settings: settings, blank: blank, disk: disk)
        order = recovery.order
        viewJournal = recovery.viewJournal
        snapshots = recovery.snapshots
        held = recovery.held
        hasState = recovery.hasState
        durableSnapshot = recovery.snapshot
        startLeftovers = recovery.segments?.unneeded ?? []
        membership = Membership(
            own: settings.own, configured: settings.configured,
            settings: MembershipSettings(settings), memory: recovery.viewJournal.memory,
            vector: recovery.hasState ? recovery.held.vector : nil,
            delivered: recovery.held.delivered,
            random: self.random.split(), now: now)
        joinPause = settings.suspicion
        medianClock = MedianClock(suspicion: settings.suspicion)
        medianClock.begin(memberCount: membership.memory.view.members.count)
        tickDue = now
        startTags = [nextTag()]
        if let lost = recovery.lost {
            viewJournal.replace(lost.journal, on: disk, tag: startTags[0])
            if let reason = lost.reason { tell(event: .journalSetAside(reason: reason)) }
        } else {
            viewJournal.rewrite(on: disk, tag: startTags[0])
        }
        for repair in viewJournal.repairs {
            tell(event: .viewJournalRepaired(file: repair.file, reason: repair.reason))
        }
        adoptLineage(resuming: recovery.segments)
        adoptMembers()
        if let journal, !journal.segments.isEmpty {
            startTags.append(nextTag())
            let unmarked = recovery.segments?.unmarked ?? []
            journal.syncRecovered(unmarked, on: disk, tag: startTags[1])
        }
        tell(
            event: .recovered(
                membership.memory.epoch, version: order.version, messageCount: held.count))
    }

    /// A copy, and it is not small.
    package var machine: Machine { order.machine }

    /// The members' states differ, and none has a majority.
    package var isDivided: Bool { order.isDivided }

    /// For the simulator: something goes wrong with this member's state.
    package func corruptMachine(_ body: (inout Machine) -> Void) {
        order.corrupt(body)
    }

    /// The newest view this member knows, whether it is in it or not.
    package var view: View { membership.memory.view }

    /// Of the newest view this member knows; none before the first, also while one is founded.
    package var lineage: Lineage { membership.memory.viewLineage }

    /// The longest ttl of any session: the group's, from its founding on (V26).
    package var maximumSessionTTL: Interval {
        membership.memory.current?.maximumSessionTTL ?? settings.maximumSessionTTL
    }

    /// Of the last applied command.
    package var version: Version { order.version }
    package var appliedTime: Timestamp { order.time }

    package var rank: Rank? { epoch?.own }

    /// Requests are taken: this member is in an adequate view whose epoch goes on.
    package var isServing: Bool {
        guard let epoch, !epoch.isWedged, !hasFailed, !lacksRoom, !order.isDivided
        else { return false }
        return order.isAdequate
    }

    /// Queues a command for the order, to be sent at the end of the turn. False: this member
    /// serves nothing now, and nothing was queued.
    ///
    /// - Precondition: `command` is at most `maximumCommandByteCount` long.
    package func propose(_ command: [UInt8]) -> Bool {
        precondition(command.count <= maximumCommandByteCount)
        guard isServing else { return false }
        pending.append(command)
        return true
    }

    package var maximumCommandByteCount: Int { settings.slotByteCount - CommandBatch.overhead }

    /// Hands over what happened since the last call, in order.
    package func takeOutputs() -> [ReplicaOutput<Machine.Effect>] {
        hasOutputs ? takeThoseThere() : outputs
    }

    // Not inlined, since code for all machines looks up what type the outputs are, and turns in
    // which nothing is told need not.
    @inline(never)
    private func takeThoseThere() -> [ReplicaOutput<Machine.Effect>] {
        hasOutputs = false
        defer { outputs = [] }
        return outputs
    }

    @inline(never)
    func tell(_ output: ReplicaOutput<Machine.Effect>) {
        outputs.append(output)
        hasOutputs = true
    }

    @inline(never)
    func tell(event: GroupEvent) {
        tell(.event(event))
    }

    func nextTag() -> UInt64 {
        defer { nextTagNumber += 1 }
        return nextTagNumber
    }

    func fail(_ fault: FatalFault) {
        guard !hasFailed else { return }
        hasFailed = true
        tell(.fatal(fault))
    }

    /// From now on everything is written and sent under the lineage that is known.
    func adoptLineage(resuming recovered: RecoveredSegments?) {
        guard lineage != .none else { return }
        fabric.adopt(lineage: lineage, givenUp: membership.memory.current?.givenUp ?? [])
        guard settings.durability == .disk, journal?.settings.lineage != lineage else { return }
        let journal = SegmentJournal(
            settings: SegmentSettings(
                owner: settings.own.node, lineage: lineage,
                byteCount: settings.segmentByteCount, plant: settings.plant))
        if let recovered { journal.resume(recovered, on: disk) }
        // What a start has read may be gone yet: a segment beside no view would be damage.
        if startTags.isEmpty { journal.flush(to: disk, nextTag: nextTag) }
        self.journal = journal
    }
}

/// What decides whom a state remembers, of those that the newest view names.
struct RememberedState: Equatable {
    var lineage: Lineage
    var epoch: Epoch
    var version: Version
    var isWhole: Bool
}

extension MembershipSettings {
    fileprivate init(_ settings: ReplicaSettings) {
        self.init(
            heartbeat: settings.heartbeat, suspicion: settings.suspicion,
            minimumMembers: settings.minimumMembers ?? 0, addresses: settings.addresses,
            minimumEra: settings.minimumEra, maximumSessionTTL: settings.maximumSessionTTL,
            stateDiesWithProcess: settings.durability == .memory, plant: settings.plant)
    }
}
