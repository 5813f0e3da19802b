import Foundation
import TestSupport
import Testing

/// Leases as a shell sees them, over three daemons.
@Suite(.serialized) struct `Leases` {
    private let group: Group

    init() throws {
        group = try Group.serving()
    }

    private func lease(
        _ arguments: String..., at node: Int = 1
    ) throws -> Running.Ending {
        try group.run("lease", arguments, at: node)
    }

    private func token(_ ending: Running.Ending) -> String {
        #expect(ending.status == 0, "\(ending)")
        return ending.output.trimmingCharacters(in: .newlines)
    }

    @Test func `one is granted, renewed, transferred and released, from any host`() throws {
        let first = token(
            try lease("grant", "backup/db", "--ttl", "30s", "--holder", "nightly"))
        let taken = try lease("grant", "backup/db", "--ttl", "30s", "--holder", "weekly", at: 2)
        #expect(taken.status == 1)
        #expect(taken.errors.contains("nightly has the lease under token \(first)"))
        let renewed = try lease("renew", "backup/db", "--token", first, "--json", at: 3)
        #expect(renewed.output.contains(#""token":\#(first)"#), "\(renewed)")
        let second = token(
            try lease("transfer", "backup/db", "--token", first, "--holder", "weekly", at: 2))
        #expect(second != first)
        #expect(try lease("renew", "backup/db", "--token", first).status == 76)
        let shown = try lease("show", "backup/db", at: 3)
        #expect(shown.output.contains("held by weekly (uid "), "\(shown)")
        #expect(try group.run("why", ["backup/db"]).output.contains("held by weekly"))
        #expect(try lease("list", "backup/", "--json").output.contains(#""holder":"weekly""#))
        #expect(try lease("release", "backup/db", "--token", second).status == 0)
        #expect(try lease("show", "backup/db", at: 2).status == 1)
        let wrong = try lease("grant", "backup/db", "--ttl", "10ms", "--holder", "h")
        #expect(wrong.status == 64 && wrong.errors.contains("timing.suspicion"), "\(wrong)")
    }

    @Test func `one outlives who asked for it and the death of a daemon, then ends by itself`()
        throws
    {
        _ = token(try lease("grant", "job", "--ttl", "6s", "--holder", "nightly", at: 1))
        group.kill(1)
        try wait(for: "the others to serve") { try lease("show", "job", at: 2).status == 0 }
        try wait(for: "the end of the lease") { try lease("show", "job", at: 2).status == 1 }
        #expect(
            try lease("grant", "job", "--ttl", "6s", "--holder", "weekly", at: 3).status == 0)
    }
}
