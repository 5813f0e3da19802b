import Foundation
import TestSupport
import Testing

/// Daemons on loopback or on hosts of their own, each with its configuration, data and socket in one
/// temporary directory.
final class Group {
    let directory: TemporaryDirectory
    let count: Int
    private let ports: [UInt16]
    private let hosts: Hosts?
    private var daemons: [Int: Running] = [:]

    /// - Parameters:
    ///   - spare: How many machines there are that only their own configuration names.
    ///   - extra: Lines for every configuration.
    init(of count: Int = 3, spare: Int = 0, extra: String = "") throws {
        directory = try TemporaryDirectory()
        hosts = nil
        self.count = count
        ports = try freePorts(count + spare)
        for node in 1...(count + spare) { try configure(node, extra: extra) }
    }

    /// A daemon for each of the hosts, with its data on the host's own disk.
    init(on hosts: Hosts, extra: String = "") throws {
        directory = hosts.directory
        self.hosts = hosts
        count = hosts.count
        ports = Array(repeating: Hosts.port, count: hosts.count)
        for node in 1...count { try configure(node, extra: extra) }
    }

    /// Starts all and waits until each serves in the view of all.
    static func serving(
        of count: Int = 3, spare: Int = 0, extra: String = ""
    ) throws -> Group {
        let group = try Group(of: count, spare: spare, extra: extra)
        for node in 1...count { try group.start(node) }
        try group.waitUntilServing()
        return group
    }

    func configure(_ node: Int, extra: String = "") throws {
        let members = (1...ports.count).filter { $0 <= count || $0 == node }.map {
            "  - { id: \($0), address: \"\(address($0))\" }"
        }
        _ = try directory.write(
            """
            node: \(node)
            data: \(data(node))
            socket: \(socket(node))
            journal: { segment: 4MiB, snapshotEvery: 4MiB }
            members:
            \(members.joined(separator: "\n"))
            \(extra)

            """, to: "\(node).yaml")
    }

    func configuration(_ node: Int) -> String { directory.file("\(node).yaml") }
    func data(_ node: Int) -> String {
        hosts.map { $0.disk(node) + "/data" } ?? directory.file("data-\(node)")
    }
    func socket(_ node: Int) -> String { directory.file("\(node).sock") }
    func address(_ node: Int) -> String {
        "\(hosts?.address(node) ?? "127.0.0.1"):\(port(node))"
    }
    func port(_ node: Int) -> UInt16 { ports[node - 1] }

    // MARK: - Daemons

    func start(_ node: Int, environment: [String: String] = [:]) throws {
        let command = [Programs.conclaved, "--config", configuration(node)]
        let all = hosts.map { $0.command(command, on: node) } ?? command
        daemons[node] = try Running(
            all[0], Array(all.dropFirst()), environment: environment, in: directory)
    }

    func daemon(_ node: Int) throws -> Running { try #require(daemons[node]) }

    func log(_ node: Int) -> String { daemons[node]?.errors ?? "" }

    func kill(_ node: Int) {
        daemons[node]?.kill()
    }

    /// Asks all to stop and gives their statuses.
    func stop() throws -> [Int32] {
        let running = (1...count).compactMap { daemons[$0] }.filter(\.isRunning)
        for daemon in running { daemon.send(SIGTERM) }
        return try running.map { try $0.end().status }
    }

    func waitUntilServing(_ nodes: [Int]? = nil, members: Int? = nil) throws {
        for node in nodes ?? Array(1...count) {
            try wait(for: "daemon \(node) to serve; its log: \(log(node))", seconds: 40) {
                try isServing(node, members: members ?? count)
            }
        }
    }

    func isServing(_ node: Int, members: Int) throws -> Bool {
        let status = try run("status", ["--json"], at: node)
        guard status.status == 0, status.output.contains("\"serving\":true") else { return false }
        return status.output.ranges(of: "\"state\":\"member\"").count == members
    }

    /// The number of the view that a daemon is in.
    func epoch(of node: Int) throws -> UInt64? {
        let status = try run("status", ["--json"], at: node).output
        guard let start = status.firstRange(of: "\"epoch\":")?.upperBound else { return nil }
        return UInt64(status[start...].prefix(while: \.isNumber))
    }

    // MARK: - Clients

    func begin(
        _ command: String, _ arguments: [String], at node: Int = 1,
        environment: [String: String] = [:]
    ) throws -> Running {
        try Running(
            Programs.conclave, [command] + arguments,
            environment: environment.merging(["CONCLAVE_SOCKET": socket(node)]) { $1 },
            in: directory)
    }

    /// One of the programs in `examples`, at that daemon.
    func example(_ name: String, _ arguments: [String], at node: Int = 1) throws -> Running {
        try Running(
            Programs.example(name), arguments,
            environment: ["CONCLAVE_SOCKET": socket(node)], in: directory)
    }

    @discardableResult
    func run(
        _ command: String, _ arguments: [String], at node: Int = 1, seconds: Double = 30
    ) throws -> Running.Ending {
        try begin(command, arguments, at: node).end(seconds: seconds)
    }

    /// Holds a lock at `node` until it is killed, or the file `end-NAME` is made.
    func hold(_ name: String, _ options: [String] = [], at node: Int = 1) throws -> Running {
        let file = directory.file("end-\(name)")
        let holder = try begin(
            "lock",
            [name] + options + [
                "--", "sh", "-c", "echo $CONCLAVE_TOKEN; until [ -e \(file) ]; do sleep 0.02; done",
            ], at: node)
        try wait(for: "lock \(name): \(holder.errors)") {
            holder.output.hasSuffix("\n") || !holder.isRunning
        }
        try #require(holder.isRunning, "\(holder.errors)")
        return holder
    }

    func endHolding(_ name: String) {
        _ = FileManager.default.createFile(atPath: directory.file("end-\(name)"), contents: nil)
    }

    func isQueued(_ count: Int, for name: String, at node: Int = 1) throws -> Bool {
        try run("why", [name, "--json"], at: node).output.contains("\"position\":\(count)")
    }
}

/// Ports that nobody listens on, outside of the range from which the kernel gives them away.
func freePorts(_ count: Int) throws -> [UInt16] {
    var ports: [UInt16] = []
    while ports.count < count {
        let port = UInt16.random(in: 20_000..<32_000)
        if !ports.contains(port), isFree(port) { ports.append(port) }
    }
    return ports
}

private func isFree(_ port: UInt16) -> Bool {
    let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard number >= 0 else { return false }
    defer { close(number) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
}
