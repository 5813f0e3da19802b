import Foundation
import TestSupport
import Testing

/// `examples/batch-job`: processes that meet at a barrier, and one that does not come.
@Suite(.serialized) struct `Example batch-job` {
    @Test func `each is told what all have said, and all have the same sum`() throws {
        let group = try Group.serving()
        let parties = try (0..<4).map { rank in
            try party(rank, in: group, ["--speed", "\(rank + 1)", "--limit", "100000"])
        }
        for ending in try parties.map({ try $0.end() }) {
            #expect(ending.status == 0, "\(ending)")
            #expect(ending.output.hasSuffix("\n9592 primes below 100000\n"), "\(ending)")
            for (rank, party) in parties.enumerated() {
                let line = "rank \(rank), process \(party.pid) on host \(host(of: rank)): "
                #expect(ending.output.contains("\(line)\(rank + 1)\n"), "\(ending)")
                #expect(ending.output.ranges(of: line).count == 2, "\(ending)")
            }
        }
        let shares = try parties.map { try #require($0.output.firstMatch(of: /counts from .*/)).0 }
        #expect(
            shares == [
                "counts from 0 to below 10000", "counts from 10000 to below 30000",
                "counts from 30000 to below 60000", "counts from 60000 to below 100000",
            ])
    }

    @Test func `who dies while it waits breaks the barrier at once, and is named`() throws {
        let group = try Group.serving()
        let parties = try (0..<3).map { try party($0, in: group, ["--timeout", "600"]) }
        try wait(for: "three of four") {
            let why = try group.run("why", ["primes", "--json"]).output
            return parties.allSatisfy { why.contains("\"pid\":\($0.pid)") }
        }
        parties[1].kill()
        for party in [parties[0], parties[2]] {
            try expectBroken(party.end(), by: 1, parties[1])
        }
    }

    @Test func `who dies on its way is named when the others have waited in vain`() throws {
        let group = try Group.serving()
        // Most numbers are the last one's: it counts for as long as it is let.
        let parties = try (0..<4).map { rank in
            let speed = rank == 3 ? "1000000" : "1"
            return try party(
                rank, in: group,
                ["--speed", speed, "--limit", "100000000000", "--timeout", "10"])
        }
        try wait(for: "its share: \(parties[3].errors)") {
            parties[3].output.contains("counts from")
        }
        parties[3].kill()
        for party in parties.prefix(3) {
            try expectBroken(party.end(seconds: 60), by: 3, parties[3])
        }
    }

    private func host(of rank: Int) -> Int { rank % 3 + 1 }

    private func party(_ rank: Int, in group: Group, _ options: [String]) throws -> Running {
        try group.example(
            "batch-job", ["primes", "--parties", "4", "--rank", "\(rank)"] + options,
            at: host(of: rank))
    }

    private func expectBroken(_ ending: Running.Ending, by rank: Int, _ party: Running) throws {
        #expect(ending.status == 1, "\(ending)")
        #expect(ending.output.contains("broken: "), "\(ending)")
        #expect(
            ending.output.contains(
                "rank \(rank) is missing: process \(party.pid) on host \(host(of: rank)), "
                    + "which has ended\n"), "\(ending)")
    }
}
