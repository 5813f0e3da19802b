import ConclaveBase
import ConclaveCoordination
import ConclaveWire
import TestSupport

/// Target `apply`: commands and views from few sessions, names and numbers, so that they meet. A
/// second state machine is told the same, and is replaced now and then by what its snapshot says;
/// both must go on alike.
struct CommandSequence {
    private static let maximumSteps = 256

    private var source: ByteSource
    private(set) var coordinator: Coordinator
    private var replica: Coordinator
    private let quotas: Quotas
    private var version = Version(startOfEra: 1)
    private var time = Timestamp(microseconds: 1_000_000)
    private var epoch: UInt64 = 0
    private var sessions: [SessionID] = [SessionID(3)]

    static func run(_ bytes: [UInt8]) {
        var sequence = CommandSequence(ByteSource(bytes))
        sequence.runAll()
    }

    init(_ source: ByteSource) {
        var source = source
        var quotas = Quotas()
        if source.flag() {
            quotas.sessions = 5
            quotas.sessionsPerUID = 3
            quotas.objects = 4
            quotas.waitersPerObject = 2
            quotas.claimsPerSession = 3
            quotas.claimsPerUID = 5
            quotas.keysPerUID = 3
            quotas.barriersPerUID = 2
            quotas.replyByteCountPerSession = 400
            quotas.endedReplyByteCount = 600
            quotas.valueByteCount = 24
            quotas.requestsPerSession = 3
            quotas.ended = 2
            quotas.endedReplies = 4
            quotas.valueByteCountPerUID = 16
            quotas.ephemeralKeysPerSession = 2
            quotas.keyHistoryCount = 4
            quotas.keyHistoryByteCount = 400
        }
        self.quotas = quotas
        self.source = source
        coordinator = Coordinator(quotas: quotas)
        replica = coordinator
        install(Self.members, stateWasLost: false)
    }

    mutating func runAll() {
        for _ in 0..<Self.maximumSteps where !source.isEmpty { step() }
        restoreReplica()
        checkReports()
    }

    private static let members = (1...3).map { number in
        Member(node: NodeID(UInt32(number)), incarnation: Incarnation(1))
    }

    private mutating func step() {
        switch source.choice(of: 16) {
        case 0: apply(.open(open()))
        case 1: apply(.resume(resume()))
        case 2: apply(end())
        case 3: changeView()
        case 4: apply(bytes: source.bytes(Int(source.byte())))
        case 5: restoreReplica()
        case 6:
            let steps = [UInt64(1), 1_000, 700_000_000, 1 << 63]
            time.microseconds = max(time.microseconds, time.microseconds &+ source.pick(steps))
        case 7: applyDamaged()
        default: apply(request())
        }
    }

    // MARK: - The order

    private mutating func apply(_ command: Command) {
        apply(bytes: command.bytes)
        if case .open = command { sessions.append(SessionID(version.number)) }
    }

    private mutating func apply(bytes: [UInt8]) {
        version = version.next
        var effects: [CoordinationEffect] = []
        var same: [CoordinationEffect] = []
        coordinator.apply(ByteReader(bytes), at: version, time: time, effects: &effects)
        replica.apply(ByteReader(bytes), at: version, time: time, effects: &same)
        demand(effects == same, "two replicas answer \(effects) and \(same)")
    }

    private mutating func install(_ members: [Member], stateWasLost: Bool) {
        version = version.next
        epoch += 1
        let view = InstalledView(
            view: View(epoch: Epoch(epoch), members: members), joined: [], departed: [],
            absent: [], minimumMembers: 2, stateWasLost: stateWasLost)
        var effects: [CoordinationEffect] = []
        var same: [CoordinationEffect] = []
        coordinator.install(view, at: version, time: time, effects: &effects)
        replica.install(view, at: version, time: time, effects: &same)
        demand(effects == same, "two replicas answer \(effects) and \(same)")
    }

    private mutating func changeView() {
        if source.flag() { return apply(.openGrants(epoch: Epoch(epoch))) }
        if source.flag() {
            let closed = coordinator.closedLocks
            let name = closed.first?.name ?? source.pick(OperationChoices.names)
            let since = source.number(
                near: closed.map(\.since.number) + [coordinator.version.number])
            return apply(.openLock(name: name, since: Version(since)))
        }
        let mask = source.byte()
        let present = Self.members.enumerated().filter { mask & (1 << $0.offset) == 0 }
        install(present.map(\.element), stateWasLost: mask & 0x80 != 0)
    }

    private mutating func restoreReplica() {
        let bytes = replica.encodeSnapshot()
        do {
            replica = try Coordinator(snapshot: bytes, quotas: quotas)
        } catch {
            broken("a snapshot does not decode: \(error)")
        }
        demand(replica.encodeSnapshot() == bytes, "a snapshot is not read as it was written")
        demand(replica.digest == coordinator.digest, "the replicas differ")
    }

    // MARK: - Commands

    /// A command with some of its bytes changed.
    private mutating func applyDamaged() {
        var bytes = (source.flag() ? request() : .open(open())).bytes
        for _ in 0...source.choice(of: 3) {
            bytes[Int(source.byte()) % bytes.count] = source.byte()
        }
        apply(bytes: bytes)
    }

