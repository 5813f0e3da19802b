import ConclaveBase
import ConclaveClientCore
import ConclaveWire
import Testing

/// A core with a clock, a page and a daemon that says what the test tells it to.
struct TestClient {
    static let session = SessionID(7)
    static let secret = Secret(high: 1, low: 2)

    var core: ClientCore
    var now = Instant(nanoseconds: 1_000_000_000)
    var validity: Instant?
    /// Everything since the last `take`.
    var effects: [ClientCore.Effect] = []

    init(settings: ClientSettings = ClientSettings(label: "test")) {
        core = ClientCore(
            settings: settings, id: Secret(high: 9, low: 9), random: SeededRandom(seed: 1),
            now: now)
    }

    mutating func step(_ input: ClientCore.Input) {
        core.step(input, validity: validity, now: now, effects: &effects)
    }

    mutating func advance(_ interval: Interval) {
        now = now.advanced(by: interval)
        step(.tick)
    }

    mutating func call(
        _ operation: Operation, onLoss: LossAction = .notify, within wait: Interval? = nil
    ) -> CallID {
        core.call(
            operation, onLoss: onLoss, deadline: wait.map { now.advanced(by: $0) }, now: now,
            effects: &effects)
    }

    mutating func query(_ query: ClientCore.Query, within wait: Interval? = nil) -> CallID {
        core.query(
            query, deadline: wait.map { now.advanced(by: $0) }, now: now, effects: &effects)
    }

    mutating func cancel(_ call: CallID) {
        core.cancel(call, now: now, effects: &effects)
    }

    // MARK: - What the core says

    mutating func take() -> [ClientCore.Effect] {
        defer { effects.removeAll() }
        return effects
    }

    /// The frames that were sent since the last `take`.
    mutating func sent() throws -> [FrameBuffer.Frame] {
        var buffer = FrameBuffer()
        for case .send(let bytes) in take() { buffer.append(bytes) }
        var frames: [FrameBuffer.Frame] = []
        while let frame = try buffer.next() { frames.append(frame) }
        return frames
    }

    mutating func sentTypes() throws -> [ClientFrameType?] {
        try sent().map { ClientFrameType(rawValue: $0.header.type) }
    }

    var answers: [CallID: ClientCore.Answer] {
        var answers: [CallID: ClientCore.Answer] = [:]
        for case .answered(let call, let answer) in effects {
            #expect(answers[call] == nil, "answered twice")
            answers[call] = answer
        }
        return answers
    }

    var states: [ClientCore.ClientState] {
        effects.compactMap { effect in
            if case .state(let state) = effect { state } else { nil }
        }
    }

    // MARK: - What the daemon says

    mutating func receive(
        _ type: ClientFrameType, _ flags: FrameHeader.Flags = .reply, number: UInt64 = 0,
        body: (inout ByteWriter) -> Void = { _ in }
    ) {
        var writer = ByteWriter()
        body(&writer)
        var buffer = FrameBuffer()
        buffer.append(
            FrameHeader.frame(
                type: type.rawValue, flags: flags, number: number, body: writer.bytes))
        do {
            while let frame = try buffer.next() { step(.frame(frame)) }
        } catch {
            Issue.record(error)
        }
    }

    mutating func receiveHello(isServing: Bool = true, reason: String = "") {
        let hello = DaemonHello(
            version: ClientLimits.protocolVersion, features: 0, node: NodeID(1), epoch: Epoch(1),
            serving: ServingState(isServing: isServing, reason: reason),
            minimumTTL: .seconds(3), maximumTTL: .seconds(60))
        receive(.hello) { hello.encode(into: &$0) }
    }

    mutating func receiveOpened(
        _ type: ClientFrameType = .open, waiting: [UInt64] = []
    ) {
        let opened = SessionOpened(
            session: Self.session, secret: Self.secret, version: Version(1), slot: 1,
            ttl: .seconds(5), waiting: waiting)
        receive(type) { opened.encode(into: &$0) }
    }

    mutating func receiveReply(_ reply: Reply, to number: UInt64) {
        receive(.acquire, number: number) { reply.encode(into: &$0) }
    }

    mutating func receiveError(
        _ refusal: Refusal, _ type: ClientFrameType, number: UInt64,
        _ flags: FrameHeader.Flags = [.reply, .error]
    ) {
        receive(type, flags, number: number) { refusal.encode(into: &$0) }
    }

    mutating func connect() {
        step(.tick)
        step(.connected)
    }

    /// Connected, with an open session that is valid for 4.95 s.
    mutating func open() {
        connect()
        receiveHello()
        receiveOpened()
        validity = now.advanced(by: .milliseconds(4_950))
        step(.tick)
        effects.removeAll()
    }

    mutating func reconnect(waiting: [UInt64] = []) {
        now = max(now, core.nextTick)
        connect()
        receiveHello()
        receiveOpened(.resume, waiting: waiting)
    }
}

func lock(_ name: String) throws -> Operation {
    .acquire(name: try ObjectName(name), mode: .exclusive, isTry: false)
}

func unlock(_ name: String, _ token: UInt64) throws -> Operation {
    .release(name: try ObjectName(name), token: FencingToken(token))
}

func grant(_ name: String, _ token: UInt64) throws -> Reply {
    .granted(
        LockGrant(
            name: try ObjectName(name), mode: .exclusive, token: FencingToken(token),
            previousEnd: .none))
}
