import ConclaveBase
import ConclaveCoordination
import ConclaveWire

/// Data directories as daemons wrote them, the same in each run: what the fuzzer's damage begins
/// with.
enum WrittenDisk {
    struct Written: Sendable {
        var configured: [NodeID]
        var files: [String: [UInt8]]
    }

    static let all = [ofOne(), inEpoch(), inEpochToCome()]

    /// A group of one that has been restarted, with a snapshot and a segment behind it.
    private static func ofOne() -> Written {
        let mesh = Mesh(count: 1)
        mesh.live(20)
        work(mesh, commands: 120)
        restart(mesh, 0)
        work(mesh, commands: 12)
        return written(mesh)
    }

    /// One of three, in the midst of an epoch.
    private static func inEpoch() -> Written {
        let mesh = Mesh(count: 3)
        mesh.live(20)
        work(mesh, commands: 20)
        return written(mesh)
    }

    /// One of three that had just wedged: messages are held, a ballot is promised.
    private static func inEpochToCome() -> Written {
        let mesh = Mesh(count: 3)
        mesh.live(20)
        work(mesh, commands: 8)
        restart(mesh, 2)
        mesh.live(120)
        work(mesh, commands: 8)
        mesh.propose(command(99), at: 0)
        mesh.live(2) { from, _, _ in from == 0 }
        mesh.live(40) { from, to, _ in from != 2 && to != 2 }
        return written(mesh)
    }

    private static func written(_ mesh: Mesh) -> Written {
        Written(configured: mesh.nodes.map(\.node), files: mesh.nodes[0].disk.files)
    }

    private static func restart(_ mesh: Mesh, _ index: Int) {
        do {
            try mesh.restart(index, erasing: false)
        } catch {
            broken("a restart is refused: \(error)")
        }
        mesh.live(20)
    }

    private static func work(_ mesh: Mesh, commands count: Int) {
        for number in 0..<count {
            mesh.propose(command(UInt64(number)), at: number % mesh.nodes.count)
            mesh.live(1)
        }
    }

    private static func command(_ number: UInt64) -> [UInt8] {
        let open = OpenCommand(
            id: Secret(high: 1, low: number), secret: Secret(high: 2, low: number),
            ttl: .seconds(5), label: "label",
            process: ProcessIdentity(
                host: NodeID(1), pid: UInt32(number), startTime: 1, bootID: 1, uid: 1, gid: 1,
                unit: "unit"),
            member: Member(node: NodeID(1), incarnation: Incarnation(1)), nonce: number)
        return Command.open(open).bytes
    }
}
