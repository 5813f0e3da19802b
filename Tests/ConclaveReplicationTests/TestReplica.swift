import ConclaveBase
import Testing

@testable import ConclaveReplication

/// A fabric that keeps what is sent until the test carries it to the other end.
final class HeldFabric: Fabric {
    enum Sent {
        case control(to: NodeID, bytes: [UInt8])
        case row(to: NodeID, epoch: Epoch, offset: Int, bytes: [UInt8])

        var to: NodeID {
            switch self {
            case .control(let to, _): to
            case .row(let to, _, _, _): to
            }
        }

        /// What arrives at the other end.
        func input(from node: NodeID) -> FabricInput {
            switch self {
            case .control(_, let bytes): .control(from: node, bytes: bytes)
            case .row(_, let epoch, let offset, let bytes):
                .row(from: node, epoch: epoch, offset: offset, bytes: bytes)
            }
        }
    }

    var sent: [Sent] = []
    private(set) var disconnected: [NodeID] = []

    func send(_ frame: [UInt8], to node: NodeID) {
        sent.append(.control(to: node, bytes: frame))
    }

    func write(row bytes: UnsafeRawBufferPointer, at offset: Int, epoch: Epoch, to node: NodeID) {
        sent.append(.row(to: node, epoch: epoch, offset: offset, bytes: Array(bytes)))
    }

    func disconnect(_ node: NodeID) {
        disconnected.append(node)
    }

    func flush() {}

    func adopt(lineage: Lineage, givenUp: [Lineage]) {}

    private(set) var reachable: [NodeID] = []

    func adopt(members: [MemberList.Entry]) {
        reachable = members.map(\.node)
    }
}

/// One daemon: its disk outlives its process.
final class TestReplica {
    let node: NodeID
    private(set) var configured: [NodeID]
    let disk = MemoryDisk()
    private(set) var fabric = HeldFabric()
    private(set) var replica: Replica<ListMachine>
    private(set) var outputs: [ReplicaOutput<UInt8>] = []
    private var run: UInt64 = 1
    var now = start
    var wallClock = Timestamp.zero
    /// The disk's lanes that stand still.
    var heldLanes: Set<DiskLane> = []

    private let snapshotEveryByteCount: Int
    private let durability: Durability

    init(
        _ number: UInt32, of configured: [UInt32], snapshotEveryByteCount: Int = 64 << 20,
        durability: Durability = .disk
    ) throws(FatalFault) {
        node = NodeID(number)
        self.durability = durability
        self.configured = configured.map { NodeID($0) }
        self.snapshotEveryByteCount = snapshotEveryByteCount
        replica = try Self.replica(
            node, of: self.configured, run: 1, disk: disk, fabric: fabric, now: start,
            snapshotEveryByteCount: snapshotEveryByteCount, durability: durability)
    }

    var member: Member { Member(node: node, incarnation: Incarnation(run)) }

    private static func replica(
        _ node: NodeID, of configured: [NodeID], run: UInt64, disk: MemoryDisk,
        fabric: HeldFabric, now: Instant, snapshotEveryByteCount: Int, durability: Durability
    ) throws(FatalFault) -> Replica<ListMachine> {
        var settings = ReplicaSettings(
            own: Member(node: node, incarnation: Incarnation(run)), configured: configured,
            durability: durability, minimumMembers: 1, slotCount: 8, slotByteCount: 256,
            segmentByteCount: 64 * 1_024, snapshotEveryByteCount: snapshotEveryByteCount)
        settings.digestPace = DigestPace(versionCount: 8, versionsPerRow: 1)
        settings.snapshotPartByteCount = 16
        return try Replica(
            settings: settings, blank: ListMachine(), disk: disk, fabric: fabric,
            random: SeededRandom(seed: UInt64(node.number)), now: now)
    }

    /// The process is killed and started again, at once; its file may name others than before.
    func restart(of others: [NodeID]? = nil) throws(FatalFault) {
        configured = others ?? configured
        disk.crash()
        run += 1
        fabric = HeldFabric()
        outputs = []
        replica = try Self.replica(
            node, of: configured, run: run, disk: disk, fabric: fabric, now: now,
            snapshotEveryByteCount: snapshotEveryByteCount, durability: durability)
    }

    func propose(_ command: UInt8) {
        #expect(replica.propose([command]))
    }

    /// The last answer to an operator who had it go on without the others.
    var salvaged: SalvageOutcome? {
        outputs.reversed().lazy.compactMap { output in
            if case .salvaged(_, let outcome) = output { outcome } else { nil }
        }.first
    }

    /// Lets `milliseconds` pass, with a tick, the disk and a turn every 25.
    func live(_ milliseconds: Int64) {
        for _ in 0..<(milliseconds / 25) {
            now = now.advanced(by: .milliseconds(25))
            replica.tick(now: now)
            turn()
        }
    }

    func turn() {
        endTurn()
        for _ in 0..<8 {
            for tag in disk.run(except: heldLanes) {
                replica.step(DiskInput.completed(tag: tag), now: now)
            }
            endTurn()
        }
        outputs += replica.takeOutputs()
    }

    private func endTurn() {
        replica.endTurn(now: now, wallClock: wallClock)
        replica.work(now: now)
    }

    func hear(_ input: FabricInput) {
        replica.step(input, now: now)
    }
}
