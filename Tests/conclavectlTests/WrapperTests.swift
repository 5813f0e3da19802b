import Conclave
import Foundation
import TestSupport
import Testing

@testable import conclavectl

@Suite struct `A wrapped command` {
    /// A directory with `runs` (executable), `plain` (not) and a directory `folder`.
    private func withFiles(_ body: (String) throws -> Void) throws {
        let directory = "/tmp/conclavectl-test-\(UUID().uuidString)"
        let files = FileManager.default
        try files.createDirectory(
            atPath: "\(directory)/folder", withIntermediateDirectories: true)
        defer { try? files.removeItem(atPath: directory) }
        for (name, mode) in [("runs", 0o755), ("plain", 0o644)] {
            _ = files.createFile(
                atPath: "\(directory)/\(name)", contents: Data("#!/bin/sh\n".utf8),
                attributes: [.posixPermissions: mode])
        }
        try body(directory)
    }

    @Test func `is looked for before anything is taken for it`() throws {
        try withFiles { directory in
            let path = "/nowhere:\(directory)"
            try ProgramPath.check("runs", path: path)
            try ProgramPath.check("\(directory)/runs", path: "")
            #expect(throws: ProgramPath.Fault.notFound) {
                try ProgramPath.check("missing", path: path)
            }
            #expect(throws: ProgramPath.Fault.notFound) {
                try ProgramPath.check("\(directory)/missing", path: path)
            }
            #expect(throws: ProgramPath.Fault.notExecutable) {
                try ProgramPath.check("plain", path: path)
            }
            #expect(throws: ProgramPath.Fault.notExecutable) {
                try ProgramPath.check("folder", path: path)
            }
        }
    }

    /// Waits for the child's next change. The thread that starts a child must outlive it.
    private func change(of child: ChildProcess) -> ChildProcess.Change? {
        waitUntilReadable([child.descriptor], milliseconds: 10_000)
        return child.change {}
    }

    @Test @MainActor func `passes on how it ended`() throws {
        #expect(change(of: try ChildProcess(["sh", "-c", "exit 3"])) == .ended(.exited(3)))
        #expect(
            change(of: try ChildProcess(["sh", "-c", "kill -9 $$"]))
                == .ended(.killed(signal: 9)))
    }

    @Test @MainActor func `has a process group of its own, which is signalled as a whole`() throws {
        let child = try ChildProcess(["sh", "-c", "sleep 100 | sleep 100"])
        #expect(getpgid(child.pid) == child.pid)
        child.signalGroup(SIGTERM)
        #expect(change(of: child) == .ended(.killed(signal: SIGTERM)))
    }

    @Test @MainActor func `that cannot be executed says why`() {
        let failure = #expect(throws: ChildProcess.StartFailure.self) {
            try ChildProcess(["/nowhere/to/be/found"])
        }
        #expect(failure?.number == ENOENT)
    }

    /// As if the program had been stopped between the grant and the start.
    @Test @MainActor func `is not started once the deadline of what it is to hold has passed`()
        async throws
    {
        let daemon = ScriptedDaemon()
        defer { daemon.stop() }
        let trace = "/tmp/conclavectl-test-\(UUID().uuidString)"
        defer { unlink(trace) }
        let request = HoldRequest(
            kind: .lock(.exclusive), name: "a", priority: 0, onLoss: .notify, socket: daemon.path,
            label: "test")
        let narrator = Narrator(json: false, noun: "name", name: "a")
        var wrapper = Wrapper(request, ["touch", "\(trace)"], narrator, WrapperSignals())
        waitUntilReadable([wrapper.holder.inbox.descriptor], milliseconds: 10_000)
        daemon.extend(by: .seconds(-1))
        #expect(wrapper.run().code == ExitStatus.lost)
        #expect(access(trace, F_OK) == -1)
    }
}
