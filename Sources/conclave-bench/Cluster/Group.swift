import CConclaveLinux
import Conclave
import Glibc

/// The daemons that are measured: started here, on loopback with a directory of their own, or
/// running ones.
///
/// Daemons are started on the main thread only: the kernel kills them when that ends.
final class Group: @unchecked Sendable {
    let sockets: [String]
    let durability: String
    /// Where their data is, or any directory if they are somebody else's.
    let directory: String
    private var daemons: [Daemon] = []
    private let running: [Int32]
    private let isOwn: Bool

    /// Uses running daemons.
    init(sockets: [String], _ interrupts: Interrupts) throws {
        guard !sockets.isEmpty else { throw BenchFailure("--socket names no daemon", code: 64) }
        self.sockets = sockets
        directory = "/tmp"
        isOwn = false
        running = try sockets.map { try Self.process(behind: $0) }
        let status = try interrupts.wait { try await Self.status(of: sockets[0]) }
        durability = status.isDurable ? "disk" : "memory"
    }

    /// Starts `count` daemons and waits until all serve.
    init(
        starting count: Int, isDurable: Bool, directory parent: String?, _ interrupts: Interrupts
    ) throws {
        let program = try Daemon.findProgram()
        let directory = try Files.makeDirectory(in: parent)
        self.directory = directory
        isOwn = true
        running = []
        durability = isDurable ? "disk" : "memory"
        sockets = (1...count).map { "\(directory)/\($0).sock" }
        let ports = try Ports.free(count)
        for node in 1...count {
            daemons.append(
                Daemon(
                    node: node, directory: directory, program: program, ports: ports,
                    isDurable: isDurable))
        }
        do {
            for daemon in daemons { try daemon.start() }
            try waitUntilServing(interrupts)
        } catch {
            stop()
            throw error
        }
    }

    var processes: Processes {
        Processes(ids: isOwn ? daemons.compactMap(\.pid) : running)
    }

    /// The position of the daemon with the lowest rank.
    func firstRanked(_ interrupts: Interrupts) throws -> Int {
        let sockets = sockets
        return try interrupts.wait {
            for (index, socket) in sockets.enumerated() {
                if try await Self.status(of: socket).rank == 0 { return index }
            }
            return 0
        }
    }

    /// Kills a daemon at once. Returns when the signal was sent.
    func kill(_ index: Int) -> UInt64 {
        daemons[index].kill()
    }

    /// Starts a killed daemon again and waits until all serve.
    func restart(_ index: Int, _ interrupts: Interrupts) throws {
        try daemons[index].start()
        try waitUntilServing(interrupts)
    }

    /// Starts killed daemons together. Returns the nanoseconds until all serve.
    func startAll(_ interrupts: Interrupts) throws -> UInt64 {
        let start = Machine.now
        for daemon in daemons { try daemon.start() }
        try waitUntilServing(interrupts, pause: 1)
        return Machine.now - start
    }

    /// Leaves nothing on the disk of a killed daemon.
    func erase(_ index: Int) { daemons[index].erase() }

    /// How many bytes a daemon has logged.
    func logLength(_ index: Int) -> Int { daemons[index].logLength }

    /// What a daemon has logged since then.
    func log(of index: Int, from offset: Int) -> String { daemons[index].log(from: offset) }

    /// Stops what was started here and removes its directory.
    func stop() {
        guard isOwn else { return }
        for daemon in daemons { daemon.ask() }
        for daemon in daemons { daemon.stop() }
        Files.removeDirectory(directory)
    }

    /// - Parameter pause: Between two questions, in milliseconds.
    private func waitUntilServing(_ interrupts: Interrupts, pause: Int32 = 20) throws {
        let end = Machine.now + 60_000_000_000
        for (index, socket) in sockets.enumerated() {
            while true {
                let status = try? interrupts.wait { try await Self.status(of: socket) }
                if let status, status.isServing,
                    status.members.allSatisfy({ $0.state == .member })
                {
                    break
                }
                guard Machine.now < end else {
                    throw BenchFailure(
                        "daemon \(index + 1) does not serve: \(daemons[index].lastWord)")
                }
                try daemons[index].checkAlive()
                try interrupts.sleep(until: [], milliseconds: pause)
            }
        }
    }

    private static func status(of socket: String) async throws -> GroupStatus {
        try await Conclave.connect(socket: socket).status(wait: .seconds(2))
    }

    private static func process(behind socket: String) throws -> Int32 {
        let descriptor = conclave_linux_unix_socket()
        defer { close(descriptor) }
        var credentials = conclave_linux_credentials()
        guard unsafe conclave_linux_unix_connect(descriptor, socket) == 0,
            unsafe conclave_linux_peer_credentials(descriptor, &credentials) == 0
        else { throw BenchFailure("no daemon answers at \(socket)", code: 69) }
        return credentials.process
    }
}
