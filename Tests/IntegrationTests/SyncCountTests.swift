import Foundation
import TestSupport
import Testing

/// Speed is not bought with a promise: what is acknowledged was synced before.
@Suite(.serialized) struct `Syncs of the journal` {
    private static let putCount = 20

    /// How many syncs each member's journal had had after each put was acknowledged.
    private func syncs(of count: Int, extra: String = "") throws -> [[Int]] {
        let group = try Group(of: count, extra: extra)
        let shim = try SyncShim(in: group.directory)
        for node in 1...count {
            try group.start(node, environment: shim.environment(log: "syncs-\(node)"))
        }
        try group.waitUntilServing()
        let counts = try (0...Self.putCount).map { number in
            let ending = try group.run("put", ["key", "\(number)"])
            try #require(ending.status == 0, "\(ending)")
            return (1...count).map { node in
                shim.steps(in: "syncs-\(node)").count { $0.kind == .sync }
            }
        }
        #expect(try group.stop().allSatisfy { $0 == 0 })
        return counts
    }

    /// Each command opens a session as well: so this does not say when a sync was.
    @Test func `a majority's journals have had some for each command that changes something`()
        throws
    {
        let counts = try syncs(of: 3)
        for (before, after) in zip(counts, counts.dropFirst()) {
            let synced = zip(before, after).count { $0 < $1 }
            #expect(synced >= 2, "\(before), then \(after)")
        }
    }

    @Test func `nothing is acknowledged before they have come to their end`() throws {
        let group = try Group(of: 3)
        let shim = try SyncShim(in: group.directory)
        for node in 1...3 {
            try group.start(node, environment: shim.environment(log: "syncs-\(node)"))
        }
        try group.waitUntilServing()
        #expect(try group.run("put", ["key", "0"]).status == 0)
        let count = { (node: Int) in
            shim.steps(in: "syncs-\(node)").count { $0.kind == .sync }
        }
        try shim.holdSyncs()
        let before = (1...3).map(count)
        let put = try group.begin("put", ["key", "1"])
        try wait(for: "the syncs") { zip(before, (1...3).map(count)).allSatisfy { $0 < $1 } }
        // Long enough for many puts; no longer than a member's disk may hang.
        usleep(1_000_000)
        #expect(put.isRunning, "\(put.output)\(put.errors)")
        try shim.goOn()
        #expect(try put.end().status == 0)
        #expect(try group.run("get", ["key"]).output == "1\n")
        #expect(try group.stop() == [0, 0, 0])
    }

    @Test func `a state in memory costs none`() throws {
        let counts = try syncs(of: 1, extra: "durability: memory\n")
        #expect(counts.first == counts.last, "\(counts)")
    }
}
