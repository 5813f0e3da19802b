import CConclaveLinux
package import ConclaveBase
package import ConclaveWire
import Glibc
import Synchronization
import class Foundation.Thread

/// The daemon's end of a client socket, for one client at a time: it speaks the protocol, keeps a
/// validity page, and decides by `script` what becomes of requests.
package final class ScriptedDaemon: Sendable {
    package struct Request: Sendable {
        package var type: ClientFrameType
        package var number: UInt64
        package var body: [UInt8]

        package var operation: Operation? { frame?.operation }

        package var onLoss: LossAction? { frame?.onLoss }

        private var frame: OperationFrame? {
            var reader = ByteReader(body)
            return try? OperationFrame(type, from: &reader)
        }
    }

    package enum Action: Sendable {
        case reply(Reply)
        /// The body of a reply to a query.
        case report([UInt8])
        case event([UInt8])
        /// A reply to an earlier request.
        case late(UInt64, ClientFrameType, Reply)
    }

    package typealias Script = @Sendable (Request) -> [Action]

    private struct State {
        var connection: Int32 = -1
        var page: (start: UInt, descriptor: Int32) = (0, -1)
        var deadline = Instant.distantPast
        var requests: [Request] = []
        var connectionCount = 0
        var isSilent = false
        var refusal: Refusal?
        var isStopped = false
        var awaited: [(type: ClientFrameType, count: Int, CheckedContinuation<Void, Never>)] = []
    }

    package static let session = SessionID(7)
    package static let slot: UInt32 = 3
    package static let ttl = Interval.seconds(2)

    package let path: String
    private let listener: Int32
    private let script: Script
    private let state = Mutex(State())

    /// By default everything asked for is granted, with the request's number as token.
    package init(_ script: @escaping Script = ScriptedDaemon.grant) {
        path = "/tmp/conclave-test-\(getpid())-\(UInt32.random(in: 0 ... .max)).sock"
        self.script = script
        listener = conclave_linux_unix_socket()
        precondition(conclave_linux_unix_bind(listener, path) == 0)
        precondition(conclave_linux_listen(listener, 8) == 0)
        makePage()
        extend(by: .seconds(60))
        Thread.detachNewThread { self.run() }
    }

    package static func grant(_ request: Request) -> [Action] {
        let token = FencingToken(request.number)
        switch request.operation {
        case .acquire(let name, let mode, _, _, _, _):
            return [
                .reply(
                    .granted(LockGrant(name: name, mode: mode, token: token, previousEnd: .none)))
            ]
        case .acquireAll(let set):
            let grants = set.parts.map {
                LockGrant(name: $0.name, mode: $0.mode, token: token, previousEnd: .none)
            }
            return [.reply(.grantedAll(grants))]
        case .campaign(let slot, _, _, _, _):
            return [
                .reply(
                    .elected(Term(slot: slot, token: token, previousEnd: .died, previousValue: [1]))
                )
            ]
        case .cancel: return [.reply(.cancelOutcome(wasCancelled: false))]
        case .upgrade(let name, _):
            let grant = LockGrant(name: name, mode: .exclusive, token: token, previousEnd: .none)
            return [.reply(.granted(grant))]
        case .release, .releaseAll, .downgrade, .resign, .handOver, .announce, .limit, .revoke:
            return [.reply(.done)]
        case .transact(let transaction):
            let version = Version(request.number)
            let written = KeysWritten(
                version: version, changedCount: UInt32(transaction.operations.count))
            return [.reply(.written(written))]
        case .lease(let lease):
            guard case .grant(let ttl, let holder) = lease.action else { return [.reply(.done)] }
            let grant = LeaseGrant(name: lease.name, holder: holder, token: token, ttl: ttl)
            return [.reply(.leased(grant))]
        case .joinGroup(let join):
            let joined = GroupJoined(
                name: join.name, token: token, number: request.number, rank: 0)
            return [.reply(.joined(joined))]
        case .leaveGroup, .evictMember, .provideState, .adoptState: return [.reply(.done)]
        case .latch(let latch):
            let count: UInt32 = 4_000_000_000
            guard latch.action != .remove else { return [.reply(.done)] }
            let state = LatchState(name: latch.name, count: count, remaining: 0)
            return [.reply(.counted(state))]
        case .sendToGroup:
            let sent = GroupSent(
                version: Version(request.number), number: request.number, memberCount: 1)
            return [.reply(.sent(sent))]
        case .arrive, nil: return []
        }
    }

    // MARK: What a test does with it

    /// The deadline shown is so far away from now on; at most once more if the daemon is to hang.
    package func extend(by interval: Interval) {
        show(Instant(nanoseconds: conclave_linux_boot_time()).advanced(by: interval))
    }

    package func show(_ deadline: Instant) {
        state.withLock { state in
            state.deadline = deadline
            Self.write(deadline, session: Self.session, to: state.page.start)
        }
    }

    /// Another page takes the place of the present one, as after a restart; the old one stays as it
    /// is.
    package func makePage(knowsSession: Bool = true) {
        let descriptor = conclave_linux_memfd_create("validity")
        precondition(ftruncate(descriptor, 4_096) == 0)
        let start = UInt(bitPattern: conclave_linux_map(descriptor, 4_096, 1))
        precondition(conclave_linux_memfd_seal(descriptor) == 0)
        state.withLock { state in
            state.page = (start, descriptor)
            if knowsSession { Self.write(state.deadline, session: Self.session, to: start) }
        }
    }

    /// From now on nothing is read any more; the connection stays.
    package func hang() {
        state.withLock { $0.isSilent = true }
    }

    /// No session is resumed any more.
    package func refuseResumes(with refusal: Refusal) {
        state.withLock { $0.refusal = refusal }
    }

    package func dropConnection() {
        state.withLock { _ = shutdown($0.connection, Int32(SHUT_RDWR)) }
    }

    package func stop() {
        state.withLock { state in
            state.isStopped = true
            shutdown(state.connection, Int32(SHUT_RDWR))
        }
        unlink(path)
    }

    package func send(
        _ type: ClientFrameType, _ flags: FrameHeader.Flags, number: UInt64, _ body: [UInt8]
    ) {
        state.withLock { state in
            Self.send(type, flags, number: number, body, to: state.connection)
        }
    }

    package func requests(_ type: ClientFrameType) -> [Request] {
        state.withLock { $0.requests.filter { $0.type == type } }
    }

    package var connectionCount: Int { state.withLock { $0.connectionCount } }

    /// Waits until so many requests of that type have come.
    package func receives(_ type: ClientFrameType, count: Int = 1) async {
        await withCheckedContinuation { continuation in
            state.withLock { state in
                state.awaited.append((type, count, continuation))
                Self.tellAwaited(&state)
            }
        }
    }

    private static func tellAwaited(_ state: inout State) {
        let requests = state.requests
        state.awaited.removeAll { awaited in
            guard requests.count(where: { $0.type == awaited.type }) >= awaited.count else {
                return false
            }
            awaited.2.resume()
            return true
        }
    }

    // MARK: Its thread

    private func run() {
        while !state.withLock({ $0.isStopped }) {
            wait(listener)
            let connection = conclave_linux_unix_accept(listener)
            guard connection >= 0 else { continue }
            state.withLock { state in
                state.connection = connection
                state.connectionCount += 1
            }
            serve(connection)
            state.withLock { state in
                state.connection = -1
                close(connection)
            }
        }
        close(listener)
    }

    private func wait(_ descriptor: Int32) {
        var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        poll(&polled, 1, 20)
    }

    private func serve(_ connection: Int32) {
        var buffer = FrameBuffer()
        var bytes = [UInt8](repeating: 0, count: 65_536)
        while true {
            wait(connection)
            if state.withLock({ $0.isStopped }) { return }
            if state.withLock({ $0.isSilent }) { continue }
            let count = conclave_linux_receive(connection, &bytes, bytes.count)
            if count == 0 || (count < 0 && count != -Int(EAGAIN)) { return }
            guard count > 0 else { continue }
            buffer.append(Array(bytes[..<count]))
            while let frame = try? buffer.next() { handle(frame, connection) }
        }
    }

    private func handle(_ frame: FrameBuffer.Frame, _ connection: Int32) {
        let type = ClientFrameType(rawValue: frame.header.type)!
        let request = Request(type: type, number: frame.header.number, body: frame.body)
        state.withLock { state in
            switch type {
            case .hello: Self.send(type, .reply, number: 0, Self.hello, to: connection)
            case .resume where state.refusal != nil:
                var writer = ByteWriter()
                state.refusal?.encode(into: &writer)
                Self.send(type, [.reply, .error], number: 0, writer.bytes, to: connection)
            case .open, .resume: Self.open(type, state, connection)
            case .goodbye: Self.send(type, .reply, number: request.number, [], to: connection)
            default: answer(request, connection)
            }
            state.requests.append(request)
            Self.tellAwaited(&state)
        }
    }

    private func answer(_ request: Request, _ connection: Int32) {
        for action in script(request) {
            switch action {
            case .reply(let reply):
                Self.send(
                    request.type, .reply, number: request.number, reply.encoded, to: connection)
            case .late(let number, let type, let reply):
                Self.send(type, .reply, number: number, reply.encoded, to: connection)
            case .report(let body):
                Self.send(request.type, .reply, number: request.number, body, to: connection)
            case .event(let body):
                Self.send(request.type, .event, number: request.number, body, to: connection)
            }
        }
    }

    private static var hello: [UInt8] {
        var writer = ByteWriter()
        DaemonHello(
            version: ClientLimits.protocolVersion, features: 0, node: NodeID(1), epoch: Epoch(1),
            serving: ServingState(isServing: true, reason: ""), minimumTTL: .seconds(1),
            maximumTTL: .seconds(60)
        ).encode(into: &writer)
        return writer.bytes
    }

    private static func open(_ type: ClientFrameType, _ state: State, _ connection: Int32) {
        var writer = ByteWriter()
        SessionOpened(
            session: session, secret: Secret(high: 1, low: 2), version: Version(1), slot: slot,
            ttl: ttl, waiting: []
        ).encode(into: &writer)
        let frame = FrameHeader.frame(type: type.rawValue, flags: .reply, body: writer.bytes)
        _ = conclave_linux_send_descriptor(
            connection, frame, frame.count, state.page.descriptor)
    }

    private static func send(
        _ type: ClientFrameType, _ flags: FrameHeader.Flags, number: UInt64, _ body: [UInt8],
        to connection: Int32
    ) {
        let frame = FrameHeader.frame(
            type: type.rawValue, flags: flags, number: number, body: body)
        var rest = frame[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes { bytes in
                conclave_linux_send(connection, bytes.baseAddress, bytes.count)
            }
            if sent > 0 { rest = rest.dropFirst(sent) }
            guard sent >= 0 || sent == -Int(EAGAIN) else { return }
            var room = pollfd(fd: connection, events: Int16(POLLOUT), revents: 0)
            if !rest.isEmpty { _ = poll(&room, 1, 1_000) }
        }
    }

    private static func write(_ deadline: Instant, session: SessionID, to start: UInt) {
        let cells = UnsafeMutablePointer<UInt64>(bitPattern: start + UInt(slot) * 64)!
        let sequence = cells[0]
        conclave_linux_store_relaxed(cells, sequence + 1)
        conclave_linux_fence_release()
        conclave_linux_store_relaxed(cells + 1, session.number)
        conclave_linux_store_relaxed(cells + 2, deadline.nanoseconds)
        conclave_linux_store_release(cells, sequence + 2)
    }
}

extension Reply {
    package var encoded: [UInt8] {
        var writer = ByteWriter()
        encode(into: &writer)
        return writer.bytes
    }
}
