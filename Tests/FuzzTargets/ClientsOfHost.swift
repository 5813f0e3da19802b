import ConclaveBase
import ConclaveCoordination
import ConclaveReplication
import ConclaveService
import ConclaveWire

/// Target `host`: a group of one, and clients that send anything at any time. Whatever is answered
/// decodes, and the daemon goes on.
struct ClientsOfHost {
    private static let maximumSteps = 128

    private var source: ByteSource
    private let disk = FuzzDisk()
    private let host: Host
    private var now = Instant(nanoseconds: 1_000_000_000_000)
    private var connections: [ConnectionID] = []
    private var opened: [SessionOpened] = []
    private var answers: [ConnectionID: FrameBuffer] = [:]

    static func run(_ bytes: [UInt8]) {
        var clients = ClientsOfHost(ByteSource(bytes))
        clients.runAll()
    }

    private init(_ source: ByteSource) {
        var source = source
        let own = Member(node: NodeID(1), incarnation: Incarnation(1))
        var settings = HostSettings(
            replica: ReplicaSettings(
                own: own, configured: [own.node], durability: .memory, minimumMembers: 1,
                slotCount: 16, slotByteCount: 1_024))
        settings.validitySlotCount = source.flag() ? 3 : 64
        settings.maximumConnections = 6
        settings.maximumConnectionsPerUID = 4
        if source.flag() {
            settings.quotas.requestsPerSession = 2
            settings.quotas.sessions = 3
            settings.quotas.waitersPerObject = 1
        }
        var secrets = SeededRandom(seed: 1)
        do {
            host = try Host(
                settings: settings, disk: disk, fabric: MeshFabric(),
                random: SeededRandom(seed: 2),
                drawSecret: { Secret(high: secrets.next(), low: secrets.next()) }, now: now)
        } catch {
            broken("a blank disk is refused: \(error)")
        }
        self.source = source
    }

    private mutating func runAll() {
        if source.choice(of: 8) != 7 { for _ in 0..<8 { pass(.milliseconds(100)) } }
        for _ in 0..<Self.maximumSteps where !source.isEmpty { step() }
        pass(.seconds(60))
        pass(.seconds(5))
    }

    private mutating func step() {
        switch source.choice(of: 16) {
        case 0: connect()
        case 1: tell { .closed($0) }
        case 2: tell { .processDied($0) }
        case 3:
            let byteCount = Int(source.word16()) << source.choice(of: 8)
            tell { .stalled($0, byteCount: byteCount) }
        case 4: tell { .drained($0) }
        case 5: tell { .malformed($0, .trailing(byteCount: 1)) }
        case 6: pass(.milliseconds(Int64(source.byte()) * 40))
        case 7: turn()
        case 8: send(ClientFrames.composed(&source))
        default: sendSensible()
        }
    }

    // MARK: - The shell

    private mutating func pass(_ interval: Interval) {
        now = now.advanced(by: interval)
        host.step(.tick, now: now)
        turn()
    }

    private mutating func turn() {
        for _ in 0..<3 {
            var effects: [HostEffect] = []
            host.endTurn(
                now: now, wallClock: Timestamp(microseconds: now.nanoseconds / 1_000),
                effects: &effects)
            for effect in effects { perform(effect) }
            for input in disk.complete() { host.step(.disk(input), now: now) }
        }
    }

    private mutating func perform(_ effect: HostEffect) {
        switch effect {
        case .client(.send(let id, let bytes, _)): read(bytes, of: id)
        case .client(.close(let id)): connections.removeAll { $0 == id }
        case .fatal(let fault): broken("the daemon ends: \(fault)")
        case .client, .event, .serving, .disturb, .left, .removed: break
        }
    }

    private mutating func read(_ bytes: [UInt8], of id: ConnectionID) {
        answers[id, default: FrameBuffer()].append(bytes)
        do {
            while let frame = try answers[id]?.next() {
                // Whoever sends a type that nobody knows is refused under that type.
                demand(
                    ClientFrames.readAsAnswer(frame), "an answer does not decode: \(frame)")
                note(frame)
            }
        } catch {
            broken("what is sent is no stream of frames: \(error)")
        }
    }

    private mutating func note(_ frame: FrameBuffer.Frame) {
        let types = [ClientFrameType.open.rawValue, ClientFrameType.resume.rawValue]
        guard types.contains(frame.header.type), !frame.header.flags.contains(.error) else {
            return
        }
        var reader = ByteReader(frame.body)
        if let session = try? SessionOpened(from: &reader) { opened.append(session) }
    }

