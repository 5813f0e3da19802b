import Foundation
import TestSupport
import Testing

/// A disk that fails one sync, and keeps what that covered readable.
@Suite(.serialized) struct `A failed sync` {
    @Test func `ends the daemon with 74, and the next start writes again what it covered`() throws {
        let group = try Group(of: 1)
        let shim = try SyncShim(in: group.directory)
        try group.start(1, environment: shim.environment(log: "first"))
        try group.waitUntilServing()
        try shim.failNextSync()
        let client = try group.begin("lock", ["a", "--wait", "30s", "--", "true"])
        #expect(try group.daemon(1).end().status == 74)
        let steps = shim.steps(in: "first")
        let failure = try #require(steps.last { $0.kind == .failedSync })
        let lost = try #require(steps.last { $0.kind == .write && $0.file == failure.file })

        try group.start(1, environment: shim.environment(log: "second"))
        try group.waitUntilServing()
        let again = shim.steps(in: "second").filter { $0.file == failure.file }
        let writes = again.prefix { $0.kind == .write }
        #expect(writes.contains { $0.bytes.contains(lost.bytes) }, "\(lost): \(again)")
        #expect(again.dropFirst(writes.count).first?.kind == .sync)
        client.kill()
        #expect(try group.run("lock", ["b", "--", "true"]).status == 0)
        #expect(try group.stop() == [0])
    }
}
