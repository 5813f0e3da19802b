import ConclaveBase
import ConclaveClientCore
import ConclaveCoordination
import ConclaveService
import ConclaveWire

/// One process that uses the client library: the library's core, its end of the socket, and the
/// program that it runs.
final class ClientProcess {
    let index: Int
    /// The host it runs on.
    let host: Int
    let identity: ProcessIdentity
    let inbox: Inbox
    let program: any ClientProgram
    private(set) var core: ClientCore
    private(set) var isAlive = true
    /// The core has said goodbye, or that the session is lost.
    private(set) var isOver = false
    private var hasSaidGoodbye = false
    /// Calls that were answered with what the group decided.
    private(set) var answeredCount = 0
    private(set) var connection: ConnectionID?
    var random: SeededRandom
    /// What it believes to hold.
    var heldKeys: [ExclusionChecker.Key] = []
    private(set) var pendingCalls: [CallID] = []
    private var page: ValidityPage?
    /// Came with the last bytes of this connection.
    private var receivedPage: ValidityPage?
    private var frames = FrameBuffer()
    private var coreEffects: [ClientCore.Effect] = []
    /// What is to be done outside.
    private var requests: [Request] = []
    private var now = Instant.distantPast

    /// What the process asks of its kernel.
    enum Request {
        case connect
        case disconnect(ConnectionID)
        case send([UInt8], on: ConnectionID)
    }

    init(
        index: Int, host: Int, identity: ProcessIdentity, inbox: Inbox,
        program: any ClientProgram, settings: ClientSettings, random: SeededRandom, now: Instant
    ) {
        self.index = index
        self.host = host
        self.identity = identity
        self.inbox = inbox
        self.program = program
        var random = random
        core = ClientCore(
            settings: settings, id: Secret(high: random.next(), low: random.next()),
            random: random.split(), now: now)
        self.random = random
    }

    var node: NodeID { identity.host }

    /// Whether the process would, at this instant of its host's clock, find its session valid.
    func isValid(at instant: Instant) -> Bool {
        guard isAlive, !isOver, let deadline = validity else { return false }
        return deadline > instant
    }

    /// Whether it counts on its session, and has not itself begun to end it.
    func believes(at instant: Instant) -> Bool { !hasSaidGoodbye && isValid(at: instant) }

    /// What the validity page shows for the session.
    private var validity: Instant? {
        guard let page, let session = core.session else { return nil }
        return page.deadline(of: session.session, in: session.slot)
    }

    /// It waits for nothing that the group owes it.
    var isContent: Bool { program is ObserverProgram }

    func maps(_ page: ValidityPage) -> Bool { self.page === page }

    var session: SessionID? { core.session?.session }

    func end() {
        isAlive = false
        inbox.close()
    }

    // MARK: - Turns

    /// What waits to be done outside is taken by the caller after each turn.
    func takeRequests() -> [Request] {
        defer { requests.removeAll() }
        return requests
    }

    func turn(
        _ inputs: [Inbox.Input], now: Instant, moment: Moment, world: ClientWorld
    ) throws(Violation) {
        self.now = now
        for case .socket(let input) in inputs { try take(input, world: world) }
        if core.nextTick <= now { try step(.tick, world: world) }
        guard !isOver else { return }
        if program.nextAct <= moment { try program.act(self, at: moment, world: world) }
        try takeEffects(world: world)
    }

    func nextTurn(clock: SimulatedClock) -> Moment {
        isOver ? .never : min(clock.moment(of: core.nextTick), program.nextAct)
    }

    private func take(_ input: SocketInput, world: ClientWorld) throws(Violation) {
        switch input {
        case .connected(let id):
            connection = id
            guard !isOver else { return disconnect() }
            frames = FrameBuffer()
            receivedPage = nil
            try step(.connected, world: world)
        case .bytes(let id, let bytes, let page):
            guard connection == id else { return }
            if let page { receivedPage = page }
            frames.append(bytes)
            try takeFrames(of: id, world: world)
        case .closed(let id):
            guard connection == id else { return }
            connection = nil
            try step(.disconnected(reason: "the daemon closed the connection"), world: world)
        case .refused:
            try step(.disconnected(reason: "no daemon at the socket"), world: world)
        }
    }

