import ConclaveBase
import ConclaveCoordination
import ConclaveReplication
import ConclaveService

/// One replica with its disk, and what it has sent.
final class MeshNode {
    let node: NodeID
    let disk: FuzzDisk
    private let settings: ReplicaSettings
    private(set) var fabric = MeshFabric()
    private(set) var replica: Replica<Coordinator>
    private(set) var fault: FatalFault?
    private(set) var outputCount = 0

    init(
        _ node: NodeID, of configured: [NodeID], incarnation: UInt64 = 1,
        disk: FuzzDisk = FuzzDisk(), now: Instant
    ) throws(FatalFault) {
        self.node = node
        self.disk = disk
        settings = ReplicaSettings(
            own: Member(node: node, incarnation: Incarnation(incarnation)),
            configured: configured, minimumMembers: 1, slotCount: 8, slotByteCount: 1_024,
            segmentByteCount: 16 * 1_024, snapshotEveryByteCount: 6 * 1_024,
            recentByteCount: 8 * 1_024)
        replica = try Replica(
            settings: settings, blank: Coordinator(), disk: disk, fabric: fabric,
            random: SeededRandom(seed: UInt64(node.number)), now: now)
    }

    var member: Member { settings.own }

    /// One turn of the loop, and what the disk has to say to it.
    func turn(_ inputs: [FabricInput] = [], now: Instant) {
        for input in inputs { replica.step(input, now: now) }
        if replica.nextTick <= now { replica.tick(now: now) }
        for _ in 0..<4 {
            replica.endTurn(now: now, wallClock: Timestamp(microseconds: now.nanoseconds / 1_000))
            let completed = disk.complete()
            for input in completed { replica.step(input, now: now) }
            note()
            if completed.isEmpty { break }
        }
    }

    private func note() {
        for output in replica.takeOutputs() {
            outputCount += 1
            if case .fatal(let fault) = output { self.fault = fault }
        }
    }
}

/// A fabric that keeps what is sent until the fuzzer carries it on.
final class MeshFabric: Fabric {
    var sent: [(to: NodeID, input: MeshFrame)] = []
    var broken: [NodeID] = []

    func send(_ frame: [UInt8], to node: NodeID) {
        sent.append((node, .control(frame)))
    }

    func write(row bytes: UnsafeRawBufferPointer, at offset: Int, epoch: Epoch, to node: NodeID) {
        sent.append((node, .row(epoch, offset: offset, bytes: Array(bytes))))
    }

    func disconnect(_ node: NodeID) {
        broken.append(node)
    }

    func flush() {}

    func adopt(lineage: Lineage, givenUp: [Lineage]) {}

    func adopt(members: [MemberList.Entry]) {}
}

enum MeshFrame {
    case control([UInt8])
    case row(Epoch, offset: Int, bytes: [UInt8])

    func arriving(from node: NodeID) -> FabricInput {
        switch self {
        case .control(let bytes): .control(from: node, bytes: bytes)
        case .row(let epoch, let offset, let bytes):
            .row(from: node, epoch: epoch, offset: offset, bytes: bytes)
        }
    }
}

/// Three replicas, and the fuzzer for a network. By itself it is a good one.
final class Mesh {
    static let step = Interval.milliseconds(50)

    private(set) var nodes: [MeshNode] = []
    private(set) var now = Instant(nanoseconds: 1_000_000_000)
    /// By receiver: what is on its way there.
    private var incoming: [[FabricInput]] = []
    private var incarnations: UInt64 = 1

    init(count: Int) {
        let configured = (1...count).map { NodeID(UInt32($0)) }
        incoming = Array(repeating: [], count: count)
        for node in configured {
            do {
                nodes.append(try MeshNode(node, of: configured, now: now))
            } catch {
                broken("a blank disk is refused: \(error)")
            }
        }
        for from in nodes.indices { connect(from) }
    }

    /// Lets time pass. `change` may do to each frame on its way what it likes.
    func live(
        _ steps: Int,
        change: (_ from: Int, _ to: Int, inout MeshFrame) -> Bool = { _, _, _ in true }
    ) {
        for _ in 0..<steps {
            now = now.advanced(by: Self.step)
            for index in nodes.indices {
                let inputs = incoming[index]
                incoming[index] = []
                nodes[index].turn(inputs, now: now)
                carry(from: index, change: change)
            }
        }
    }

    /// Puts a frame on its way, as if `from` had sent it.
    func inject(_ frame: MeshFrame, from: Int, to: Int) {
        incoming[to].append(frame.arriving(from: nodes[from].node))
    }

    /// Breaks the path between two nodes, and makes it again.
    func reconnect(_ first: Int, _ second: Int, byPeer: Bool) {
        guard first != second else { return }
        for (here, there) in [(first, second), (second, first)] {
            incoming[here].append(.disconnected(nodes[there].node, byPeer: byPeer))
            incoming[here].append(.connected(nodes[there].member))
        }
    }

    /// Kills a node and starts it again, with its files or without.
    func restart(_ index: Int, erasing: Bool) throws(FatalFault) {
        let old = nodes[index]
        old.disk.crash()
        if erasing { old.disk.files = [:] }
        incarnations += 1
        incoming[index] = []
        nodes[index] = try MeshNode(
            old.node, of: nodes.map(\.node), incarnation: incarnations, disk: old.disk, now: now)
        for other in nodes.indices where other != index {
            incoming[other].append(.disconnected(old.node, byPeer: true))
        }
        connect(index)
    }

    func propose(_ command: [UInt8], at index: Int) {
        let replica = nodes[index].replica
        guard command.count <= replica.maximumCommandByteCount else { return }
        _ = replica.propose(command)
    }

    private func connect(_ index: Int) {
        for other in nodes.indices where other != index {
            incoming[index].append(.connected(nodes[other].member))
            incoming[other].append(.connected(nodes[index].member))
        }
    }

    private func carry(from: Int, change: (Int, Int, inout MeshFrame) -> Bool) {
        let fabric = nodes[from].fabric
        let sent = fabric.sent
        fabric.sent = []
        for (node, frame) in sent {
            let to = Int(node.number) - 1
            guard nodes.indices.contains(to) else { continue }
            var frame = frame
            guard change(from, to, &frame) else { continue }
            inject(frame, from: from, to: to)
        }
        let broken = fabric.broken
        fabric.broken = []
        for index in nodes.indices where broken.contains(nodes[index].node) {
            lose(from, index)
            reconnect(from, index, byPeer: false)
        }
    }

    /// What was on its way goes with the connection.
    private func lose(_ first: Int, _ second: Int) {
        incoming[first].removeAll { $0.sender == nodes[second].node }
        incoming[second].removeAll { $0.sender == nodes[first].node }
    }
}

extension FabricInput {
    /// Nil if it is about a path.
    fileprivate var sender: NodeID? {
        switch self {
        case .control(let node, _), .row(let node, _, _, _): node
        case .connected, .disconnected, .givenUp: nil
        }
    }
}
