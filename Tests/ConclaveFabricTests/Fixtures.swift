import ConclaveBase
import ConclaveFabric
import ConclaveReactor
import ConclaveWire
import Testing

/// What a sink was told, in order.
enum Told: Equatable {
    case connected(Member)
    case disconnected(NodeID, byPeer: Bool)
    case control(from: NodeID, [UInt8])
    case row(from: NodeID, Epoch, offset: Int, [UInt8])
    case givenUp(by: NodeID)
}

final class Recorder: FabricSink {
    var told: [Told] = []
    var events: [FabricEvent] = []
    /// Called after each input was recorded.
    var react: (Told) -> Void = { _ in }

    func receive(_ input: FabricInput) {
        let told: Told =
            switch input {
            case .connected(let member): .connected(member)
            case .disconnected(let node, let byPeer): .disconnected(node, byPeer: byPeer)
            case .control(let node, let bytes): .control(from: node, bytes)
            case .row(let node, let epoch, let offset, let bytes):
                .row(from: node, epoch, offset: offset, bytes)
            case .givenUp(let node): .givenUp(by: node)
            }
        self.told.append(told)
        react(told)
    }

    func report(_ event: FabricEvent) {
        events.append(event)
    }

    var whats: [FabricEvent.What] { events.map(\.what) }
    var controls: [[UInt8]] {
        told.compactMap { if case .control(_, let bytes) = $0 { bytes } else { nil } }
    }
    var connectedCount: Int {
        told.count { if case .connected = $0 { true } else { false } }
    }
}

let first = Member(node: NodeID(1), incarnation: Incarnation(0xA1))
let second = Member(node: NodeID(2), incarnation: Incarnation(0xB2))
let someLineage = Lineage(high: 1, low: 2)
let otherLineage = Lineage(high: 3, low: 4)

/// A fabric with its own reactor and sink.
final class Site {
    let reactor: Reactor
    let fabric: TCPFabric
    let recorder = Recorder()

    /// - Parameter peers: where the others are; a port of 0 for those that dial this one.
    init(
        _ own: Member, peers: [NodeID: SocketAddress], port: UInt16 = 0,
        lineage: Lineage = .none, digest: UInt64 = 7, foundingDigest: UInt64 = 5,
        settings: FabricSettings = FabricSettings()
    ) throws {
        reactor = try Reactor()
        fabric = try TCPFabric(
            own: own, addresses: peers, listenAddress: .loopback(port: port), lineage: lineage,
            configurationDigest: digest, foundingDigest: foundingDigest, reactor: reactor,
            settings: settings)
        try fabric.start(recorder)
    }

    deinit {
        fabric.close()
    }

    var address: SocketAddress { fabric.listenAddress }

    func look() throws {
        try reactor.turn(until: .distantPast)
    }
}

/// Turns these sites in turn until `condition` holds; false after ten seconds.
func turn(_ sites: Site..., until condition: () -> Bool) throws -> Bool {
    let end = sites[0].reactor.now().advanced(by: .seconds(10))
    while !condition() {
        let now = sites[0].reactor.now()
        guard now < end else { return false }
        for site in sites { try site.look() }
        try sites[0].reactor.turn(until: now.advanced(by: .milliseconds(1)))
    }
    return true
}

/// Node 1, which node 2 dials.
struct Pair {
    let lower: Site
    let upper: Site

    init(settings: FabricSettings = FabricSettings()) throws {
        lower = try Site(first, peers: [second.node: .loopback(port: 0)], settings: settings)
        upper = try Site(second, peers: [first.node: lower.address], settings: settings)
        let (lower, upper) = (lower, upper)
        let isConnected = try ConclaveFabricTests.turn(lower, upper) {
            lower.recorder.told == [.connected(second)]
                && upper.recorder.told == [.connected(first)]
        }
        try #require(isConnected)
    }

    func turn(until condition: () -> Bool) throws -> Bool {
        try ConclaveFabricTests.turn(lower, upper, until: condition)
    }
}

/// A socket on which a test speaks for itself.
final class Stranger {
    let socket: Descriptor
    var received: [UInt8] = []
    var isAtEnd = false

    init(_ socket: Descriptor) {
        self.socket = socket
    }

    convenience init(dialling address: SocketAddress) throws {
        self.init(try TCPSocket.connect(to: address))
    }

    func send(_ bytes: [UInt8]) throws {
        let sent = try bytes.withUnsafeBytes { try socket.send($0) }
        #expect(sent == bytes.count)
    }

    /// Takes what has arrived.
    func read() {
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 1)
        defer { room.deallocate() }
        while !isAtEnd {
            do {
                switch try socket.receive(into: room) {
                case .bytes(let count): received.append(contentsOf: room[..<count])
                case .nothing: return
                case .end: isAtEnd = true
                }
            } catch {
                isAtEnd = true
            }
        }
    }

    /// The whole frames among what was received.
    func frames() throws -> [FrameBuffer.Frame] {
        read()
        var buffer = FrameBuffer()
        buffer.append(received)
        var frames: [FrameBuffer.Frame] = []
        while let frame = try buffer.next() { frames.append(frame) }
        return frames
    }

    /// The words of the refusal that was received, if one was.
    func refusal() throws -> String? {
        guard let frame = try frames().first(where: { $0.header.type == 2 }) else { return nil }
        var reader = ByteReader(frame.body)
        return try reader.text("reason", maximum: 1_000)
    }

    /// A hello as it stands in the stream, written by hand.
    static func hello(
        _ member: Member, to node: NodeID, lineage: Lineage = .none, digest: UInt64 = 7,
        versions: (UInt16, UInt16) = (10, 10)
    ) -> [UInt8] {
        var body = ByteWriter()
        body.raw("conclave".utf8)
        body.integer(versions.0)
        body.integer(versions.1)
        body.integer(lineage.high)
        body.integer(lineage.low)
        body.integer(member.node.number)
        body.integer(node.number)
        body.integer(member.incarnation.number)
        body.integer(digest)
        body.integer(UInt64(0))
        body.integer(UInt64(5))
        return FrameHeader.frame(type: 1, body: body.bytes)
    }
}

extension TCPFabric {
    func write(_ bytes: [UInt8], at offset: Int, epoch: UInt64, to node: NodeID) {
        bytes.withUnsafeBytes { write(row: $0, at: offset, epoch: Epoch(epoch), to: node) }
    }
}
