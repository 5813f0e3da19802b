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

    @Test func `every put that is acknowledged alone has had one of its own on a majority`() throws
    {
        let counts = try syncs(of: 3)
        for (before, after) in zip(counts, counts.dropFirst()) {
            let synced = zip(before, after).count { $0 < $1 }
            #expect(synced >= 2, "\(before), then \(after)")
        }
    }

    @Test func `a state in memory costs none`() throws {
        let counts = try syncs(of: 1, extra: "durability: memory\n")
        #expect(counts.first == counts.last, "\(counts)")
    }
}
