import Foundation
import TestSupport
import Testing

/// What happened, as a shell is told it, on real daemons.
@Suite(.serialized) struct `Histories` {
    private let group: Group

    init() throws {
        group = try Group.serving()
    }

    private func history(_ arguments: String..., at node: Int = 1) throws -> Running.Ending {
        try group.run("history", arguments, at: node)
    }

    private struct Told: Decodable {
        struct Event: Decodable {
            var version: UInt64
            var kind: String
            var what: String
            var reason: String?
        }
        struct State: Decodable {
            struct Holder: Decodable {
                var pid: UInt32?
                var token: UInt64
            }
            var kind: String
            var holders: [Holder]
        }
        var events: [Event]
        var states: [State]
    }

    private func told(_ arguments: String..., at node: Int = 1) throws -> Told {
        let ending = try group.run("history", arguments + ["--json"], at: node)
        return try JSONDecoder().decode(Told.self, from: Data(ending.output.utf8))
    }

    @Test func `of a lock and of a lease, from any host, and of who held it when`() throws {
        #expect(try group.run("lock", ["db/migrate", "--", "/bin/true"]).status == 0)
        #expect(try group.run("lock", ["db/migrate", "--", "/bin/true"], at: 2).status == 0)
        let lease = try group.run(
            "lease", ["grant", "db/migrate", "--ttl", "30s", "--holder", "nightly"])
        #expect(lease.status == 0, "\(lease)")
        let all = try told("db/migrate", at: 3)
        #expect(all.events.map(\.what) == ["granted", "ended", "granted", "ended", "granted"])
        #expect(all.events.map(\.kind) == ["lock", "lock", "lock", "lock", "lease"])
        let second = all.events[2].version
        let then = try told("db/migrate", "--kind", "lock", "--at", "\(second)", at: 2)
        #expect(then.states.map { $0.holders.map(\.token) } == [[second]])
        #expect(then.events.map(\.version) == [second])
        let text = try history("db/migrate", "--kind", "lock", "--limit", "1")
        #expect(text.status == 0 && text.output.contains("lock released by session "), "\(text)")
        #expect(text.output.contains("older events are left out"))
        let at = try history("db/migrate", "--at", "\(second)")
        #expect(at.output.contains("at version \(second) lock db/migrate was held by"), "\(at)")
    }

    @Test func `of nothing, of what is still to come, and of what a dead daemon held`() throws {
        let nothing = try history("never")
        #expect(nothing.status == 0 && nothing.output.contains("nothing has happened to never"))
        #expect(try history("never", "--at", "18446744073709551615").status == 64)
        #expect(try history("never", "--limit", "0").status == 64)
        let holder = try group.hold("held", ["--ttl", "3s"], at: 1)
        #expect(try told("held", at: 2).events.count == 1)
        group.kill(1)
        try wait(for: "the end of the session") {
            let ending = try history("held", "--json", at: 2)
            return ending.status == 0 && ending.output.contains(#""reason":"hostLost""#)
        }
        #expect(try holder.end().status == 76)
    }
}
