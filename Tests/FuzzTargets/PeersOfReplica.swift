import ConclaveBase
import ConclaveCoordination
import ConclaveReplication
import ConclaveWire

/// Target `replica`: three replicas that have founded a group, and a network on which frames are
/// changed, made up, repeated and lost. None traps, and what one has written its next start reads.
struct PeersOfReplica {
    private static let maximumSteps = 48
    /// Turns until a founding is over for sure.
    private static let foundingSteps = 20

    private var source: ByteSource
    private let mesh = Mesh(count: 3)
    private var seen: [(from: Int, frame: MeshFrame)] = []
    private var transferID: UInt64 = 1

    static func run(_ bytes: [UInt8]) {
        var peers = PeersOfReplica(source: ByteSource(bytes))
        peers.runAll()
    }

    private init(source: ByteSource) {
        self.source = source
    }

    private mutating func runAll() {
        live(source.choice(of: 4) == 0 ? source.choice(of: 8) : Self.foundingSteps)
        for _ in 0..<Self.maximumSteps where !source.isEmpty { step() }
        live(4)
    }

    private mutating func step() {
        switch source.choice(of: 16) {
        case 0, 1: live(1 + source.choice(of: 24))
        case 2, 3, 4: liveWithEdits()
        case 5, 6: injectControl(Array(source.bytes(Int(source.byte()))))
        case 7, 8, 9: injectComposed()
        case 10: injectRow()
        case 11: mesh.reconnect(source.choice(of: 3), source.choice(of: 3), byPeer: source.flag())
        case 12: restart()
        case 13: repeatFrame()
        case 14:
            if source.flag() { salvage() }
            partLive()
        default: propose()
        }
    }

    // MARK: - The network

    private mutating func live(_ steps: Int) {
        mesh.live(steps) { from, _, frame in
            note(frame, from: from)
            return true
        }
    }

    /// Some frames are changed on their way, the lineage at their beginning seldom.
    private mutating func liveWithEdits() {
        let every = 1 + source.choice(of: 6)
        var count = 0
        mesh.live(1 + source.choice(of: 4)) { from, _, frame in
            count += 1
            note(frame, from: from)
            guard count % every == 0 else { return true }
            switch frame {
            case .control(let bytes):
                var changed = Array(bytes.dropFirst(16))
                source.edit(&changed)
                frame = .control(Array(bytes.prefix(16)) + changed)
            case .row(let epoch, let offset, var bytes):
                source.edit(&bytes)
                frame = .row(epoch, offset: offset, bytes: bytes)
            }
            return true
        }
    }

    /// Some pairs do not hear each other.
    private mutating func partLive() {
        let mask = source.byte()
        mesh.live(1 + source.choice(of: 48)) { from, to, _ in
            mask & (1 << (from * 2 + (to > from ? to - 1 : to))) == 0
        }
    }

    private mutating func note(_ frame: MeshFrame, from: Int) {
        if seen.count >= 32 { seen.removeFirst(16) }
        seen.append((from, frame))
        guard case .control(let bytes) = frame, bytes.count >= 26, bytes[16] == 4, bytes[17] > 1
        else { return }
        transferID = bytes[18..<26].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private mutating func repeatFrame() {
        guard !seen.isEmpty else { return }
        let (from, frame) = source.pick(seen)
        mesh.inject(frame, from: from, to: (from + 1 + source.choice(of: 2)) % 3)
    }

    private mutating func restart() {
        let index = source.choice(of: 3)
        let hadFailed = mesh.nodes[index].fault != nil
        do {
            try mesh.restart(index, erasing: source.flag())
        } catch {
            demand(hadFailed, "a replica does not read what it wrote: \(error)")
            try? mesh.restart(index, erasing: true)
        }
    }

    private mutating func propose() {
        let index = source.choice(of: 3)
        let number = UInt32(source.byte())
        let process = ProcessIdentity(
            host: mesh.nodes[index].node, pid: number, startTime: 1, bootID: 1, uid: 1, gid: 1,
            unit: String(repeating: "u", count: source.choice(of: 256)))
        let open = OpenCommand(
            id: Secret(high: 1, low: UInt64(number)), secret: Secret(high: 2, low: 3),
            ttl: .seconds(5), label: "", process: process, member: mesh.nodes[index].member,
            nonce: 1)
        for _ in 0...source.choice(of: 8) { mesh.propose(Command.open(open).bytes, at: index) }
    }

    /// An operator tells one of them to go on without the others.
    private mutating func salvage() {
        let wish = SalvageWish(eraAtLeast: UInt16(source.byte()), by: "operator")
        mesh.nodes[source.choice(of: 3)].replica.salvage(wish, number: 1, now: mesh.now)
    }

    // MARK: - Frames that nobody sent

    private mutating func injectComposed() {
        let to = source.choice(of: 3)
        let from = (to + 1 + source.choice(of: 2)) % 3
        var composer = PeerFrames(
            source: source, receiver: mesh.nodes[to], sender: mesh.nodes[from],
            members: mesh.nodes.map(\.member), transferID: transferID, now: mesh.now)
        let frame = composer.compose()
        source = composer.source
        mesh.inject(.control(frame), from: from, to: to)
    }

    private mutating func injectControl(_ body: [UInt8]) {
        let to = source.choice(of: 3)
        var writer = ByteWriter()
        if source.flag() { writer.lineage(mesh.nodes[to].replica.lineage) }
        writer.raw(body)
        mesh.inject(.control(writer.bytes), from: (to + 1) % 3, to: to)
    }

    private mutating func injectRow() {
        let to = source.choice(of: 3)
        let epoch = mesh.nodes[to].replica.view.epoch.number
        let offset = source.number(near: [0, 8, 16, 40, 48, 56, 88, 96, 1_152])
        let frame = MeshFrame.row(
            Epoch(source.number(near: [epoch])), offset: Int(truncatingIfNeeded: offset),
            bytes: source.bytes(source.choice(of: 65)))
        mesh.inject(frame, from: (to + 1 + source.choice(of: 2)) % 3, to: to)
    }
}
