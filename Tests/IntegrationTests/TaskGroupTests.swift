import Foundation
import TestSupport
import Testing

/// Task groups as the command shows them.
@Suite(.serialized) struct `Task groups` {
    @Test func `members on all hosts see the same, through the death of a host`() throws {
        let group = try Group.serving(of: 3)
        let first = try group.begin("group", ["join", "w", "--attribute", "gpu=2"], at: 1)
        try wait(for: "the first: \(first.errors)") { first.output.contains("1 member:") }
        let second = try group.begin("group", ["join", "w", "--", "sleep", "600"], at: 2)
        let follower = try group.begin("group", ["members", "w", "--follow"], at: 3)
        try wait(for: "both: \(first.output) \(second.errors)") {
            first.output.contains("2 members:") && follower.output.contains("2 members:")
        }
        #expect(try group.run("group", ["send", "w", "hello"]).status == 0)
        try wait(for: "the message: \(first.output)") { first.output.contains(": hello") }
        group.kill(2)
        try wait(for: "the view: \(first.output)", seconds: 60) {
            first.output.contains("(hostLost)") && follower.output.contains("(hostLost)")
        }
        #expect(try group.run("group", ["send", "w", "again"]).status == 0)
        try wait(for: "the message: \(first.output)") { first.output.contains(": again") }
        let messages = first.output.split(separator: "\n").filter { $0.hasPrefix("message") }
        #expect(messages.count == 2)
        first.kill()
        second.kill()
        try wait(for: "the last view: \(follower.output)") {
            follower.output.contains("(died)")
        }
        follower.kill()
    }

    @Test func `a member goes on over a restart of its daemon, without loss or double`() throws {
        let group = try Group.serving(of: 3)
        let member = try group.begin("group", ["join", "w"], at: 1)
        try wait(for: "the member: \(member.errors)") { member.output.contains("1 member:") }
        #expect(try group.run("group", ["send", "w", "m1"], at: 2).status == 0)
        group.kill(1)
        #expect(try group.run("group", ["send", "w", "m2"], at: 2).status == 0)
        try group.start(1)
        #expect(try group.run("group", ["send", "w", "m3"], at: 2).status == 0)
        try wait(for: "all: \(member.output) \(member.errors)", seconds: 60) {
            member.output.contains(": m3") || !member.isRunning
        }
        let told = member.output.split(separator: "\n").filter { $0.hasPrefix("message") }
        #expect(told.map { $0.suffix(2) } == ["m1", "m2", "m3"])
        member.kill()
    }

    @Test func `exit codes say what became of a membership`() throws {
        let group = try Group.serving(of: 1)
        #expect(try group.run("group", ["send", "w", "x"]).status == 1)
        let nobody = try group.run("group", ["evict", "w", "5"])
        #expect(nobody.status == 1)
        #expect(nobody.errors.contains("(see 'conclave group members w')"), "\(nobody)")
        #expect(try group.run("group", ["members", "w"]).status == 0)
        #expect(try group.run("group", ["join", "w", "--", "sh", "-c", "exit 7"]).status == 7)
        #expect(try group.run("group", ["join", "w", "--", "/nonexistent"]).status == 127)
        let member = try group.begin("group", ["join", "w", "--", "sleep", "600"], at: 1)
        var token = ""
        try wait(for: "the member: \(member.errors)") {
            let shown = try group.run("group", ["members", "w", "--json"]).output
            token = shown.firstMatch(of: /"member":([0-9]+)/).map { String($0.1) } ?? ""
            return !token.isEmpty
        }
        #expect(try group.run("group", ["evict", "w", token]).status == 0)
        #expect(try member.end().status == 76)
        let listener = try group.begin("group", ["join", "w", "--ttl", "3s"])
        try wait(for: "the listener: \(listener.errors)") { listener.output.contains("1 member:") }
        group.kill(1)
        #expect(try listener.end().status == 76)
    }
}
