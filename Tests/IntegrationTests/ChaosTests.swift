import Foundation
import TestSupport
import Testing

/// What goes wrong by order, over three daemons.
@Suite(.serialized) struct `Chaos` {
    private static func group(_ extra: String = "chaos: true") throws -> Group {
        try Group.serving(
            extra: extra + "\ntiming: { heartbeat: 50ms, suspicion: 500ms, stall: 3s }")
    }

    private func chaos(
        _ group: Group, _ arguments: String..., at node: Int = 1
    ) throws -> Running.Ending {
        try group.run("chaos", arguments, at: node)
    }

    @Test func `is refused where the configuration does not allow it`() throws {
        let group = try Self.group("")
        let ending = try chaos(group, "stall", "--for", "1s")
        #expect(ending.status == 77 && ending.errors.contains("chaos: true"), "\(ending)")
    }

    @Test func `leaves out who is cut off, and lets it in again when that is over`() throws {
        let group = try Self.group()
        #expect(try chaos(group, "cut", "3", "--for", "0s").status == 64)
        let unknown = try chaos(group, "cut", "9")
        #expect(unknown.status == 64 && unknown.errors.contains("member 9 is not on"), "\(unknown)")
        #expect(try chaos(group, "cut", "1").errors.contains("is this host itself"))
        for node in 1...2 {
            let ending = try chaos(group, "cut", "3", "--for", "5m", "--json", at: node)
            #expect(ending.status == 0 && ending.output.contains("300000"), "\(ending)")
        }
        try wait(for: "a view of two", seconds: 60) { try group.isServing(1, members: 2) }
        #expect(try group.run("lock", ["a", "--", "true"]).status == 0)
        let outside = try group.run("lock", ["a", "--wait", "1s", "--", "true"], at: 3)
        #expect([1, 69].contains(outside.status), "\(outside)")
        #expect(group.log(1).contains("disturbed by order"))
        let status = try group.run("status", ["--json"])
        #expect(status.output.contains(#""disturbances":[{"disturbance":"cut","member":3,"#))
        let doctor = try group.run("doctor", [])
        #expect(doctor.output.contains("chaos: nothing goes to member 3"), "\(doctor)")
        for node in 1...2 { #expect(try chaos(group, "end", at: node).status == 0) }
        try wait(for: "a view of three", seconds: 60) { try group.isServing(3, members: 3) }
        #expect(group.log(1).contains("well again"))
        #expect(try group.run("status", ["--json"]).output.contains(#""disturbances":[]"#))
    }

    @Test func `a daemon that stands still is left out, and comes back`() throws {
        let group = try Self.group()
        let before = try group.epoch(of: 1)
        #expect(try chaos(group, "stall", "--for", "2s", at: 3).status == 0)
        try wait(for: "two views more", seconds: 60) {
            guard let before, let epoch = try group.epoch(of: 1) else { return false }
            return epoch >= before + 2
        }
        try wait(for: "a view of three", seconds: 60) { try group.isServing(3, members: 3) }
    }

    @Test func `a disk whose syncs take longer holds up who waits for it`() throws {
        let group = try Self.group()
        #expect(try chaos(group, "slow-disk", "700ms", "--for", "5m", at: 2).status == 0)
        for wrong in ["0s", "11s"] {
            let ending = try chaos(group, "slow-disk", wrong, at: 2)
            #expect(ending.status == 64 && ending.errors.contains("up to 10 s"), "\(ending)")
        }
        let begin = ContinuousClock.now
        #expect(try group.run("put", ["key", "value"]).status == 0)
        let took = ContinuousClock.now - begin
        #expect(took >= .milliseconds(600), "\(took)")
        #expect(try chaos(group, "end", at: 2).status == 0)
    }
}
