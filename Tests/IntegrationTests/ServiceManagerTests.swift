import ConclaveReactor
import Foundation
import TestSupport
import Testing

/// What systemd hears, and what it passes.
@Suite(.serialized) struct `Service manager` {
    /// The socket to which a service's states are sent.
    private final class Listener {
        let path: String
        private let socket: Descriptor
        private(set) var heard: [String] = []

        init(in directory: TemporaryDirectory) throws {
            path = directory.file("notify")
            let kind = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
            socket = Descriptor(owning: Foundation.socket(AF_UNIX, kind, 0))
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
            let number = socket.number
            let result = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            try #require(result == 0)
        }

        func listen() throws {
            var space = [UInt8](repeating: 0, count: 4_096)
            while case .bytes(let count) = try space.withUnsafeMutableBytes({
                try socket.receive(into: $0)
            }) {
                heard.append(String(decoding: space[..<count], as: UTF8.self))
            }
        }

        func hears(_ text: String) throws -> Bool {
            try listen()
            return heard.contains { $0.contains(text) }
        }
    }

    @Test func `READY is said when it serves, STATUS says how, STOPPING at the end`() throws {
        let group = try Group(of: 1)
        let listener = try Listener(in: group.directory)
        try group.start(1, environment: ["NOTIFY_SOCKET": listener.path])
        try wait(for: "READY") {
            try listener.hears("READY=1\nSTATUS=serving in view 1, rank 0 of 1")
        }
        #expect(listener.heard.first?.hasPrefix("STATUS=not serving: ") == true)
        #expect(try group.stop() == [0])
        #expect(try listener.hears("STOPPING=1"))
    }

    @Test func `a first start that waits says for whom, and is not ready`() throws {
        let group = try Group(of: 3)
        let listener = try Listener(in: group.directory)
        try group.start(1, environment: ["NOTIFY_SOCKET": listener.path])
        try wait(for: "the word") { try listener.hears("waits for 2, 3") }
        #expect(try !listener.hears("READY=1"))
        let status = try group.run("status", ["--json"]).output
        #expect(status.contains("waits for 2, 3"), "\(status)")
        #expect(try group.stop() == [0])
    }

    @Test func `the watchdog hears from the loop, and no more from a stopped process`() throws {
        let group = try Group(of: 1)
        let listener = try Listener(in: group.directory)
        try group.start(
            1, environment: ["NOTIFY_SOCKET": listener.path, "WATCHDOG_USEC": "300000"])
        func signs() throws -> Int {
            try listener.listen()
            return listener.heard.count { $0 == "WATCHDOG=1" }
        }
        try wait(for: "signs of life") { try signs() >= 5 }
        let daemon = try group.daemon(1)
        daemon.send(SIGSTOP)
        let state = "/proc/\(daemon.pid)/stat"
        try wait(for: "the stop") {
            try String(contentsOfFile: state, encoding: .utf8).contains(") T ")
        }
        let before = try signs()
        Thread.sleep(forTimeInterval: 0.5)
        #expect(try signs() == before)
        daemon.send(SIGCONT)
        try wait(for: "further signs") { try signs() > before }
    }

    private static let activator = "/usr/bin/systemd-socket-activate"

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: activator)))
    func `a socket that is passed is served, and stays when the daemon ends`() throws {
        let group = try Group(of: 1)
        let daemon = try Running(
            Self.activator,
            [
                "--listen=\(group.socket(1))", Programs.conclaved, "--config",
                group.configuration(1),
            ], in: group.directory)
        // The first connection starts it, and waits in the queue until it accepts.
        try wait(for: "the socket") { FileManager.default.fileExists(atPath: group.socket(1)) }
        #expect(try group.run("lock", ["a", "--", "true"]).status == 0)
        daemon.send(SIGTERM)
        #expect(try daemon.end().status == 0)
        #expect(FileManager.default.fileExists(atPath: group.socket(1)))
        #expect(daemon.errors.contains("listening on the socket that was passed"))
    }
}
