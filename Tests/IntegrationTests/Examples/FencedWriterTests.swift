import Foundation
import TestSupport
import Testing

/// `examples/fenced-writer`: a writer whose lock went on to another one while it was paused.
@Suite(.serialized) struct `Example fenced-writer` {
    @Test func `who was paused with its host and comes too late is refused by its token`() throws {
        let group = try Group.serving()
        let store = try Store(in: group)
        #expect(try store.write("first", at: 2).end().status == 0)
        let late = try store.write("late", ["--pause"], at: 1)
        try wait(for: "the pause: \(late.output) \(late.errors)") { late.isStopped }
        try group.daemon(1).send(SIGSTOP)
        let second = try store.write("second", at: 2).end(seconds: 60)
        #expect(second.status == 0, "\(second)")
        #expect(store.content == "token \(try token(in: second))\nsecond\n")

        // What the store refuses it refuses also after a restart.
        try store.restart()
        try group.daemon(1).send(SIGCONT)
        late.send(SIGCONT)
        try expectRefusal(of: late.end(seconds: 60), after: second)
        #expect(store.content == "token \(try token(in: second))\nsecond\n")
    }

    @Test func `who was paused and had its lock taken away is refused by its token`() throws {
        let group = try Group.serving(of: 1)
        let store = try Store(in: group)
        let late = try store.write("late", ["--pause"])
        try wait(for: "the pause: \(late.output) \(late.errors)") { late.isStopped }
        let second = try store.write("second")
        try wait(for: "the second to wait") { try group.isQueued(1, for: "report") }
        #expect(try group.run("release", ["report", "--within", "0s", "--force"]).status == 0)
        let ending = try second.end()
        #expect(ending.status == 0, "\(ending)")
        late.send(SIGCONT)
        try expectRefusal(of: late.end(), after: ending)
        #expect(store.content == "token \(try token(in: ending))\nsecond\n")
    }

    private func token(in ending: Running.Ending) throws -> UInt64 {
        let match = try #require(ending.output.firstMatch(of: /token ([0-9]+)\n/), "\(ending)")
        return try #require(UInt64(match.1))
    }

    private func expectRefusal(
        of late: Running.Ending, after second: Running.Ending
    ) throws {
        let (old, new) = (try token(in: late), try token(in: second))
        #expect(old < new)
        #expect(late.status == 1, "\(late)")
        #expect(
            late.output.contains(
                "refused: token \(old) is too late, report was written with \(new)\n"), "\(late)")
        #expect(late.output.contains("\nlost report: "), "\(late)")
    }
}

/// The example's file server, and its writers.
private final class Store {
    private let group: Group
    private let path: String
    private var server: Running

    init(in group: Group) throws {
        self.group = group
        path = group.directory.file("store")
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false)
        server = try Self.serving(group, path)
    }

    private static func serving(_ group: Group, _ path: String) throws -> Running {
        let server = try group.example("fenced-writer", ["serve", path])
        try wait(for: "the store: \(server.errors)") {
            server.output.hasPrefix("serving") || !server.isRunning
        }
        try #require(server.isRunning, "\(server.errors)")
        return server
    }

    func restart() throws {
        server.kill()
        server = try Self.serving(group, path)
    }

    func write(_ text: String, _ options: [String] = [], at node: Int = 1) throws -> Running {
        try group.example("fenced-writer", ["write", path, "report", text] + options, at: node)
    }

    var content: String { group.directory.read("store/report") }
}
