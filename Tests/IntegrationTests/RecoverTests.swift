import Foundation
import TestSupport
import Testing

/// A majority of real daemons is lost for good.
@Suite(.serialized) struct `A lost majority` {
    private func take(_ name: String, in group: Group, at node: Int) throws -> UInt64 {
        let ending = try group.run(
            "lock", [name, "--wait", "30s", "--", "sh", "-c", "echo $CONCLAVE_TOKEN"], at: node,
            seconds: 40)
        try #require(ending.status == 0, "\(ending.errors)")
        let text = ending.output.trimmingCharacters(in: .whitespacesAndNewlines)
        return try #require(UInt64(text), "\(text)")
    }

    private func recover(_ group: Group, at node: Int) throws -> Running.Ending {
        try group.run("recover", ["--accept-data-loss", "--json"], at: node, seconds: 60)
    }

    @Test func `one that is left goes on, and the others come back as new members`() throws {
        let group = try Group.serving(of: 3, extra: "maxSessionTtl: 6s")
        let first = try take("a", in: group, at: 3)
        let holder = try group.hold("kept", at: 3)
        let early = try recover(group, at: 3)
        #expect(early.status == 1)
        #expect(early.errors.contains("nothing is lost"), "\(early.errors)")
        for node in 1...2 { group.kill(node) }
        try FileManager.default.removeItem(atPath: group.data(2))
        try wait(for: "the way out to be named", seconds: 20) {
            try group.run("status", ["--json"], at: 3).output.contains("conclave recover")
        }
        let careless = try group.run("recover", [], at: 3)
        #expect(careless.status == 64)
        #expect(careless.errors.contains("--accept-data-loss"))
        let began = Date()
        let recovered = try recover(group, at: 3)
        #expect(recovered.status == 0, "\(recovered.errors)")
        #expect(recovered.output.contains("\"members\":[3],\"removed\":[1,2]"))
        #expect(try holder.end().status == 76)
        try group.waitUntilServing([3], members: 1)
        // What the lost ones granted has run out by then.
        let second = try take("a", in: group, at: 3)
        #expect(Date().timeIntervalSince(began) > 6)
        #expect(second > first)
        #expect(second >> 48 > first >> 48)
        #expect(group.log(3).contains("the history was given up by hand"), "\(group.log(3))")

        try group.start(2)
        for node in 1...2 {
            let added = try group.run(
                "member", ["add", "\(node)", group.address(node)], at: 3, seconds: 60)
            #expect(added.status == 0, "\(added.errors)")
        }
        try group.waitUntilServing([2, 3], members: 2)
        // The other one still has what was given up.
        try group.start(1)
        try wait(for: "1 to be refused; its log: \(group.log(1))", seconds: 20) {
            group.log(1).contains("another history")
        }
        try wait(for: "1 to know", seconds: 20) {
            try group.run("status", ["--json"], at: 1).output.contains("was given up")
        }
        let late = try recover(group, at: 1)
        #expect(late.status == 1)
        #expect(late.errors.contains("goes on in another one"), "\(late.errors)")
        group.kill(1)
        try FileManager.default.moveItem(
            atPath: group.data(1), toPath: group.data(1) + "-old")
        try group.start(1)
        try group.waitUntilServing()
        #expect(try take("a", in: group, at: 1) > second)
        // A restart of everything stays in the new history.
        for node in 1...3 { group.kill(node) }
        for node in 1...3 { try group.start(node) }
        try group.waitUntilServing()
        #expect(try take("a", in: group, at: 2) >> 48 == second >> 48)
        #expect(try group.stop() == [0, 0, 0])
    }
}
