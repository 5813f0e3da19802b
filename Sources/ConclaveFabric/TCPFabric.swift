package import ConclaveBase
package import ConclaveReactor
import ConclaveWire

/// The network between members over TCP: one connection a pair, which the higher NodeID dials, for
/// control frames and row writes alike.
///
/// All of it runs on the thread of the reactor that it was given. A path that breaks is made again
/// by itself.
package final class TCPFabric: Fabric {
    /// What is known of one other machine that may be a member.
    struct Peer {
        var node: NodeID
        var address: SocketAddress
        /// The path, once both hellos were accepted.
        var path: Connection?
        /// A dial that has not led to a path yet.
        var dial: Connection?
        /// When to dial next; never for a peer that dials this one.
        var nextDial = Instant.distantFuture
        var pause: Interval
        /// The least pause after another process was found to have this node's number; doubled each
        /// time, and over with a path.
        var namesakePause = Interval.zero
        var namesakes = Namesakes()
        /// Nothing goes either way until then.
        var cutUntil: Instant?
    }

    let own: Member
    let digest: UInt64
    let foundingDigest: UInt64
    let reactor: Reactor
    let settings: FabricSettings
    /// In the order of their NodeIDs.
    var peers: [Peer]
    /// As they were resolved when the daemon started.
    let configured: [NodeID: SocketAddress]
    /// Accepted connections without a hello, and all that wait for the other end to have read the
    /// last words; the oldest first.
    var strangers: [Connection] = []
    private(set) var lineage: Lineage
    /// Histories that were given up for it.
    private(set) var givenUp: [Lineage] = []
    let listener: Listener
    private(set) var isStarted = false
    private var sink: (any FabricSink)?
    private var limiter: EventLimiter
    /// What calls of the protocol broke, to be told in the next turn.
    private var untold: [FabricInput] = []
    /// Not later than the first thing to do.
    private var due = Instant.distantFuture

    /// Listens at once, so that connections wait until the start.
    ///
    /// - Parameters:
    ///   - addresses: of all configured members; the own one is not looked at.
    ///   - lineage: `.none` before the first view.
    ///   - configurationDigest: of what all members must have been told alike, and
    ///     `foundingDigest` of what those must who found a group.
    package init(
        own: Member, addresses: [NodeID: SocketAddress], listenAddress: SocketAddress,
        lineage: Lineage, configurationDigest: UInt64, foundingDigest: UInt64, reactor: Reactor,
        settings: FabricSettings = FabricSettings()
    ) throws(SystemError) {
        self.own = own
        self.lineage = lineage
        self.reactor = reactor
        self.settings = settings
        digest = configurationDigest
        self.foundingDigest = foundingDigest
        configured = addresses
        limiter = EventLimiter(interval: settings.eventInterval)
        peers = addresses.filter { $0.key != own.node }
            .map { Peer(node: $0.key, address: $0.value, pause: settings.firstDialPause) }
            .sorted { $0.node < $1.node }
        listener = try Listener(listenAddress)
    }

    /// Where this fabric listens; with the port that was found, if 0 was asked for.
    package var listenAddress: SocketAddress { listener.address }

    /// Begins to accept and to dial. From now on `sink` is told.
    package func start(_ sink: any FabricSink) throws(SystemError) {
        precondition(!isStarted, "the fabric was started before")
        isStarted = true
        self.sink = sink
        try listener.start(self)
        reactor.add(self)
        for index in peers.indices where peers[index].node < own.node {
            peers[index].nextDial = .distantPast
        }
        schedule(.distantPast)
    }

    /// Closes everything, without a word to anybody.
    package func close() {
        listener.close(on: reactor)
        guard isStarted else { return }
        reactor.remove(self)
        for index in peers.indices {
            peers[index].path?.close()
            peers[index].dial?.close()
            peers[index].path = nil
            peers[index].dial = nil
        }
        for stranger in strangers { stranger.close() }
        strangers = []
        untold = []
        sink = nil
    }

    // MARK: - Fabric

    package func send(_ frame: [UInt8], to node: NodeID) {
        guard let index = index(of: node), let path = peers[index].path else { return }
        guard frame.count <= MemberFrame.maximumBodyByteCount else {
            report(path, .controlTooLong(byteCount: frame.count))
            return
        }
        path.append(FrameHeader(bodyByteCount: frame.count, type: MemberFrame.control))
        path.append(frame)
        checkOutput(of: path)
    }

    package func write(
        row bytes: UnsafeRawBufferPointer, at offset: Int, epoch: Epoch, to node: NodeID
    ) {
        guard let index = index(of: node), let path = peers[index].path else { return }
        guard offset >= 0, offset + bytes.count <= Int(UInt32.max) else {
            giveUp(path, .rowTooLong(byteCount: bytes.count), tell: .nextTurn)
            return
        }
        var done = 0
        repeat {
            let count = min(bytes.count - done, MemberFrame.maximumRowPartByteCount)
            let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[done..<(done + count)])
            let header = FrameHeader(
                bodyByteCount: MemberFrame.rowHeaderByteCount + count, type: MemberFrame.row,
                flags: done + count == bytes.count ? .last : [], number: epoch.number)
            path.append(header)
            path.append(integer: UInt32(offset + done))
            unsafe path.append(part)
            done += count
        } while done < bytes.count
        checkOutput(of: path)
    }

    package func disconnect(_ node: NodeID) {
        guard let index = index(of: node), let path = peers[index].path else { return }
        endPath(path, byPeer: false, saying: "the path was given up", tell: .nextTurn)
    }

    package func flush() {
        for peer in peers { peer.path?.flush() }
    }

    package func adopt(lineage: Lineage, givenUp: [Lineage]) {
        self.givenUp = givenUp
        guard lineage != self.lineage else { return }
        self.lineage = lineage
        for peer in peers {
            guard let path = peer.path else { continue }
            if lineage != .none, path.lineage != .none, path.lineage != lineage {
                let refusal = FabricRefusal.lineage(theirs: path.lineage, own: lineage)
                refuse(path, refusal, claimed: peer.node, tell: .nextTurn)
            } else {
                sayHello(on: path, to: peer.node)
            }
        }
    }

    /// A peer that does not read costs no more than the limit.
    private func checkOutput(of path: Connection) {
        guard path.unsentByteCount > settings.maximumOutputByteCount else { return }
        path.flush()
        let byteCount = path.unsentByteCount
        guard byteCount > settings.maximumOutputByteCount else { return }
        giveUp(path, .outputFull(byteCount: byteCount), tell: .nextTurn)
    }

    // MARK: - Telling

    /// When the sink is called: never from within a call of the protocol.
    enum Moment {
        case now, nextTurn
    }

    func tell(_ input: FabricInput, _ moment: Moment) {
        untold.append(input)
        if moment == .now { tellAll() } else { schedule(.distantPast) }
    }

    private func tellAll() {
        while !untold.isEmpty {
            let inputs = untold
            untold = []
            for input in inputs { sink?.receive(input) }
        }
    }

    func report(_ connection: Connection, _ what: FabricEvent.What) {
        report(node: connection.node, address: connection.address, what)
    }

    func report(node: NodeID?, address: SocketAddress, _ what: FabricEvent.What) {
        let event = FabricEvent(node: node, address: address, what: what)
        guard let told = limiter.admit(event, now: reactor.now()) else { return }
        sink?.report(told)
    }

    /// The fabric is called at `instant`, or earlier.
    func schedule(_ instant: Instant) {
        due = min(due, instant)
    }

    func index(of node: NodeID) -> Int? {
        peers.firstIndex { $0.node == node }
    }
}

extension TCPFabric: ReactorAlarm {
    package var deadline: Instant { due }

    package func expired(now: Instant) {
        due = .distantFuture
        tellAll()
        listener.resume(on: reactor, now: now)
        endCuts(now: now)
        endOverdue(now: now)
        dialDue(now: now)
        schedule(listener.resumption)
        for stranger in strangers { schedule(stranger.deadline) }
        for peer in peers {
            schedule(peer.nextDial)
            if let dial = peer.dial { schedule(dial.deadline) }
        }
    }
}
