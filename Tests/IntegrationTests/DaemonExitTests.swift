import Foundation
import TestSupport
import Testing

/// How `conclaved` ends, and what it says then.
@Suite(.serialized) struct `Exit statuses of conclaved` {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func run(_ arguments: [String]) throws -> Running.Ending {
        try Running(Programs.conclaved, arguments, in: directory).end()
    }

    @Test(arguments: [
        [], ["--single", "--config", "x"], ["--config"], ["--no-such-option"],
        ["--single", "--log-level", "loud"], ["--check", "--single"],
        ["--single", "--socket", "/" + String(repeating: "s", count: 107)],
    ])
    func `64 for wrong usage`(arguments: [String]) throws {
        let ending = try run(arguments)
        #expect(ending.status == 64)
        #expect(!ending.errors.isEmpty)
    }

    @Test func `78 for a configuration with three mistakes, each named with its place`() throws {
        let file = try directory.write(
            """
            node: 4
            dta: /nowhere
            members:
              - { id: 1, address: "127.0.0.1:7400" }
            timing: { heartbeat: 1ms }

            """, to: "conclave.yaml")
        for arguments in [["--config", file], ["--check", "--config", file]] {
            let ending = try run(arguments)
            #expect(ending.status == 78)
            let lines = ending.errors.split(separator: "\n")
            #expect(lines.count == 3)
            // A log line has a priority in front; an editor reads what a check says.
            let priority = arguments.contains("--check") ? "" : "<3>"
            #expect(lines.first?.hasPrefix("\(priority)\(file):1:7: `node` is 4") == true)
            #expect(ending.errors.contains("\(file):2:1: unknown key `dta`"))
            #expect(ending.errors.contains("\(file):5:22: `timing.heartbeat` is 1ms"))
        }
    }

    @Test func `78 for a configuration that is not there, by name`() throws {
        let ending = try run(["--config", directory.file("absent.yaml")])
        #expect(ending.status == 78)
        #expect(ending.errors.contains("absent.yaml"))
    }

    @Test func `a check of a sound configuration says nothing`() throws {
        let group = try Group(of: 3)
        let ending = try run(["--check", "--config", group.configuration(1)])
        #expect(ending == Running.Ending(status: 0, output: "", errors: ""))
    }

    @Test func `73 for a second daemon on the same data, and the first goes on`() throws {
        let group = try Group.serving(of: 1)
        let second = try run(
            ["--single", "--data", group.data(1), "--socket", directory.file("s")])
        #expect(second.status == 73)
        #expect(second.errors.contains(group.data(1)))
        #expect(try group.run("lock", ["a", "--", "true"]).status == 0)
    }

    @Test func `73 for the data of another node, which is left as it is`() throws {
        let group = try Group.serving(of: 1)
        #expect(try group.stop() == [0])
        let before = try FileManager.default.subpathsOfDirectory(atPath: group.data(1)).sorted()
        let other = try directory.write(
            """
            node: 2
            data: \(group.data(1))
            socket: \(directory.file("s"))
            members:
              - { id: 2, address: "127.0.0.1:\(try freePorts(1)[0])" }

            """, to: "other.yaml")
        let ending = try run(["--config", other])
        #expect(ending.status == 73)
        #expect(ending.errors.contains("node 1"))
        let after = try FileManager.default.subpathsOfDirectory(atPath: group.data(1)).sorted()
        #expect(after == before)
    }

    @Test func `73 for data of another durability, and the way out is told`() throws {
        let group = try Group.serving(of: 1)
        #expect(try group.stop() == [0])
        let other = try directory.write(
            """
            node: 1
            data: \(group.data(1))
            socket: \(directory.file("s"))
            durability: memory
            members:
              - { id: 1, address: "127.0.0.1:\(try freePorts(1)[0])" }

            """, to: "other.yaml")
        let ending = try run(["--config", other])
        #expect(ending.status == 73)
        #expect(ending.errors.contains("is of \"durability disk\""), "\(ending.errors)")
        #expect(ending.errors.contains("empty directories"))
    }

    @Test func `98 for a socket on which another daemon answers, which goes on`() throws {
        let group = try Group.serving(of: 1)
        let second = try run(
            ["--single", "--data", directory.file("data"), "--socket", group.socket(1)])
        #expect(second.status == 98)
        #expect(second.errors.contains(group.socket(1)))
        #expect(try group.run("lock", ["a", "--", "true"]).status == 0)
    }

    @Test func `98 for a member address in use, by name`() throws {
        let group = try Group.serving(of: 1)
        let other = try directory.write(
            """
            node: 1
            data: \(directory.file("data"))
            socket: \(directory.file("s"))
            members:
              - { id: 1, address: "127.0.0.1:\(group.port(1))" }

            """, to: "other.yaml")
        let ending = try run(["--config", other])
        #expect(ending.status == 98)
        #expect(ending.errors.contains("127.0.0.1:\(group.port(1))"))
    }

    @Test func `98 for a file that is no socket, which stays`() throws {
        let file = try directory.write("precious\n", to: "file")
        let ending = try run(["--single", "--data", directory.file("data"), "--socket", file])
        #expect(ending.status == 98)
        #expect(directory.read("file") == "precious\n")
    }

    @Test func `74 for a data directory that cannot be made`() throws {
        let ending = try run(
            ["--single", "--data", "/proc/conclave", "--socket", directory.file("s")])
        #expect(ending.status == 74)
        #expect(ending.errors.contains("/proc/conclave"))
    }

    @Test func `0 for an orderly stop, and the socket is gone`() throws {
        let group = try Group.serving(of: 3)
        #expect(try group.stop() == [0, 0, 0])
        #expect(!FileManager.default.fileExists(atPath: group.socket(1)))
    }

    @Test func `a stale socket does not keep a daemon from starting again`() throws {
        let group = try Group.serving(of: 1)
        group.kill(1)
        #expect(FileManager.default.fileExists(atPath: group.socket(1)))
        try group.start(1)
        try group.waitUntilServing()
    }
}
