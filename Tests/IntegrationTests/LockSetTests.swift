import Foundation
import TestSupport
import Testing

/// Several locks as one, as a shell takes them, over three daemons.
@Suite(.serialized) struct `Locks taken as one` {
    private let group: Group

    init() throws {
        group = try Group.serving()
    }

    private func why(_ name: String) throws -> String {
        try group.run("why", [name], at: 3).output
    }

    @Test func `are all had or none, and the command is told of all of them`() throws {
        let holder = try group.hold("account-9")
        let busy = try group.run(
            "lock", ["account-7", "--and", "account-9", "--try", "--", "true"], at: 2)
        #expect(
            busy.status == 1 && busy.errors.contains("lock account-9 is held by session"), "\(busy)"
        )
        #expect(busy.errors.contains("(node 1, pid "), "\(busy)")
        #expect(try why("account-7").contains("nobody holds or awaits"))
        let waiter = try group.begin(
            "lock",
            [
                "account-9", "--and", "account-7", "--json", "--", "sh", "-c",
                "echo \"$CONCLAVE_NAME\"; echo $CONCLAVE_TOKEN",
            ], at: 2)
        try wait(for: "account-7 to be kept: \(waiter.errors)") {
            try why("account-7").contains("this one kept for it, now for lock account-9")
        }
        let other = try group.run("lock", ["account-7", "--try", "--", "true"])
        #expect(other.status == 1 && other.errors.contains("kept for session"), "\(other)")
        group.endHolding("account-9")
        #expect(try holder.end().status == 0)
        let ending = try waiter.end()
        #expect(ending.status == 0, "\(ending)")
        let lines = ending.output.split(separator: "\n")
        #expect(lines.prefix(2) == ["account-7", "account-9"])
        #expect(ending.errors.contains(#""names":["account-7","account-9"]"#), "\(ending)")
        let token = try #require(lines.last)
        for name in ["account-7", "account-9"] {
            let told = try group.run("history", [name, "--limit", "1"])
            #expect(told.output.contains("token \(token)"), "\(told)")
            #expect(told.output.contains("lock released by"), "\(told)")
        }
    }

    @Test func `go on for others when whoever waits for them is killed`() throws {
        let holder = try group.hold("b")
        let waiter = try group.begin("lock", ["a", "--and", "b", "--", "true"], at: 2)
        try wait(for: "a to be kept: \(waiter.errors)") {
            try why("a").contains("this one kept for it")
        }
        let behind = try group.begin("lock", ["a", "--", "true"], at: 3)
        waiter.send(SIGKILL)
        #expect(try behind.end().status == 0)
        group.endHolding("b")
        #expect(try holder.end().status == 0)
    }
}
