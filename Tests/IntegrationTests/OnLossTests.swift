import Conclave
import Foundation
import TestSupport
import Testing

/// Processes that hang and are stopped by their daemon: the others of three are gone, so that
/// nothing extends their sessions.
@Suite(.serialized) struct `Holders that are stopped` {
    private let group: Group

    init() throws {
        group = try Group.serving()
    }

    /// Lets the others go as soon as somebody holds `name`, and tells when the daemon has acted.
    private func cutOff(when name: String, says sentence: String) throws {
        try wait(for: "the lock") { try group.run("why", [name]).output.contains("held by") }
        for node in [2, 3] { group.kill(node) }
        try wait(for: "the signal: \(group.log(1))") { group.log(1).contains(sentence) }
    }

    @Test func `one that hangs is killed`() async throws {
        let socket = group.socket(1)
        async let end: Void = {
            _ = await #expect(processExitsWith: .signal(SIGKILL)) { [socket = socket as String] in
                let conclave = try await Conclave.connect(socket: socket, ttl: .seconds(3))
                try await conclave.withLock("job", onLoss: .kill) { _ in _ = sleep(60) }
            }
        }()
        try cutOff(when: "job", says: "a process is stopped before it loses what it holds")
        await end
    }

    @Test func `one that is frozen finds that it has lost what it held when it goes on`()
        async throws
    {
        let socket = group.socket(1)
        async let end: Void = {
            _ = await #expect(processExitsWith: .exitCode(76)) { [socket = socket as String] in
                let conclave = try await Conclave.connect(socket: socket, ttl: .seconds(3))
                do {
                    try await conclave.withLock("job", onLoss: .freeze) { _ in
                        try await Task.sleep(for: .seconds(60))
                    }
                } catch let error as ConclaveError where error.code == .lost {
                    exit(76)
                }
            }
        }()
        try cutOff(when: "job", says: "a process stands still before it loses what it holds")
        let line = try #require(
            group.log(1).split(separator: "\n").last { $0.contains("stands still") })
        let pid = try #require(line.firstMatch(of: /pid=([0-9]+)/).flatMap { Int32($0.output.1) })
        try wait(for: "the process to stand still") {
            try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8).contains(") T ")
        }
        // Its deadline passes meanwhile.
        usleep(1_500_000)
        kill(pid, SIGCONT)
        await end
    }

    @Test func `one that is forced is killed before the next has the lock`() async throws {
        let socket = group.socket(1)
        async let end: Void = {
            _ = await #expect(processExitsWith: .signal(SIGKILL)) { [socket = socket as String] in
                let conclave = try await Conclave.connect(socket: socket)
                try await conclave.withLock("job", onLoss: .kill) { _ in _ = sleep(60) }
            }
        }()
        try wait(for: "the lock") { try group.run("why", ["job"]).output.contains("held by") }
        let forced = try group.run("release", ["job", "--within", "0s", "--force"], at: 2)
        #expect(forced.status == 0, "\(forced)")
        await end
        #expect(try group.run("lock", ["job", "--", "true"], at: 3).status == 0)
    }

    /// What cannot be kept is refused when it is asked for.
    @Test(.enabled(if: getuid() == 0))
    func `a daemon that may not signal the process says so at once`() async throws {
        let directory = try TemporaryDirectory()
        chmod(directory.path, 0o777)
        let socket = directory.file("single.sock")
        let daemon = try Running(
            "/usr/bin/setpriv",
            [
                "--reuid", "65534", "--clear-groups", Programs.conclaved, "--single", "--data",
                directory.file("data"), "--socket", socket,
            ], in: directory)
        defer { daemon.kill() }
        try wait(for: "the daemon: \(daemon.errors)") {
            daemon.errors.contains("listening")
        }
        let conclave = try await Conclave.connect(socket: socket)
        let error = await #expect(throws: ConclaveError.self) {
            try await conclave.tryLock("job", onLoss: .kill)?.release()
        }
        #expect(error?.code == .denied)
        try await conclave.tryLock("job")?.release()
        await conclave.close()
    }
}
