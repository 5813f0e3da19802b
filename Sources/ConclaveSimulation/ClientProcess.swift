import ConclaveBase
import ConclaveClientCore
import ConclaveCoordination
import ConclaveService
import ConclaveWire

/// One process that uses the client library: the library's core, its end of the socket, and the
/// program that it runs.
final class ClientProcess {
    let index: Int
    /// In the history of the world: no other process has it, in whatever seat.
    let number: UInt64
    /// The host it runs on.
    let host: Int
    let identity: ProcessIdentity
    let inbox: Inbox
    let program: any ClientProgram
    private(set) var core: ClientCore
    private(set) var isAlive = true
    /// The core has said goodbye, or that the session is lost.
    private(set) var isOver = false
    /// It was stopped by its daemon, and stands still.
    var isFrozen = false
    /// An administrator let it go on before that one was over: what it does then is his affair.
    var thawedSession: SessionID?
    /// It has said goodbye, or will when it can.
    private(set) var saysGoodbye = false
    /// Calls that were answered with what the group decided.
    private(set) var answeredCount = 0
    private(set) var connection: ConnectionID?
    var random: SeededRandom
    /// What it believes to hold.
    var heldKeys: [ExclusionChecker.Key] = []
    private(set) var pendingCalls: [CallID] = []
    /// Operations whose answers the program waits for, and when each gives up by itself.
    private var operations: [CallID: Instant] = [:]
    /// Of which so many calls in the history are the parts; others are one.
    private var partCounts: [CallID: Int] = [:]
    /// Requests that were sent and not answered, by their numbers.
    private(set) var unanswered: Set<UInt64> = []
    /// Those that its daemon knows the answer to, and since when that was seen.
    var overdue: [UInt64: Moment] = [:]
    /// The connection on which the session was opened last.
    private(set) var openedOn: ConnectionID?
    /// The largest number of a request that was sent.
    private(set) var newestNumber: UInt64 = 0
    /// The group has ended the session, and said so.
    private(set) var hasEnded = false
    /// The last moment at which the process could see that its session was valid.
    private(set) var lastValid = Moment.start
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
        index: Int, number: UInt64, host: Int, identity: ProcessIdentity, inbox: Inbox,
        program: any ClientProgram, settings: ClientSettings, random: SeededRandom, now: Instant
    ) {
        self.index = index
        self.number = number
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

    /// Until when, in true time, the process had its session for valid.
    func believedUntil(clock: SimulatedClock, now: Moment) -> Moment {
        if isValid(at: clock.instant(at: now)) { return now }
        guard let deadline = validity, deadline > .distantPast else { return lastValid }
        return max(lastValid, min(now, clock.moment(of: deadline)))
    }

    /// What the validity page shows for the session.
    private var validity: Instant? { shownDeadline }

    /// As its page has it; `nil`: it has none.
    var shownDeadline: Instant? {
        guard let page, let session = core.session else { return nil }
        return page.deadline(of: session.session, in: session.slot)
    }

    /// What the clock of its host shows.
    func hostTime(world: ClientWorld) -> Instant {
        world.clock(self).instant(at: world.timeline.now)
    }

    /// It waits for nothing that the group owes it.
    var isContent: Bool { program.isFollower }

    func maps(_ page: ValidityPage) -> Bool { self.page === page }

    var session: SessionID? { core.session?.session }

    /// While the process lives and has it.
    var openedSession: SessionOpened? { isAlive && !isOver ? core.session : nil }

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
        if isValid(at: now) { lastValid = moment }
        noteGivingUp(world: world)
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

    /// What waited as long as it would is given up by the core in this turn.
    private func noteGivingUp(world: ClientWorld) {
        for call in operations.keys.sorted() where operations[call]! <= now {
            operations[call] = .distantFuture
            recordGivingUp(call, world: world)
        }
    }

    private func recordGivingUp(_ call: CallID, world: ClientWorld) {
        for part in 0..<(partCounts[call] ?? 1) {
            world.record(.gaveUp, of: call, part: part, by: self)
        }
    }

    private func takeFrames(of id: ConnectionID, world: ClientWorld) throws(Violation) {
        while connection == id {
            guard let frame = try nextFrame() else { return }
            try check(frame, world: world)
            try step(.frame(frame), world: world)
        }
    }

    /// C3, C4: a reply is the one that the order gave to that request.
    private func check(_ frame: FrameBuffer.Frame, world: ClientWorld) throws(Violation) {
        let header = frame.header
        if header.type == ClientFrameType.goodbye.rawValue, header.flags.contains(.reply) {
            return try noteGoodbye(world: world)
        }
        guard header.flags.contains(.reply), unanswered.remove(header.number) != nil,
            !header.flags.contains(.error), let session
        else { return }
        var reader = ByteReader(frame.body)
        guard let reply = try? Reply(from: &reader) else {
            throw Violation(.badInput, "a daemon's reply does not decode")
        }
        try world.order.check(reply, to: header.number, of: session)
        if let version = world.order.answerVersion(of: header.number, of: session) {
            world.newestAcknowledged = max(world.newestAcknowledged, version)
        }
    }

    /// A goodbye is answered when the session is over, or somebody else's.
    private func noteGoodbye(world: ClientWorld) throws(Violation) {
        guard let session else { return }
        guard let process = world.order.process(of: session) else {
            return hasEnded = true
        }
        guard !process.isSameProcess(as: identity) else {
            throw Violation(
                .nothingLost, "goodbye was answered, but session \(session) goes on")
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
            note(bytes)
            if let connection { requests.append(.send(bytes, on: connection)) }
        case .opened(let opened, _):
            page = receivedPage
            guard page != nil else {
                throw Violation(.badInput, "session \(opened.session) opened without a page")
            }
            overdue = [:]
            openedOn = connection
            world.record(.opened(opened.session), by: self)
            try world.opened(self)
        case .answered(let call, let answer): try answered(call, answer, world: world)
        case .event(let call, let answer): try program.event(answer, of: call, self, world: world)
        case .state(let state):
            guard case .lost = state else { return }
            try over(
                .lost(since: world.believedUntil(self).nanoseconds), world: world)
        case .asked(let notice): world.trace { "client \(index) is asked: \(notice)" }
        case .closed: try over(world.end(of: self), world: world)
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
        let count = partCounts.removeValue(forKey: call) ?? 1
        if operations.removeValue(forKey: call) != nil,
            let told = HistoryAnswer.all(answer, count: count)
        {
            for (part, one) in told.enumerated() {
                world.record(.answered(one), of: call, part: part, by: self)
            }
        }
        try program.answered(answer, to: call, self, world: world)
    }

    /// The frames of operations carry numbers of requests.
    private func note(_ bytes: [UInt8]) {
        var frames = FrameBuffer()
        frames.append(bytes)
        while let frame = try? frames.next() {
            guard let type = ClientFrameType(rawValue: frame.header.type),
                OperationFrame.types.contains(type)
            else { continue }
            unanswered.insert(frame.header.number)
            newestNumber = max(newestNumber, frame.header.number)
        }
    }

    private func over(_ kind: HistoryEvent.Kind, world: ClientWorld) throws(Violation) {
        guard !isOver else { return }
        isOver = true
        world.record(kind, by: self)
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
        let deadline = wait.map { now.advanced(by: $0) }
        let mayHold = LossGuards.count(of: operation) > 0
        let onLoss = mayHold ? world.lossActions?.next() ?? .notify : .notify
        let call = core.call(
            operation, onLoss: onLoss, deadline: deadline, now: now, effects: &coreEffects)
        pendingCalls.append(call)
        world.requestCount += 1
        let parts = HistoryCall.all(operation)
        if !parts.isEmpty { operations[call] = deadline ?? .distantFuture }
        if parts.count > 1 { partCounts[call] = parts.count }
        for (part, what) in parts.enumerated() {
            world.record(.called(what), of: call, part: part, by: self)
        }
        return call
    }

    func query(_ query: ClientCore.Query, within wait: Interval?) -> CallID {
        let call = core.query(
            query, deadline: wait.map { now.advanced(by: $0) }, now: now, effects: &coreEffects)
        pendingCalls.append(call)
        return call
    }

    func cancel(_ call: CallID, world: ClientWorld) {
        if operations[call] != nil { recordGivingUp(call, world: world) }
        core.cancel(call, now: now, effects: &coreEffects)
    }

    /// It may be giving up any of its operations.
    func mayGiveUp(world: ClientWorld) {
        for call in operations.keys.sorted() { recordGivingUp(call, world: world) }
    }

    func goodbye(world: ClientWorld) {
        saysGoodbye = true
        if session != nil { world.record(.goodbye, by: self) }
        core.goodbye(now: now, effects: &coreEffects)
    }
}
