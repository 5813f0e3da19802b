import Foundation
import TestSupport
import Testing

/// What an administrator can do about who holds something, over three daemons.
@Suite(.serialized) struct `Revoking` {
    private let group: Group

    init() throws {
        group = try Group.serving()
    }

    private func session(of name: String, label: String) throws -> String {
        let report = try group.run("why", [name, "--json"]).output
        let pattern = try Regex(#""session":([0-9]+)[^{}]*"label":"\#(label)""#)
        let match = try #require(report.firstMatch(of: pattern), "\(report)")
        return String(try #require(match.output[1].substring))
    }

    @Test func `a command under a lock is asked, and the lock is given back when it has ended`()
        throws
    {
        let holder = try group.begin(
            "lock", ["job", "--", "sh", "-c", "trap 'exit 7' TERM; while :; do sleep 0.1; done"],
            at: 2)
        try wait(for: "the lock: \(holder.errors)") {
            try group.run("why", ["job"]).output.contains("held by")
        }
        let tried = try group.run("lock", ["job", "--try", "--", "true"])
        #expect(tried.errors.contains("(see 'conclave why job')"), "\(tried)")
        let misspelt = try group.run("lock", ["job", "--tries", "--", "true"])
        #expect(misspelt.errors.contains("(see 'conclave lock --help')"), "\(misspelt)")
        let mistaken = try group.run("resign", ["job"])
        #expect(mistaken.status == 1)
        #expect(mistaken.errors.contains("but lock job is held: see 'conclave release'"))
        let released = try group.run("release", ["job", "--json"], at: 1, seconds: 40)
        #expect(released.status == 0, "\(released)")
        #expect(released.output.contains(#""released":true,"wasHeld":true,"#), "\(released)")
        let ending = try holder.end()
        #expect(ending.status == 7)
        #expect(ending.errors.contains("an administrator asks for job within 30 s"), "\(ending)")
        #expect(try group.run("release", ["job"]).status == 1)
    }

    @Test func `who does not let go is told of, and loses its session by force`() throws {
        let holder = try group.begin(
            "lock", ["job", "--", "sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"], at: 3)
        try wait(for: "the lock: \(holder.errors)") {
            try group.run("why", ["job"]).output.contains("held by")
        }
        let refused = try group.run("release", ["job", "--within", "1s"])
        #expect(refused.status == 1)
        #expect(refused.errors.contains("--force ends its session"), "\(refused)")
        let forced = try group.run("release", ["job", "--within", "0s", "--force"], at: 1)
        #expect(forced.status == 0, "\(forced)")
        let next = try group.run("lock", ["job", "--", "sh", "-c", "echo $CONCLAVE_PREVIOUS_END"])
        #expect(next.output == "forced\n", "\(next)")
        let ending = try holder.end()
        #expect(ending.status == 76)
        #expect(ending.errors.contains("an administrator has ended the session"), "\(ending)")
    }

    @Test func `a leader hands over to the standby that is named`() throws {
        let command = ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done"]
        var candidates: [Running] = []
        for (node, value) in [(1, "first"), (2, "second"), (3, "third")] {
            candidates.append(
                try group.begin("elect", ["s", "--value", value, "--"] + command, at: node))
            try wait(for: "\(value)") {
                let why = try group.run("why", ["s", "--json"]).output
                return why.components(separatedBy: #""session":"#).count == node + 1
            }
        }
        let sessions = try group.run("why", ["s", "--json"]).output
            .matches(of: /"session":([0-9]+)/).map { String($0.output.1) }
        #expect(sessions.count == 3)
        let third = try #require(sessions.last)
        let moved = try group.run("handover", ["s", "--to", third], at: 2, seconds: 40)
        #expect(moved.status == 0, "\(moved)")
        try wait(for: "the third to lead") {
            try group.run("leader", ["s"]).output.contains("third")
        }
        #expect(try candidates[0].end().status == 0)
        #expect(try group.run("resign", ["s"], at: 1, seconds: 40).status == 0)
        try wait(for: "the second to lead") {
            try group.run("leader", ["s"]).output.contains("second")
        }
        #expect(try group.run("evict", [sessions[1]]).status == 0)
        #expect(try candidates[1].end().status == 76)
        #expect(try candidates[2].end().status == 0)
        let unknown = try group.run("evict", ["1", "--json"])
        #expect(unknown.status == 1)
        #expect(unknown.errors.contains(#""advice":"see 'conclave sessions'""#), "\(unknown)")
    }
}