    private func takeFrames(of id: ConnectionID, world: ClientWorld) throws(Violation) {
        while connection == id {
            guard let frame = try nextFrame() else { return }
            try step(.frame(frame), world: world)
        }
    }

    private func nextFrame() throws(Violation) -> FrameBuffer.Frame? {
        do {
            return try frames.next()
        } catch {
            throw Violation(.badInput, "a daemon's frame does not decode: \(error)")
        }
    }

    private func disconnect() {
        if let connection { requests.append(.disconnect(connection)) }
        connection = nil
    }

    private func step(_ input: ClientCore.Input, world: ClientWorld) throws(Violation) {
        core.step(input, validity: validity, now: now, effects: &coreEffects)
        try takeEffects(world: world)
    }

    private func takeEffects(world: ClientWorld) throws(Violation) {
        // Programs call the core while its effects are taken.
        var next = 0
        while next < coreEffects.count {
            let effect = coreEffects[next]
            next += 1
            try take(effect, world: world)
        }
        coreEffects.removeAll(keepingCapacity: true)
    }

    private func take(_ effect: ClientCore.Effect, world: ClientWorld) throws(Violation) {
        switch effect {
        case .connect: requests.append(.connect)
        case .disconnect: disconnect()
        case .send(let bytes):
            if let connection { requests.append(.send(bytes, on: connection)) }
        case .opened(let opened, _):
            page = receivedPage
            guard page != nil else {
                throw Violation(.badInput, "session \(opened.session) opened without a page")
            }
            try world.opened(self)
        case .answered(let call, let answer): try answered(call, answer, world: world)
        case .event(let call, let answer): try program.event(answer, of: call, self, world: world)
        case .state(let state):
            if case .lost = state { try over(world: world) }
        case .closed: try over(world: world)
        }
    }

    private func answered(
        _ call: CallID, _ answer: ClientCore.Answer, world: ClientWorld
    ) throws(Violation) {
        guard let place = pendingCalls.firstIndex(of: call) else {
            throw Violation(.exactlyOnce, "call \(call.number) was answered twice: \(answer)")
        }
        pendingCalls.remove(at: place)
        if case .failed = answer {} else { answeredCount += 1 }
        world.trace { "client \(index) call \(call.number): \(answer)" }
        try program.answered(answer, to: call, self, world: world)
    }

    private func over(world: ClientWorld) throws(Violation) {
        guard !isOver else { return }
        isOver = true
        world.trace { "client \(index) is over" }
        guard pendingCalls.isEmpty else {
            throw Violation(
                .progress, "the session is over, but \(pendingCalls.count) calls are unanswered")
        }
        world.letGoOfEverything(self)
    }

    // MARK: - What programs call

    func call(_ operation: Operation, within wait: Interval?, world: ClientWorld) -> CallID {
        world.trace { "client \(index) calls \(operation)" }
        let call = core.call(
            operation, deadline: wait.map { now.advanced(by: $0) }, now: now,
            effects: &coreEffects)
        pendingCalls.append(call)
        world.requestCount += 1
        return call
    }

    func query(_ query: ClientCore.Query, within wait: Interval?) -> CallID {
        let call = core.query(
            query, deadline: wait.map { now.advanced(by: $0) }, now: now, effects: &coreEffects)
        pendingCalls.append(call)
        return call
    }

    func cancel(_ call: CallID) {
        core.cancel(call, now: now, effects: &coreEffects)
    }

    func goodbye() {
        hasSaidGoodbye = true
        core.goodbye(now: now, effects: &coreEffects)
    }
}
