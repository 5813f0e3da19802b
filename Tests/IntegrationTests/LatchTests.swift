import Foundation
import TestSupport
import Testing

/// Latches as a shell sees them, over three daemons.
@Suite(.serialized) struct `Latches` {
    private let group: Group

    init() throws {
        group = try Group.serving()
    }

    private func latch(_ arguments: String..., at node: Int = 1) throws -> Running.Ending {
        try group.run("latch", arguments, at: node)
    }

    @Test func `who waits goes on when it is open, and who comes later at once`() throws {
        #expect(try latch("started").status == 1)
        let waiter = try group.begin("latch", ["started", "--count", "2", "--wait"], at: 3)
        try wait(for: "the waiter: \(waiter.errors)") {
            try latch("started").output.contains("awaited by 1")
        }
        #expect(try group.run("why", ["started"]).output.contains("latch started, 2 of 2 remain"))
        let first = try latch("started", "--count", "2", "--down")
        #expect(first.status == 0 && first.output == "1\n", "\(first)")
        let other = try latch("started", "--count", "3", "--down")
        #expect(other.status == 64 && other.errors.contains("count of 2, not of 3"), "\(other)")
        let late = try latch("started", "--count", "2", "--wait", "--timeout", "100ms", at: 2)
        #expect(late.status == 1, "\(late)")
        let last = try latch("started", "--count", "2", "--down", "--json", at: 2)
        #expect(last.output.contains(#""count":2,"remaining":0"#), "\(last)")
        #expect(try waiter.end().status == 0)
        #expect(try latch("started", "--count", "2", "--wait", at: 2).status == 0)
        #expect(try latch("started", at: 3).status == 0)
        #expect(try group.run("latches", ["st", "--json"]).output.contains(#""remaining":0"#))
        #expect(try latch("started", "--remove", at: 2).status == 0)
        #expect(try latch("started", "--remove").status == 1)
        #expect(try latch("started").status == 1)
    }

    @Test func `what was counted stays, through the death of all daemons`() throws {
        #expect(try latch("job", "--count", "2", "--down", at: 1).status == 0)
        group.kill(1)
        try wait(for: "the others to serve", seconds: 60) {
            try latch("job", at: 2).output.contains("1 of 2 remain")
        }
        for node in 2...3 { group.kill(node) }
        for node in 1...3 { try group.start(node) }
        try wait(for: "all to serve again", seconds: 60) {
            try latch("job", "--count", "2", "--down", at: 3).status == 0
        }
        #expect(try latch("job", "--count", "2", "--wait", "--timeout", "30s").status == 0)
    }

    @Test func `a wait that is interrupted is given up, and a removed latch is told`() throws {
        let waiter = try group.begin("latch", ["gone", "--count", "1", "--wait"], at: 2)
        try wait(for: "the waiter: \(waiter.errors)") {
            try latch("gone").output.contains("awaited by 1")
        }
        #expect(try latch("gone", "--remove").status == 0)
        let ending = try waiter.end()
        #expect(ending.status == 1 && ending.errors.contains("was removed"), "\(ending)")
        let other = try group.begin("latch", ["gone", "--count", "1", "--wait"], at: 2)
        try wait(for: "the waiter: \(other.errors)") {
            try latch("gone").output.contains("awaited by 1")
        }
        other.send(SIGINT)
        #expect(try other.end().status == 130)
        #expect(try latch("gone").output.contains("nobody has counted down"))
    }
}
