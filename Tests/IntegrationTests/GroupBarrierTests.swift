import Foundation
import TestSupport
import Testing

/// Barriers of task groups, and double barriers, as a shell sees them, over three daemons.
@Suite(.serialized) struct `Barriers of groups` {
    private let group: Group
    private let directory: TemporaryDirectory

    init() throws {
        group = try Group.serving()
        directory = try TemporaryDirectory()
    }

    /// A member that runs `script` with the command in `$conclave`.
    private func member(_ script: String, at node: Int) throws -> Running {
        let command =
            "conclave=\(Programs.conclave); export CONCLAVE_SOCKET=\(group.socket(node)); "
        return try group.begin(
            "group", ["join", "w", "--", "sh", "-c", command + script], at: node)
    }

    @Test func `all members meet, and one whose host dies is not awaited`() throws {
        let arrive = "$conclave barrier step --group w --json; "
        let first = try member(arrive + "sleep 600", at: 1)
        try wait(for: "the first: \(first.errors)") { first.output.contains("\"rank\":0") }
        // It is alone in the group, and so the second arrival is the next generation.
        let second = try member("sleep 600", at: 2)
        let third = try member(arrive, at: 3)
        try wait(for: "the third: \(third.errors)") {
            try group.run("why", ["step"]).output.contains("1 of 3 arrived")
        }
        first.send(SIGTERM)
        _ = try first.end()
        #expect(try group.run("why", ["step"]).output.contains("1 of 2 arrived"))
        group.kill(2)
        let ending = try third.end(seconds: 60)
        #expect(
            ending.status == 0 && ending.output.contains("\"parties\":[{\"rank\":0"), "\(ending)")
        #expect(ending.output.contains("\"view\":"), "\(ending)")
        second.kill()
    }

    @Test func `who is no member, or names none, does not meet them`() throws {
        let stranger = try group.run("barrier", ["step", "--group", "w", "--member", "5"])
        #expect(stranger.status == 76 && stranger.errors.contains("no member 5"), "\(stranger)")
        let nobody = try group.run("barrier", ["step", "--group", "w"])
        #expect(nobody.status == 64 && nobody.errors.contains("CONCLAVE_MEMBER"), "\(nobody)")
    }

    /// Enters as one of `parties`, says so in a file, and goes on when the file `go` is there.
    private func inside(_ name: String, parties: Int, at node: Int) throws -> Running {
        let script =
            "echo in > \(directory.file(name)); "
            + "while [ ! -e \(directory.file("go-" + name)) ]; do sleep 0.05; done; exit 7"
        let arguments = ["phase", "--parties", "\(parties)", "--double", "--", "sh", "-c", script]
        return try group.begin("barrier", arguments, at: node)
    }

    private func isInside(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: directory.file(name))
    }

    private func letGo(_ name: String) throws {
        try Data().write(to: URL(fileURLWithPath: directory.file("go-" + name)))
    }

    @Test func `a party enters with all, and leaves with those that still live`() throws {
        let parties = ["a", "b", "c"]
        var running: [String: Running] = [:]
        for (index, name) in parties.enumerated() {
            if index == 2 { #expect(!isInside("a") && !isInside("b")) }
            running[name] = try inside(name, parties: 3, at: index + 1)
        }
        try wait(for: "all to enter: \(running.values.map(\.errors))") {
            parties.allSatisfy(isInside)
        }
        // One more, as a supervisor starts it for one that dies inside: it waits for the next time.
        running["c"]?.kill()
        let next = try inside("next", parties: 3, at: 3)
        try wait(for: "the next: \(next.errors)") {
            try group.run("why", ["phase/enter"]).output.contains("1 of 3 arrived")
        }
        try letGo("a")
        try wait(for: "the end of the one that died") {
            let members = try group.run("group", ["members", "phase/inside", "--json"]).output
            return members.matches(of: /"member":/).count == 3
        }
        #expect(running["a"]?.isRunning == true)
        try letGo("b")
        for name in ["a", "b"] {
            let ending = try #require(running[name]).end(seconds: 30)
            #expect(ending.status == 7, "\(name): \(ending)")
        }
        #expect(!isInside("next"))
        next.send(SIGTERM)
        #expect(try next.end().status == 130)
    }
}