    private mutating func tell(_ input: (ConnectionID) -> ClientInput) {
        guard !connections.isEmpty else { return }
        let id = source.pick(connections)
        host.step(.client(input(id)), now: now)
    }

    // MARK: - Clients

    private mutating func connect() {
        let id = ConnectionID(number: UInt64(connections.last?.number ?? 0) + 1)
        connections.append(id)
        let pid = UInt32(source.choice(of: 4))
        let process = ProcessIdentity(
            host: NodeID(1), pid: pid, startTime: 1, bootID: 1, uid: pid / 3, gid: 1, unit: "")
        host.step(.client(.opened(id, process)), now: now)
        guard source.choice(of: 8) != 7 else { return }
        send(.hello, 0, id) {
            ClientHello(version: ClientLimits.protocolVersion, features: 0, name: "f").encode(
                into: &$0)
        }
        guard source.flag() else { return }
        open(id)
        turn()
    }

    private mutating func open(_ id: ConnectionID) {
        let request = OpenRequest(
            id: Secret(high: 1, low: UInt64(source.choice(of: 4))),
            ttl: source.pick([.seconds(5), .seconds(3), .seconds(60), .zero]), label: "l")
        send(.open, source.number(), id) { request.encode(into: &$0) }
    }

    private mutating func send(_ frame: FrameBuffer.Frame) {
        guard !connections.isEmpty else { return }
        let id = source.pick(connections)
        host.step(.client(.frame(id, frame)), now: now)
    }

    private func send(
        _ type: ClientFrameType, _ number: UInt64, _ id: ConnectionID,
        body: (inout ByteWriter) -> Void
    ) {
        var writer = ByteWriter()
        body(&writer)
        let header = FrameHeader(
            bodyByteCount: writer.bytes.count, type: type.rawValue, number: number)
        host.step(
            .client(.frame(id, FrameBuffer.Frame(header: header, body: writer.bytes))), now: now)
    }

    private mutating func sendSensible() {
        guard !connections.isEmpty else { return connect() }
        let id = source.pick(connections)
        let number = source.number(near: [1, 2, 3, 4, 5, 6, 7, 8])
        let names = OperationChoices.names
        switch source.choice(of: 19) {
        case 0: open(id)
        case 1: resume(id, number)
        case 2: send(.goodbye, number, id) { _ in }
        case 3:
            let confirmed = source.number(near: [1, 2, 4, 8])
            send(.confirm, number, id) { $0.integer(confirmed) }
        case 4: send(source.flag() ? .status : .members, number, id) { _ in }
        case 5:
            let follows = source.flag()
            send(.views, number, id) { $0.flag(follows) }
        case 6:
            let name = source.pick(names)
            let subject: ObjectQuery.Subject = source.flag() ? .why(name) : .leader(name)
            let query = ObjectQuery(subject, isLocal: source.flag())
            send(query.type, number, id) { query.encode(into: &$0) }
        case 7:
            let subscription = source.number(near: [number])
            let page = ObjectQuery(.locks(prefix: "", after: nil), isLocal: source.flag())
            send(source.flag() ? .locks : .unsubscribe, number, id) { writer in
                if subscription & 1 == 1 {
                    page.encode(into: &writer)
                } else {
                    writer.integer(subscription)
                }
            }
        case 16:
            let query = OperationChoices.keyQuery(&source)
            send(.readKeys, number, id) { query.encode(into: &$0) }
        case 17:
            let watch = OperationChoices.keyWatch(&source)
            send(.watchKeys, number, id) { watch.encode(into: &$0) }
        case 18:
            let follow = GroupChoices.follow(&source)
            send(.followGroup, number, id) { follow.encode(into: &$0) }
        default:
            var body = OperationFrame(
                confirmed: source.number(near: [0, 0, 1, 2]),
                operation: OperationChoices.operation(
                    &source, knowing: host.replica.machine))
            if LossGuards.count(of: body.operation) > 0 {
                body.onLoss = LossAction(rawValue: UInt8(number % 4)) ?? .notify
            }
            send(body.operation.type, number, id) { body.encode(into: &$0) }
        }
    }

    private mutating func resume(_ id: ConnectionID, _ number: UInt64) {
        guard !opened.isEmpty else { return }
        let session = source.pick(opened)
        let request = ResumeRequest(
            session: session.session, secret: session.secret,
            confirmed: source.number(near: [0, 1, 2]))
        send(.resume, number, id) { request.encode(into: &$0) }
    }
}
