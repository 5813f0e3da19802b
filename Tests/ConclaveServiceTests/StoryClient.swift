import ConclaveBase
import ConclaveClientCore
import ConclaveCoordination
import ConclaveService
import ConclaveWire
import Testing

/// One process with a client core, whose connections to the daemons of a group break at any time.
final class StoryClient {
    let pid: UInt32
    private unowned let group: TestGroup
    private var core: ClientCore
    private var connection: (daemon: TestDaemon, id: ConnectionID)?
    private var toDaemon = FrameBuffer()
    private var page: (daemon: TestDaemon, slot: UInt32, session: SessionID)?
    private var wantsConnection = false
    private var effects: [ClientCore.Effect] = []
    private(set) var isLost = false
    private(set) var resumeCount = 0
    /// What each open call asked for.
    private(set) var open: [CallID: Operation] = [:]
    private(set) var answers: [CallID: ClientCore.Answer] = [:]
    /// Granted, and not yet asked to be released.
    private(set) var held: [ObjectName: FencingToken] = [:]

    init(pid: UInt32, group: TestGroup, requestsInFlight: Int, random: SeededRandom) {
        self.pid = pid
        self.group = group
        var settings = ClientSettings(label: "story")
        settings.requestsInFlight = requestsInFlight
        core = ClientCore(
            settings: settings, id: Secret(high: 1_000, low: UInt64(pid)),
            random: random, now: group.now)
    }

    var session: SessionID? { core.session?.session }

    /// As a process that checks before each use of its lock.
    func believesToHold(_ name: ObjectName) -> Bool {
        guard held[name] != nil, !isLost, let validity else { return false }
        return validity > group.now
    }

    private var validity: Instant? {
        guard let page else { return nil }
        guard let slot = page.daemon.page[page.slot], slot.session == page.session else {
            return .distantPast
        }
        return slot.deadline
    }

    private func step(_ input: ClientCore.Input) {
        core.step(input, validity: validity, now: group.now, effects: &effects)
        carryOut()
    }

    private func carryOut() {
        let effects = self.effects
        self.effects.removeAll()
        for effect in effects { carryOut(effect) }
    }

    private func carryOut(_ effect: ClientCore.Effect) {
        switch effect {
        case .connect: wantsConnection = true
        case .disconnect: cut()
        case .send(let bytes): toDaemon.append(bytes)
        case .opened(let session, _):
            guard let connection else { return }
            if page != nil { resumeCount += 1 }
            page = (connection.daemon, session.slot, session.session)
        case .answered(let call, let answer): answered(call, answer)
        case .state(.lost): isLost = true
        case .event, .state, .asked, .closed: break
        }
    }

    private func answered(_ call: CallID, _ answer: ClientCore.Answer) {
        #expect(answers[call] == nil, "call \(call) was answered twice")
        answers[call] = answer
        open[call] = nil
        if case .reply(.granted(let grant)) = answer { held[grant.name] = grant.token }
    }

    // MARK: - What happens to it

    func tick() {
        if core.nextTick <= group.now { step(.tick) }
    }

    /// Connects to `daemon` if it wants to.
    func connect(to daemon: TestDaemon) {
        guard wantsConnection else { return }
        wantsConnection = false
        let process = ProcessIdentity(
            host: NodeID(1), pid: pid, startTime: 1, bootID: 1, uid: pid, gid: 1, unit: "")
        connection = (daemon, daemon.connectAs(process))
        toDaemon = FrameBuffer()
        step(.connected)
    }

    /// The connection breaks; what was on its way is lost.
    func disconnect() {
        guard connection != nil else { return }
        cut()
        step(.disconnected(reason: "cut"))
    }

    private func cut() {
        guard let connection else { return }
        self.connection = nil
        toDaemon = FrameBuffer()
        connection.daemon.step(.client(.closed(connection.id)))
    }

    /// One frame arrives at the daemon. Returns whether there was one.
    func deliverToDaemon() throws -> Bool {
        guard let connection, let frame = try toDaemon.next() else { return false }
        connection.daemon.step(.client(.frame(connection.id, frame)))
        return true
    }

    /// One frame arrives from the daemon. Returns whether there was one.
    func deliverFromDaemon() throws -> Bool {
        guard let connection, let frame = try connection.daemon.nextFrame(connection.id) else {
            return false
        }
        step(.frame(frame))
        return true
    }

    /// The daemon closed the connection, and everything from it was read.
    func noticeClosed() {
        guard let connection, connection.daemon.closed.contains(connection.id) else { return }
        disconnect()
    }

    func acquire(_ name: ObjectName, within wait: Interval?) {
        guard !isLost, held[name] == nil else { return }
        guard !open.values.contains(where: { $0.name == name }) else { return }
        call(.acquire(name: name, mode: .exclusive, isTry: false), within: wait)
    }

    func release(_ name: ObjectName) {
        guard !isLost, let token = held.removeValue(forKey: name) else { return }
        call(.release(name: name, token: token), within: nil)
    }

    func cancelOldest() {
        guard let call = open.keys.min() else { return }
        core.cancel(call, now: group.now, effects: &effects)
        carryOut()
    }

    private func call(_ operation: Operation, within wait: Interval?) {
        let deadline = wait.map { group.now.advanced(by: $0) }
        let call = core.call(operation, deadline: deadline, now: group.now, effects: &effects)
        open[call] = operation
        carryOut()
    }
}

extension Operation {
    var name: ObjectName? {
        switch self {
        case .acquire(let name, _, _, _, _, _), .release(let name, _): name
        default: nil
        }
    }
}
