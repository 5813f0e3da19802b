import ConclaveBase
import ConclaveClientCore
import ConclaveCoordination
import ConclaveWire

/// Target `client-core`: a client library whose daemon says anything at any time. Each call is
/// answered once, and what the library sends decodes.
struct ClientLibrary {
    private static let maximumSteps = 128

    private var source: ByteSource
    private var core: ClientCore
    private var now = Instant(nanoseconds: 1_000_000_000)
    private var validity: Instant?
    private var calls: [CallID] = []
    private var answered: Set<CallID> = []
    private var wasOpened = false
    private var isOver = false
    private let coordinator = Coordinator()

    static func run(_ bytes: [UInt8]) {
        var library = ClientLibrary(ByteSource(bytes))
        for _ in 0..<maximumSteps where !library.source.isEmpty { library.step() }
        library.finish()
    }

    private init(_ source: ByteSource) {
        var source = source
        core = ClientCore(
            settings: ClientSettings(label: "fuzz", opensSession: source.flag()),
            id: Secret(high: 9, low: 9), random: SeededRandom(seed: 1), now: now)
        self.source = source
    }

    private mutating func step() {
        switch source.choice(of: 16) {
        case 0: call()
        case 1: query()
        case 2: change { $0.goodbye(now: $1, effects: &$2) }
        case 3:
            guard !calls.isEmpty else { return }
            let call = source.pick(calls)
            change { $0.cancel(call, now: $1, effects: &$2) }
        case 4: take(.connected)
        case 5: take(.disconnected(reason: "gone"))
        case 6:
            now = now.advanced(by: .milliseconds(Int64(source.byte()) * 50))
            take(.tick)
        case 7:
            validity =
                [nil, .distantPast, now.advanced(by: .seconds(4)), now][
                    source.choice(of: 4)]
            take(.tick)
        case 8: take(.frame(ClientFrames.composed(&source)))
        case 9, 10: greet()
        default: answer()
        }
    }

    /// A session is over by then, and with the client no call waits any longer.
    private mutating func finish() {
        validity = .distantPast
        now = now.advanced(by: .seconds(3_600))
        take(.tick)
        take(.tick)
        demand(isOver || !wasOpened, "a session outlives its deadline")
        guard isOver else { return }
        for call in calls { demand(answered.contains(call), "\(call) is never answered") }
    }

    private mutating func take(_ input: ClientCore.Input) {
        let validity = validity
        change { $0.step(input, validity: validity, now: $1, effects: &$2) }
    }

    private mutating func change(
        _ body: (inout ClientCore, Instant, inout [ClientCore.Effect]) -> Void
    ) {
        var effects: [ClientCore.Effect] = []
        body(&core, now, &effects)
        for effect in effects {
            switch effect {
            case .answered(let id, _):
                demand(answered.insert(id).inserted, "a call is answered twice")
            case .send(let bytes): checkSent(bytes)
            case .opened: wasOpened = true
            case .closed, .state(.lost): isOver = true
            case .connect, .disconnect, .event, .state, .asked: break
            }
        }
    }

    private func checkSent(_ bytes: [UInt8]) {
        var buffer = FrameBuffer()
        buffer.append(bytes)
        do {
            while let frame = try buffer.next() {
                demand(ClientFrames.readAsRequest(frame), "\(frame) does not decode")
            }
        } catch {
            broken("what is sent is no frame: \(error)")
        }
        demand(buffer.waitingByteCount == 0, "half a frame is sent")
    }

    private mutating func call() {
        let operation = OperationChoices.operation(&source, knowing: coordinator)
        let deadline = source.flag() ? now.advanced(by: .milliseconds(500)) : nil
        var id: CallID?
        change { id = $0.call(operation, deadline: deadline, now: $1, effects: &$2) }
        if let id { calls.append(id) }
    }

    private mutating func query() {
        let name = source.pick(OperationChoices.names)
        let queries: [ClientCore.Query] = [
            .status, .members, .views(follow: true), .views(follow: false),
            .objects(ObjectQuery(.locks(prefix: "a", after: nil))),
            .objects(ObjectQuery(.why(name), isLocal: source.flag())),
            .objects(ObjectQuery(.leader(name))),
            .objects(ObjectQuery(.lease(name))),
            .objects(ObjectQuery(.leases(prefix: "a", after: name), isLocal: source.flag())),
            .objects(ObjectQuery(.latch(name))),
            .objects(ObjectQuery(.latches(prefix: "a", after: name), isLocal: source.flag())),
            .readKeys(OperationChoices.keyQuery(&source)),
            .watchKeys(OperationChoices.keyWatch(&source)),
            .followGroup(GroupChoices.follow(&source)),
        ]
        let query = source.pick(queries)
        let deadline = source.flag() ? now.advanced(by: .seconds(1)) : nil
        var id: CallID?
        change { id = $0.query(query, deadline: deadline, now: $1, effects: &$2) }
        if let id { calls.append(id) }
    }