    private mutating func member() -> Member {
        let number = source.choice(of: 8)
        return number < 6
            ? Self.members[number % 3]
            : Member(node: NodeID(UInt32(number)), incarnation: Incarnation(2))
    }

    private mutating func process() -> ProcessIdentity {
        let number = UInt32(source.choice(of: 4))
        return ProcessIdentity(
            host: NodeID(1 + number % 2), pid: number, startTime: 5, bootID: 7,
            uid: 1_000 + number / 3, gid: 100, unit: "unit")
    }

    private mutating func open() -> OpenCommand {
        let ttls = [
            Interval.seconds(5), .seconds(3_600), .zero, .seconds(3_601),
            Interval(nanoseconds: .max), Interval(nanoseconds: .min),
        ]
        let id = UInt64(source.choice(of: 8))
        let form = Int(source.byte())
        return OpenCommand(
            id: Secret(high: 1, low: id), secret: Secret(high: 2, low: id),
            ttl: ttls[form < 0xE0 ? 0 : form % ttls.count], label: "label",
            process: process(), member: member(), nonce: UInt64(form))
    }

    private mutating func session() -> SessionID {
        sessions[sessions.count - 1 - source.choice(of: min(8, sessions.count))]
    }

    private mutating func resume() -> ResumeCommand {
        let session = session()
        let known = coordinator.sessionState(session)
        let form = source.byte()
        return ResumeCommand(
            session: session,
            secret: known.flatMap { form < 0xF0 ? $0.secret : nil } ?? Secret(high: 2, low: 0),
            confirmed: source.number(near: [0, 1, 2, 4]),
            process: known.flatMap { form & 1 == 0 ? $0.process : nil } ?? process(),
            member: member(), nonce: UInt64(form))
    }

    private mutating func end() -> Command {
        let session = session()
        let attachment = source.number(near: [
            coordinator.sessionState(session)?.attachment.number ?? 1
        ])
        switch source.choice(of: 5) {
        case 4:
            let lease = coordinator.leaseReport(source.pick(OperationChoices.names))
            return .expireLease(
                name: lease?.grant.name ?? OperationChoices.names[0],
                renewed: Version(source.number(near: [lease?.grant.token.number ?? 1])))
        case 0:
            return .end(
                session: session, attachment: attachment,
                reason: source.pick(SessionEnd.allCases))
        case 1:
            return .expire(
                session: session, attachment: attachment,
                epoch: Epoch(source.number(near: [epoch])))
        case 2: return .yieldAttachment(session: session, attachment: attachment)
        default: return .confirm(session: session, upTo: source.number(near: [1, 2, 4, 8]))
        }
    }

    private mutating func request() -> Command {
        .request(
            session: session(), number: source.number(near: [1, 2, 3, 4, 5, 6, 7, 8]),
            confirmed: source.number(near: [0, 0, 1, 2, 4]),
            operation: OperationChoices.operation(&source, knowing: coordinator))
    }

    private func checkReports() {
        var writer = ByteWriter()
        for lock in coordinator.lockPage(prefix: "").objects {
            let exclusive = lock.holders.filter { $0.mode == .exclusive }
            demand(
                exclusive.isEmpty || lock.holders.count == 1, "\(lock.name) has two holders")
            lock.encode(into: &writer)
        }
        for name in OperationChoices.names {
            coordinator.why(name).encode(into: &writer)
            coordinator.leaderState(name).encode(into: &writer)
        }
        checkKeys(&writer)
        for session in sessions {
            _ = coordinator.waitingNumbers(of: session)
            _ = coordinator.storedReplies(of: session)
        }
    }

    /// What the history tells from its beginning on leads to the keys as they are.
    private func checkKeys(_ writer: inout ByteWriter) {
        let budget = KeyBudget(count: 2, byteCount: 64)
        var known: [ObjectName: KeyEntry] = [:]
        let all = KeyBudget(count: .max, byteCount: .max, steps: .max)
        let floor = coordinator.keyFloor
        for entry in coordinator.keys(prefix: "", at: floor, all).entries {
            known[entry.name] = entry
        }
        var cursor = KeyCursor(after: floor)
        while cursor != KeyCursor(after: coordinator.version) {
            let page = coordinator.keyChanges(after: cursor, budget) { _ in true }
            demand(page.cursor != cursor, "reading the changes does not get on")
            cursor = page.cursor
            for change in page.changes { apply(change, to: &known) }
        }
        var told: [KeyEntry] = []
        var next: ObjectName?
        repeat {
            let page = coordinator.keys(
                prefix: "", after: next, at: coordinator.version, budget)
            told += page.entries
            next = page.next
        } while next != nil
        demand(
            told == known.values.sorted { $0.name < $1.name },
            "the changes lead to \(known), but the keys are \(told)")
        demand(told.count == coordinator.keyCount, "the keys are not counted right")
        for entry in told { entry.encode(into: &writer) }
    }

    private func apply(_ change: KeyChange, to known: inout [ObjectName: KeyEntry]) {
        switch change.kind {
        case .put(let stamp, let value):
            known[change.name] = KeyEntry(
                name: change.name, stamp: stamp, time: change.time, value: value)
        case .deleted, .sessionEnded:
            demand(known[change.name] != nil, "\(change.name) is deleted, and was not there")
            known[change.name] = nil
        }
    }
}
