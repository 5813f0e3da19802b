import ConclaveBase
import ConclaveCoordination
import ConclaveService
import ConclaveWire
import Testing

/// A service with a shell around it that keeps what it was asked to do.
final class TestDaemon {
    struct Slot: Equatable {
        var session: SessionID
        var deadline: Instant
    }

    let member: Member
    private unowned let group: TestGroup
    private var service: Service
    private var lastConnection: UInt64 = 0
    private var lastSecret: UInt64 = 0
    private(set) var output: [ConnectionID: FrameBuffer] = [:]
    private(set) var closed: [ConnectionID] = []
    private(set) var forgotten: [ConnectionID] = []
    struct Stop: Equatable {
        var id: ConnectionID
        var session: SessionID
        var action: LossAction
    }

    /// What was done to clients' processes, in order.
    private(set) var stops: [Stop] = []
    private(set) var paused: Set<ConnectionID> = []
    private(set) var page: [UInt32: Slot] = [:]
    /// Everything that was shown, in order.
    private(set) var shown: [Slot] = []
    /// How many bytes were told in each turn.
    private(set) var turns: [Int] = []
    var isServing = false
    /// How often followers are told what fits a turn, after each input.
    var turnsPerStep = Int.max
    /// The machine's effects do not reach it.
    var isDeaf = false

    init(number: UInt32, group: TestGroup, validitySlotCount: UInt32, plant: Plant? = nil) {
        self.group = group
        member = Member(node: NodeID(number), incarnation: Incarnation(UInt64(number) * 100))
        var settings = Self.settings(of: member, plant: plant)
        settings.validitySlotCount = validitySlotCount
        service = Service(settings: settings)
    }

    private static func settings(of member: Member, plant: Plant?) -> ServiceSettings {
        var settings = ServiceSettings(
            own: member, isDurable: true, heartbeat: .milliseconds(100), suspicion: .seconds(1),
            stall: .seconds(5), maximumSessionTTL: .seconds(60), maximumCommandByteCount: 4_000,
            maximumConnections: 8, maximumConnectionsPerUID: 6,
            addresses: [NodeID(1): "10.0.0.1:7400"])
        settings.plant = plant
        settings.administrator = 42
        settings.maximumWatchesPerUID = 300
        settings.memberAddress = { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            return text.contains(":") ? Array(text.lowercased().utf8) : nil
        }
        return settings
    }

    var nextTick: Instant { service.nextTick }

    func step(_ input: Service.Input) {
        if service.spareSecret == nil {
            lastSecret += 1
            service.spareSecret = Secret(high: UInt64(member.node.number), low: lastSecret)
        }
        if case .installed = input, let longest = group.longestTTL {
            service.maximumSessionTTL = longest
        }
        var effects: [ServiceEffect] = []
        service.step(input, machine: group.machine, now: group.now, effects: &effects)
        var isMore = true
        var turnsLeft = turnsPerStep
        while isMore, turnsLeft > 0 {
            turnsLeft -= 1
            let told = effects.count
            isMore = service.tellMore(
                machine: group.machine, now: group.now, effects: &effects)
            turns.append(effects[told...].reduce(0) { $0 + $1.sentByteCount })
        }
        for effect in effects { perform(effect) }
        _ = service.beginTurn()
        flush()
    }

    /// Hands over what is to be ordered, while the daemon serves.
    func flush() {
        guard isServing else { return }
        if let number = service.takeMark() { group.mark(number, for: self) }
        let proposals = service.takeProposals()
        if !proposals.isEmpty { group.propose(proposals) }
    }

    private func perform(_ effect: ServiceEffect) {
        switch effect {
        case .send(let id, let bytes, _): output[id, default: FrameBuffer()].append(bytes)
        case .close(let id): closed.append(id)
        case .forget(let id): forgotten.append(id)
        case .pauseReading(let id): paused.insert(id)
        case .resumeReading(let id): paused.remove(id)
        case .stop(let id, let session, let action):
            stops.append(Stop(id: id, session: session, action: action))
        case .show(let slot, let session, let deadline):
            page[slot] = Slot(session: session, deadline: deadline)
            shown.append(Slot(session: session, deadline: deadline))
        }
    }

    func takeWishes() -> [Wish] { service.takeWishes() }

    // MARK: - Clients

    func process(_ pid: UInt32, uid: UInt32 = 1_000) -> ProcessIdentity {
        ProcessIdentity(
            host: member.node, pid: pid, startTime: UInt64(pid), bootID: 1, uid: uid, gid: 100,
            unit: "test.service")
    }

    func connect(pid: UInt32 = 1, uid: UInt32 = 1_000) -> ConnectionID {
        connectAs(process(pid, uid: uid))
    }

    /// A process as another daemon of its host knew it.
    func connectAs(_ process: ProcessIdentity, canBeStopped: Bool = true) -> ConnectionID {
        lastConnection += 1
        let id = ConnectionID(number: lastConnection)
        step(.client(.opened(id, process, canBeStopped: canBeStopped)))
        return id
    }

    func send(
        _ type: UInt16, number: UInt64 = 0, _ id: ConnectionID,
        body: (inout ByteWriter) -> Void = { _ in }
    ) {
        var writer = ByteWriter()
        body(&writer)
        var buffer = FrameBuffer()
        buffer.append(FrameHeader.frame(type: type, number: number, body: writer.bytes))
        receive(&buffer, id)
    }

