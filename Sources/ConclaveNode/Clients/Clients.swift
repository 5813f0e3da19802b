import ConclaveBase
import ConclaveCoordination
import ConclaveReactor
import ConclaveService
import ConclaveWire

/// Told of what clients do, on the reactor's thread.
protocol ClientSink: AnyObject {
    func take(_ input: ClientInput)
    func note(_ event: NodeEvent)
}

/// All client connections of a daemon: takes new ones, hands their frames on, and does what the
/// service asks for.
///
/// What is asked for during a turn is sent at its end by `flush`.
final class Clients: ReactorHandler {
    private struct Entry {
        let connection: ClientConnection
        let watch: ProcessWatch
        let identity: ProcessIdentity
    }

    private static let acceptedPerTurn = 16
    /// Descriptors that are not clients': files, members, the reactor's own.
    private static let reservedDescriptors = 128
    /// The most that may wait for one client; less once much waits for all together.
    private static let unreadLimit = 8 << 20
    private static let unreadLimitTogether = 256 << 20
    private static let unreadLimitInNeed = 256 << 10
    /// How long nobody is accepted after an error, such as descriptors that ran out.
    private static let acceptPause = Interval.seconds(1)

    private let reactor: Reactor
    private let listener: Descriptor
    private let page: ValidityPage
    private let processes: ProcessReader
    private let descriptorLimit: Int
    private weak var sink: (any ClientSink)?
    private var registration: Reactor.Registration?
    /// When accepting goes on after an error; nothing while it goes on or waits for room.
    private var resumption: Instant?
    private var isAccepting = true
    private var entries: [ConnectionID: Entry] = [:]
    private var lastNumber: UInt64 = 0
    /// Those that were given something to send, in that order, and those that are to be closed.
    private var touched: [ClientConnection] = []
    private var closing: [ClientConnection] = []
    var maximumCount: Int
    /// Bytes that wait for all clients together; kept by their connections.
    var unreadByteCount = 0

    init(
        listener: Descriptor, page: ValidityPage, processes: ProcessReader, maximumCount: Int,
        descriptorLimit: Int, reactor: Reactor
    ) {
        self.listener = listener
        self.page = page
        self.processes = processes
        self.maximumCount = maximumCount
        self.descriptorLimit = descriptorLimit
        self.reactor = reactor
    }

    /// Begins to accept. From now on `sink` is told.
    func start(_ sink: any ClientSink) throws(SystemError) {
        self.sink = sink
        registration = try reactor.register(listener, interest: .readable, handler: self)
    }

    /// Takes no more clients.
    func stopAccepting() {
        if let registration { reactor.remove(registration) }
        registration = nil
    }

    func take(_ input: ClientInput) { sink?.take(input) }

    func note(_ event: NodeEvent) { sink?.note(event) }

    // MARK: - New clients

    /// A socket and a pidfd each; accepting stops before the descriptors run out.
    private var capacity: Int {
        max(1, min(maximumCount, (descriptorLimit - Self.reservedDescriptors) / 2))
    }

    private var hasRoom: Bool { entries.count + closing.count < capacity }

    func ready(_ readiness: Readiness) {
        for _ in 0..<Self.acceptedPerTurn {
            guard hasRoom else {
                return pauseAccepting("\(entries.count) clients are connected")
            }
            do throws(SystemError) {
                guard let socket = try UnixSocket.accept(from: listener) else { return }
                try admit(socket)
            } catch {
                resumption = reactor.now().advanced(by: Self.acceptPause)
                return pauseAccepting("\(error)")
            }
        }
    }

    private func admit(_ socket: Descriptor) throws(SystemError) {
        guard let peer = try processes.peer(of: socket) else { return }
        lastNumber += 1
        let id = ConnectionID(number: lastNumber)
        let identity = peer.identity
        let connection = try ClientConnection(id, socket, clients: self, reactor: reactor)
        do throws(SystemError) {
            let watch = try ProcessWatch(id, peer.process, clients: self, reactor: reactor)
            entries[id] = Entry(connection: connection, watch: watch, identity: identity)
        } catch {
            connection.drop()
            throw error
        }
        note(
            .clientConnected(
                connection: id.number, pid: identity.pid, uid: identity.uid, unit: identity.unit))
        take(.opened(id, identity, canBeStopped: ProcessStop.isPossible(peer.process)))
    }

    private func pauseAccepting(_ reason: String) {
        note(.acceptPaused(reason: reason))
        setAccepting(false)
    }

    private func setAccepting(_ isAccepting: Bool) {
        guard let registration, isAccepting != self.isAccepting else { return }
        do throws(SystemError) {
            try reactor.modify(registration, interest: isAccepting ? .readable : [])
            self.isAccepting = isAccepting
        } catch {
            note(.acceptPaused(reason: "\(error)"))
        }
    }

    // MARK: - What the service asks for

    func perform(_ effect: ServiceEffect, now: Instant) {
        switch effect {
        case .send(let id, let bytes, let attachPage):
            guard let connection = entries[id]?.connection, connection.isOpen else { return }
            connection.append(bytes, passing: attachPage ? page.descriptor : nil)
            if touched.last !== connection { touched.append(connection) }
        case .close(let id):
            guard let connection = entries[id]?.connection else { return }
            touched.append(connection)
            closing.append(connection)
            connection.close(now: now)
        case .forget(let id): forget(id)
        case .pauseReading(let id): entries[id]?.connection.setReading(false)
        case .resumeReading(let id): entries[id]?.connection.setReading(true)
        case .stop(let id, let session, let action): stop(id, session, action)
        case .show(let slot, let session, let deadline):
            page.show(slot: slot, owner: session.number, deadline: deadline)
        }
    }

    private func stop(_ id: ConnectionID, _ session: SessionID, _ action: LossAction) {
        guard let entry = entries[id], let stop = ProcessStop(action) else { return }
        let pid = entry.identity.pid
        switch stop.perform(on: entry.watch.process, entry.identity) {
        case .done: note(.processStopped(pid: pid, session: session, stop: stop))
        case .isDead: break
        case .failed(let reason):
            note(.processNotStopped(pid: pid, session: session, stop: stop, reason: reason))
        }
    }

    private func forget(_ id: ConnectionID) {
        guard let entry = entries.removeValue(forKey: id) else { return }
        entry.watch.stop()
        // What it was to be told last still goes out.
        if entry.connection.closingDeadline == nil { entry.connection.drop() }
        note(.clientClosed(connection: id.number))
    }

    /// Sends what the turn collected, ends what took too long to close, and goes on accepting when
    /// there is room again.
    func flush(now: Instant) {
        let limit =
            unreadByteCount > Self.unreadLimitTogether ? Self.unreadLimitInNeed : Self.unreadLimit
        for connection in touched { connection.flush(limit: limit) }
        touched.removeAll(keepingCapacity: true)
        endClosing(now: now)
        if let resumption, resumption <= now { self.resumption = nil }
        if !isAccepting, resumption == nil, hasRoom { setAccepting(true) }
    }

    /// When `flush` wants to be called at the latest.
    var nextDeadline: Instant {
        closing.compactMap(\.closingDeadline).reduce(resumption ?? .distantFuture, min)
    }

    private func endClosing(now: Instant) {
        for connection in closing where connection.closingDeadline ?? now <= now {
            connection.drop()
        }
        closing.removeAll { !$0.isOpen }
    }

    /// Something still waits to be sent, or to be closed.
    var isBusy: Bool {
        unreadByteCount > 0 || !closing.isEmpty
    }
}