    // MARK: - What a daemon says

    private mutating func greet() {
        let hello = DaemonHello(
            version: ClientLimits.protocolVersion, features: 0, node: NodeID(1), epoch: Epoch(1),
            serving: ServingState(isServing: source.flag(), reason: ""),
            minimumTTL: .seconds(3), maximumTTL: .seconds(60))
        tell(.hello, .reply, 0) { hello.encode(into: &$0) }
        guard source.flag() else { return }
        let opened = SessionOpened(
            session: SessionID(7), secret: Secret(high: 1, low: 2), version: Version(1), slot: 1,
            ttl: source.pick([.seconds(5), .zero, Interval(nanoseconds: .max)]),
            waiting: [source.number(near: [1, 2])])
        tell(source.flag() ? .open : .resume, .reply, 0) { opened.encode(into: &$0) }
        if source.flag() { validity = now.advanced(by: .seconds(5)) }
    }

    private mutating func answer() {
        let number = source.number(near: [1, 2, 3, 4, 5, 6])
        let name = source.pick(OperationChoices.names)
        switch source.choice(of: 11) {
        case 10:
            let notice = LetGoNotice(
                kind: .lock, name: name, token: FencingToken(number), within: .seconds(1))
            tell(.letGo, .event, 0) { notice.encode(into: &$0) }
        case 8: tellNews(number, name)
        case 9:
            let news = GroupChoices.news(&source)
            tell(.followGroup, source.flag() ? .event : .reply, number) { news.encode(into: &$0) }
        case 0:
            let refusal = Refusal(source.pick(RefusalCode.allCases), "no")
            let type = source.pick(ClientFrameType.allCases)
            tell(type, [.reply, .error], number) { refusal.encode(into: &$0) }
        case 1:
            let end = source.pick(SessionEnd.allCases)
            tell(.sessionEnded, .event, 0) { $0.integer(end.rawValue) }
        case 2:
            let version = source.number(near: [1, 2, 3])
            let state = LeaderState(
                slot: name, leaders: [], standbyCount: 0, version: Version(version))
            let flags: FrameHeader.Flags = source.flag() ? .event : .reply
            tell(.observeLeader, flags, number) { state.encode(into: &$0) }
        case 3:
            let view = ViewReport(
                epoch: Epoch(source.number(near: [1, 2, 3])), at: .zero, members: [], joined: [],
                departed: [])
            if source.flag() {
                tell(.views, .event, number) { view.encode(into: &$0) }
            } else {
                tell(.views, .reply, number) { $0.list([view]) { $0.encode(into: &$1) } }
            }
        case 4: tell(.goodbye, .reply, number) { _ in }
        default:
            let reply = reply(about: name)
            tell(.acquire, .reply, number) { reply.encode(into: &$0) }
        }
    }

    /// Of keys, in any order and as often as it likes.
    private mutating func tellNews(_ number: UInt64, _ name: ObjectName) {
        let version = Version(source.number(near: [1, 2, 3]))
        let stamp = KeyStamp(created: version, modified: version, putCount: 1)
        let form = source.byte()
        let news: KeyNews
        if form & 1 == 0 {
            let entry = KeyEntry(name: name, stamp: stamp, time: .zero, value: [1])
            news = .state(
                KeyStatePart(
                    version: version, isFirst: form & 2 == 0, isLast: form & 4 == 0,
                    isResync: form & 8 != 0, entries: [entry]))
        } else {
            let kinds: [KeyChange.Kind] = [.put(stamp, value: [1]), .deleted, .sessionEnded]
            let change = KeyChange(
                name: name, version: version, time: .zero, kind: source.pick(kinds))
            news = .changes(
                form & 2 == 0 ? [change] : [], upTo: Version(source.number(near: [1, 2, 3])))
        }
        tell(.watchKeys, form & 16 == 0 ? .event : .reply, number) { news.encode(into: &$0) }
    }

    private mutating func reply(about name: ObjectName) -> Reply {
        let token = FencingToken(source.number(near: [5, 6]))
        return switch source.choice(of: 8) {
        case 0, 1:
            .granted(LockGrant(name: name, mode: .exclusive, token: token, previousEnd: .none))
        case 2: .busy(holder: SessionID(3))
        case 3:
            .elected(Term(slot: name, token: token, previousEnd: .died, previousValue: []))
        case 4: .cancelled
        case 5: .cancelOutcome(wasCancelled: source.flag())
        case 6: .refused(Refusal(source.pick(RefusalCode.allCases), "no"))
        default: .done
        }
    }

    private mutating func tell(
        _ type: ClientFrameType, _ flags: FrameHeader.Flags, _ number: UInt64,
        body: (inout ByteWriter) -> Void
    ) {
        var writer = ByteWriter()
        body(&writer)
        let header = FrameHeader(
            bodyByteCount: writer.bytes.count, type: type.rawValue, flags: flags, number: number)
        take(.frame(FrameBuffer.Frame(header: header, body: writer.bytes)))
    }
}
