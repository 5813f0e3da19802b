import ConclaveBase
import ConclaveCoordination
import ConclaveReplication
import ConclaveService
import ConclaveWire
import Testing

/// The host of a group of one: everything but the network and the shell.
@Suite struct `A host` {
    private let bench = HostBench()

    @Test func `a group of one serves, and a request is answered within its turn`() throws {
        let host = try bench.start()
        let (id, session) = try bench.openSession(host)
        #expect(session.session.number > 0)
        #expect(bench.deadlines[session.slot] ?? .distantPast > bench.now)
        bench.request(try lock("a"), number: 1, id, host)
        bench.settle(host)
        #expect(try bench.received(id).replies.map(\.number) == [1])
        #expect(host.replica.machine.sessionCount == 1)
    }

    @Test func `after a restart the session is resumed, and what it held is held`() throws {
        var host = try bench.start()
        let (id, session) = try bench.openSession(host)
        bench.request(try lock("a"), number: 1, id, host)
        bench.settle(host)
        let before = try #require(try bench.received(id).replies.first)
        host = try bench.start()
        let again = bench.connect(host)
        bench.send(.resume, again, host) {
            ResumeRequest(session: session.session, secret: session.secret, confirmed: 0)
                .encode(into: &$0)
        }
        bench.settle(host)
        let frames = try bench.received(again)
        #expect(try frames.opened().session == session.session)
        #expect(frames.replies.map(\.reply) == [before.reply])
    }

