import Foundation
import TestSupport
import Testing

/// What outlives daemons, files and whole groups.
@Suite(.serialized) struct `Recovery` {
    private func token(_ text: String) throws -> UInt64 {
        try #require(UInt64(text.trimmingCharacters(in: .whitespacesAndNewlines)), "\(text)")
    }

    private func take(_ name: String, in group: Group, at node: Int) throws -> UInt64 {
        let ending = try group.run(
            "lock", [name, "--wait", "20s", "--", "sh", "-c", "echo $CONCLAVE_TOKEN"], at: node)
        try #require(ending.status == 0, "\(ending.errors)")
        return try token(ending.output)
    }

    @Test func `a killed daemon comes back, and the others serve meanwhile`() throws {
        let group = try Group.serving(of: 3)
        let first = try take("a", in: group, at: 1)
        group.kill(1)
        try group.waitUntilServing([2, 3], members: 2)
        let second = try take("a", in: group, at: 2)
        try group.start(1)
        try group.waitUntilServing()
        let third = try take("a", in: group, at: 1)
        #expect(first < second && second < third)
        #expect(try group.stop() == [0, 0, 0])
    }

    @Test func `a restart of everything keeps a held lock, and tokens grow`() throws {
        let group = try Group.serving(of: 3)
        let holder = try group.hold("kept", ["--ttl", "60s"], at: 1)
        let held = try token(holder.output)
        for node in 1...3 { group.kill(node) }
        for node in 1...3 { try group.start(node) }
        try group.waitUntilServing()
        let listed = try group.run("locks", ["kept", "--json"], at: 2).output
        #expect(listed.contains("\(held)"), "\(listed)")
        group.endHolding("kept")
        #expect(try holder.end().status == 0)
        #expect(try take("kept", in: group, at: 3) > held)
    }

    @Test func `a holder that dies is followed by the next at once`() throws {
        let group = try Group.serving(of: 3)
        let holder = try group.hold("a", at: 1)
        let waiter = try group.begin("lock", ["a", "--", "true"], at: 2)
        try wait(for: "the waiter") { try group.isQueued(1, for: "a") }
        let began = Date()
        holder.kill()
        #expect(try waiter.end().status == 0)
        // Far below the ttl of 5 s: nobody waited for it to run out.
        #expect(Date().timeIntervalSince(began) < 2)
    }

    @Test func `a daemon alone in the minority says so and does not serve`() throws {
        let group = try Group.serving(of: 3)
        group.kill(2)
        group.kill(3)
        try wait(for: "the word", seconds: 20) {
            let status = try group.run("status", ["--json"]).output
            return status.contains("\"serving\":false") && status.contains("waits for 2, 3")
        }
        // In the meantime a view of two may have been installed, which needs both of them.
        try group.start(2)
        try group.start(3)
        try group.waitUntilServing()
    }

    @Test func `SIGHUP takes over what may change and names what may not`() throws {
        let group = try Group.serving(of: 1)
        try group.configure(
            1, extra: "logLevel: debug\ntiming: { heartbeat: 50ms }\nmaxSessionTtl: 90s")
        try group.daemon(1).send(SIGHUP)
        try wait(for: "the word") { group.log(1).contains("at the founding of the group only") }
        #expect(group.log(1).contains("need a restart"))
        #expect(group.log(1).contains("keys=maxSessionTtl"))
        #expect(group.log(1).contains("keys=logLevel"))
        #expect(group.log(1).contains("keys=timing.heartbeat"))
        try group.run("status", [])
        try wait(for: "a line of the new level") { group.log(1).contains("client connected") }
    }

    @Test func `SIGHUP with a wrong file names the fault and changes nothing`() throws {
        let group = try Group.serving(of: 1)
        _ = try group.directory.write("node: one\n", to: "1.yaml")
        try group.daemon(1).send(SIGHUP)
        try wait(for: "the fault") { group.log(1).contains("`node` must be a number from 1 on") }
        #expect(try group.run("lock", ["a", "--", "true"]).status == 0)
    }

    @Test func `a daemon of one needs no configuration, and is for its user only`() throws {
        let directory = try TemporaryDirectory()
        let environment = [
            "HOME": directory.path, "XDG_RUNTIME_DIR": directory.file("run"),
            "XDG_STATE_HOME": directory.file("state"),
        ]
        let daemon = try Running(
            Programs.conclaved, ["--single"], environment: environment, in: directory)
        let socket = directory.file("run/conclave/conclave.sock")
        try wait(for: "the socket: \(daemon.errors)") {
            daemon.errors.contains("listening")
        }
        let mode = try FileManager.default.attributesOfItem(atPath: socket)[.posixPermissions]
        #expect(mode as? Int == 0o600)
        #expect(FileManager.default.fileExists(atPath: directory.file("state/conclave/identity")))
        let ending = try Running(
            Programs.conclave, ["lock", "a", "--socket", socket, "--", "true"], in: directory
        ).end()
        #expect(ending.status == 0, "\(ending.errors)")
        let adding = try Running(
            Programs.conclave, ["member", "add", "2", "10.0.0.2:7400", "--socket", socket],
            in: directory
        ).end()
        #expect(adding.status == 64)
        #expect(adding.errors.contains("without an address for other members"))
        daemon.send(SIGTERM)
        #expect(try daemon.end().status == 0)
    }
}