    func receive(_ buffer: inout FrameBuffer, _ id: ConnectionID) {
        do {
            while let frame = try buffer.next() {
                if Service.asksForPicture(frame) { service.picture = picture }
                step(.client(.frame(id, frame)))
            }
        } catch {
            Issue.record(error)
        }
    }

    func send(
        _ type: ClientFrameType, number: UInt64 = 0, _ id: ConnectionID,
        body: (inout ByteWriter) -> Void = { _ in }
    ) {
        send(type.rawValue, number: number, id, body: body)
    }

    private var picture: GroupPicture {
        GroupPicture(
            lineage: Lineage(high: 1, low: 1), view: group.view, version: group.machine.version,
            members: [(NodeID(1), .member), (NodeID(2), .absent)],
            views: [
                (
                    InstalledView(
                        view: group.view, joined: [], departed: [], absent: [],
                        minimumMembers: 1, stateWasLost: false), .zero
                )
            ])
    }

    func hello(_ id: ConnectionID) {
        send(.hello, id) {
            ClientHello(version: ClientLimits.protocolVersion, features: 0, name: "test").encode(
                into: &$0)
        }
    }

    func open(_ id: ConnectionID, ttl: Interval = .seconds(5), name: UInt64 = 0) {
        send(.open, id) {
            OpenRequest(
                id: Secret(high: name == 0 ? id.number : name, low: member.incarnation.number),
                ttl: ttl, label: "test"
            ).encode(into: &$0)
        }
    }

    func resume(
        _ id: ConnectionID, _ session: SessionOpened, confirmed: UInt64 = 0,
        guards: LossGuards = LossGuards()
    ) {
        send(.resume, id) {
            ResumeRequest(
                session: session.session, secret: session.secret, confirmed: confirmed,
                guards: guards
            ).encode(into: &$0)
        }
    }

    func request(
        _ operation: Operation, number: UInt64, confirmed: UInt64 = 0,
        onLoss: LossAction = .notify, _ id: ConnectionID
    ) {
        send(operation.type, number: number, id) {
            OperationFrame(confirmed: confirmed, onLoss: onLoss, operation: operation)
                .encode(into: &$0)
        }
    }

    func nextFrame(_ id: ConnectionID) throws -> FrameBuffer.Frame? {
        try output[id]?.next()
    }

    /// The frames that went to a client since the last call.
    func received(_ id: ConnectionID) throws -> [FrameBuffer.Frame] {
        var frames: [FrameBuffer.Frame] = []
        while let frame = try output[id]?.next() { frames.append(frame) }
        return frames
    }

    /// A connection with an open session, that has read everything.
    func connectWithSession(
        pid: UInt32 = 1, ttl: Interval = .seconds(5)
    ) throws -> (id: ConnectionID, session: SessionOpened) {
        let id = connect(pid: pid)
        hello(id)
        open(id, ttl: ttl)
        group.confirm()
        let frames = try received(id)
        return (id, try frames.opened())
    }

    func deadline(of session: SessionID) -> Instant? {
        page.values.filter { $0.session == session }.map(\.deadline).max()
    }
}

extension [FrameBuffer.Frame] {
    func opened() throws -> SessionOpened {
        let frame = try #require(
            first { $0.header.type == 2 || $0.header.type == 3 }, "no session was opened")
        #expect(!frame.header.flags.contains(.error), "refused: \(refusals)")
        var reader = ByteReader(frame.body)
        return try SessionOpened(from: &reader)
    }

    /// Replies to operations, by number in the order in which they came.
    var replies: [(number: UInt64, reply: Reply)] {
        compactMap { frame in
            let type = frame.header.type
            guard frame.header.flags == .reply,
                (16..<64).contains(type) || type == 6 || type == 96
                    || (128..<132).contains(type) || type == 112 || type == 83,
                type != 35
            else { return nil }
            var reader = ByteReader(frame.body)
            guard let reply = try? Reply(from: &reader) else { return nil }
            return (frame.header.number, reply)
        }
    }

    var refusals: [Refusal] {
        filter { $0.header.flags.contains(.error) }.compactMap { frame in
            var reader = ByteReader(frame.body)
            return try? Refusal(from: &reader)
        }
    }

    var ends: [SessionEnd] {
        filter { $0.header.type == ClientFrameType.sessionEnded.rawValue }
            .compactMap { frame in frame.body.first.flatMap(SessionEnd.init) }
    }
}

func lock(_ name: String) throws -> Operation {
    .acquire(name: try ObjectName(name), mode: .exclusive, isTry: false)
}

extension Reply {
    var token: FencingToken? {
        switch self {
        case .granted(let grant): grant.token
        case .grantedAll(let grants): grants.first?.token
        case .elected(let term): term.token
        case .leased(let grant): grant.token
        case .joined(let joined): joined.token
        case .busy, .done, .tripped, .broken, .cancelled, .cancelOutcome, .refused, .written,
            .mismatched, .leaseTaken, .sent, .counted:
            nil
        }
    }
}

extension ServiceEffect {
    fileprivate var sentByteCount: Int {
        if case .send(_, let bytes, _) = self { bytes.count } else { 0 }
    }
}