    @Test func `status is answered before there is a view`() throws {
        bench.isDiskStuck = true
        let host = try bench.start()
        let id = bench.connect(host)
        bench.send(.status, id, host)
        let frame = try #require(try bench.received(id).last)
        var reader = ByteReader(frame.body)
        let status = try StatusReport(from: &reader)
        #expect(!status.serving.isServing)
        #expect(!status.serving.reason.isEmpty)
        #expect(status.members.map(\.node) == [NodeID(1)])
        bench.isDiskStuck = false
        bench.settle(host)
        bench.send(.status, id, host)
        reader = ByteReader(try #require(try bench.received(id).last).body)
        #expect(try StatusReport(from: &reader).serving.isServing)
    }

    @Test func `an orderly stop tells the clients, and the sessions go on`() throws {
        let host = try bench.start()
        let (id, _) = try bench.openSession(host)
        host.stop(now: bench.now)
        bench.turn(host)
        #expect(bench.hasLeft)
        let frames = try bench.received(id)
        #expect(frames.map(\.header.type) == [ClientFrameType.serving.rawValue])
        #expect(host.replica.machine.sessionCount == 1)
    }

    @Test func `a validity is withdrawn in the page before the group is told so (K7)`() throws {
        let host = try bench.start()
        let (_, session) = try bench.openSession(host)
        let other = bench.connect(host, pid: 2)
        bench.doesSettle = false
        bench.send(.resume, other, host) {
            ResumeRequest(session: session.session, secret: session.secret, confirmed: 0)
                .encode(into: &$0)
        }
        while bench.deadlines[session.slot] != .distantPast {
            #expect(host.replica.machine.sessionState(session.session)?.process.pid == 1)
            bench.turn(host)
        }
        #expect(host.replica.machine.sessionState(session.session)?.process.pid == 1)
        #expect(host.nextTick <= bench.now)
        bench.doesSettle = true
        bench.settle(host)
        #expect(host.replica.machine.sessionState(session.session)?.process.pid == 2)
    }

    @Test func `an administrator changes the member list, and is told the view`() throws {
        let host = try bench.start(minimumMembers: 1)
        let id = bench.connect(host)
        _ = try bench.received(id)
        bench.send(.addMember, id, host) {
            $0.integer(UInt32(2))
            $0.text("10.0.0.2:7400")
        }
        bench.settle(host)
        let answer = try bench.received(id).last {
            $0.header.type == ClientFrameType.addMember.rawValue
        }
        var reader = ByteReader(try #require(answer).body)
        #expect(try reader.epoch("epoch") == Epoch(2))
        #expect(host.replica.list.nodes == [NodeID(1), NodeID(2)])
        bench.send(.members, id, host)
        reader = ByteReader(try #require(try bench.received(id).last).body)
        let count = try reader.count("members", maximum: 9)
        let members = try (0..<count).map { _ in try MemberReport(from: &reader) }
        #expect(members.map(\.address) == ["", "10.0.0.2:7400"])
        // It is there after a restart, whatever the configuration says.
        let again = try bench.start(minimumMembers: 1)
        #expect(again.replica.list.nodes == [NodeID(1), NodeID(2)])
        let second = bench.connect(again)
        _ = try bench.received(second)
        for node in [9, 2, 1] as [UInt32] {
            bench.send(.removeMember, second, again) { $0.integer(node) }
            bench.settle(again)
        }
        let frames = try bench.received(second)
        #expect(frames.refusals.map(\.code) == [.refused, .refused])
        #expect(frames.refusals[0].message == "there is no member 9 in the list")
        #expect(again.replica.list.nodes == [NodeID(1)])
        #expect(again.replica.isServing)
    }

    @Test func `a change that would leave too few is refused in words`() throws {
        let host = try bench.start()
        let id = bench.connect(host)
        _ = try bench.received(id)
        bench.send(.addMember, id, host) {
            $0.integer(UInt32(2))
            $0.text("10.0.0.2:7400")
        }
        bench.settle(host)
        let refusals = try bench.received(id).refusals
        #expect(
            refusals.map(\.message) == [
                "1 of the 2 members would be present, and 2 are needed: let others come back first"
            ])
        #expect(host.replica.view.epoch == Epoch(1))
    }

    @Test func `a host without work asks for its next heartbeat and nothing earlier`() throws {
        let host = try bench.start()
        _ = try bench.openSession(host)
        bench.settle(host)
        #expect(host.nextTick > bench.now)
        #expect(host.nextTick <= bench.now.advanced(by: .milliseconds(100)))
    }
}

/// A disk in memory, a network without anybody, and a shell that keeps what it was told.
private final class HostBench {
    private let disk = MemoryDisk()
    private(set) var now = Instant(nanoseconds: 1_000_000_000_000)
    private var starts: UInt64 = 0
    private var lastConnection: UInt64 = 0
    private var lastSecret: UInt64 = 0
    private var output: [ConnectionID: FrameBuffer] = [:]
    private(set) var deadlines: [UInt32: Instant] = [:]
    private(set) var hasLeft = false
    var isDiskStuck = false
    /// A turn is followed by others as long as the disk completes something.
    var doesSettle = true

    func start(minimumMembers: Int? = nil) throws -> Host {
        starts += 1
        disk.completed.removeAll()
        let own = Member(node: NodeID(1), incarnation: Incarnation(starts))
        var replica = ReplicaSettings(own: own, configured: [NodeID(1)])
        replica.segmentByteCount = 1 << 20
        replica.minimumMembers = minimumMembers
        let host = try Host(
            settings: HostSettings(replica: replica), disk: disk, fabric: NoFabric(),
            random: SeededRandom(seed: starts),
            drawSecret: { [self] in
                lastSecret += 1
                return Secret(high: 5, low: lastSecret)
            }, now: now)
        if !isDiskStuck { settle(host) }
        return host
    }

    /// Lets a second pass, with every tick and completion in it.
    func settle(_ host: Host) {
        let end = now.advanced(by: .seconds(1))
        turn(host)
        while now < end {
            now = min(end, max(now.advanced(by: .milliseconds(1)), host.nextTick))
            host.step(.tick, now: now)
            turn(host)
        }
    }

    func turn(_ host: Host) {
        var effects: [HostEffect] = []
        repeat {
            if !isDiskStuck {
                let completed = disk.completed
                disk.completed.removeAll()
                for input in completed { host.step(.disk(input), now: now) }
            }
            host.endTurn(
                now: now, wallClock: Timestamp(microseconds: now.nanoseconds / 1_000),
                effects: &effects)
            host.work(now: now)
        } while doesSettle && !isDiskStuck && !disk.completed.isEmpty
        for effect in effects { perform(effect) }
    }

    private func perform(_ effect: HostEffect) {
        switch effect {
        case .client(.send(let id, let bytes, _)): output[id, default: FrameBuffer()].append(bytes)
        case .client(.show(let slot, _, let deadline)): deadlines[slot] = deadline
        case .fatal(let fault): Issue.record("\(fault)")
        case .left, .removed: hasLeft = true
        case .client, .event, .serving, .disturb: break
        }
    }

    func connect(_ host: Host, pid: UInt32 = 1) -> ConnectionID {
        lastConnection += 1
        let id = ConnectionID(number: lastConnection)
        let process = ProcessIdentity(
            host: NodeID(1), pid: pid, startTime: 1, bootID: 1, uid: 0, gid: 0, unit: "")
        host.step(.client(.opened(id, process)), now: now)
        send(.hello, id, host) {
            ClientHello(version: ClientLimits.protocolVersion, features: 0, name: "test").encode(
                into: &$0)
        }
        return id
    }

    func openSession(_ host: Host) throws -> (ConnectionID, SessionOpened) {
        let id = connect(host)
        send(.open, id, host) {
            OpenRequest(id: Secret(high: 1, low: id.number), ttl: .seconds(5), label: "test")
                .encode(into: &$0)
        }
        settle(host)
        return (id, try received(id).opened())
    }

    func request(_ operation: Operation, number: UInt64, _ id: ConnectionID, _ host: Host) {
        send(operation.type, number: number, id, host) {
            OperationFrame(confirmed: 0, operation: operation).encode(into: &$0)
        }
    }

    func send(
        _ type: ClientFrameType, number: UInt64 = 0, _ id: ConnectionID, _ host: Host,
        body: (inout ByteWriter) -> Void = { _ in }
    ) {
        var writer = ByteWriter()
        body(&writer)
        var buffer = FrameBuffer()
        buffer.append(
            FrameHeader.frame(type: type.rawValue, number: number, body: writer.bytes))
        do {
            while let frame = try buffer.next() {
                host.step(.client(.frame(id, frame)), now: now)
            }
        } catch {
            Issue.record(error)
        }
        turn(host)
    }

    func received(_ id: ConnectionID) throws -> [FrameBuffer.Frame] {
        var frames: [FrameBuffer.Frame] = []
        while let frame = try output[id]?.next() { frames.append(frame) }
        return frames
    }
}

private final class NoFabric: Fabric {
    func send(_ frame: [UInt8], to node: NodeID) {}
    func write(row bytes: UnsafeRawBufferPointer, at: Int, epoch: Epoch, to node: NodeID) {}
    func disconnect(_ node: NodeID) {}
    func flush() {}
    func adopt(lineage: Lineage, givenUp: [Lineage]) {}

    func adopt(members: [MemberList.Entry]) {}
}

/// Everything is done and synced at once; what was done is told in the next turn.
private final class MemoryDisk: Disk {
    private var files: [String: [UInt8]] = [:]
    var completed: [DiskInput] = []

    func list() -> [String] { files.keys.sorted() }

    func byteCount(of file: String) throws(DiskError) -> Int {
        guard let bytes = files[file] else { throw .notFound(file) }
        return bytes.count
    }

    func read(_ file: String, at offset: Int, count: Int) throws(DiskError) -> [UInt8] {
        guard let bytes = files[file] else { throw .notFound(file) }
        return Array(bytes.dropFirst(offset).prefix(count))
    }

    func submit(_ operation: DiskOperation, lane: DiskLane, tag: UInt64) {
        switch operation {
        case .create(let file, let byteCount):
            files[file] = [UInt8](repeating: 0, count: byteCount)
        case .write(let file, let offset, let bytes):
            var old = files[file] ?? []
            let end = offset + bytes.count
            if old.count < end { old += [UInt8](repeating: 0, count: end - old.count) }
            old.replaceSubrange(offset..<end, with: bytes)
            files[file] = old
        case .rename(let file, let new): files[new] = files.removeValue(forKey: file)
        case .remove(let file): files[file] = nil
        case .sync, .syncDirectory: break
        }
        completed.append(.completed(tag: tag))
    }
}
