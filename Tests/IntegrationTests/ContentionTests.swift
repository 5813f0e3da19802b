import Foundation
import TestSupport
import Testing

/// Many command lines fight for one lock while daemons are killed and started again at random.
@Suite(.serialized) struct `Contention` {
    private static let contenders = 14
    private static let ttlSeconds = 5.0
    private static let waitSeconds = 10.0

    /// One attempt of one contender.
    private struct Attempt {
        let running: Running
        let began = Date()
    }

    @Test func `never two are inside, tokens grow, and nobody waits for long`() throws {
        let seconds: Double = Programs.areLongFormsWanted ? 120 : 20
        let group = try Group.serving(of: 3)
        _ = try group.directory.write(
            """
            echo "enter $CONCLAVE_TOKEN" >> "$1"
            sleep 0.0$(($$ % 5))
            echo "leave $CONCLAVE_TOKEN" >> "$1"

            """, to: "inside.sh")
        var random = SystemRandomNumberGenerator()
        var attempts: [Attempt] = []
        var endings: [Int32: Int] = [:]
        var kills = KillSchedule(seconds: seconds)
        let end = Date(timeIntervalSinceNow: seconds)
        while Date() < end || !attempts.isEmpty {
            try kills.step(group)
            while Date() < end, attempts.count < Self.contenders {
                attempts.append(try attempt(group, node: Int.random(in: 1...3, using: &random)))
            }
            attempts = try attempts.filter { attempt in
                try check(attempt, endings: &endings)
            }
            Thread.sleep(forTimeInterval: 0.005)
        }
        try kills.heal(group)
        #expect(endings[0, default: 0] > 50, "\(endings)")
        #expect(Set(endings.keys).isSubset(of: [0, 1, 69, 75, 76]), "\(endings)")
        try checkHistory(group.directory.read("history"), lost: endings[76, default: 0])
        #expect(try group.run("lock", ["contended", "--wait", "15s", "--", "true"]).status == 0)
        let left = try group.run("locks", ["contended", "--json"]).output
        #expect(!left.contains("\"position\""), "\(left)")
        #expect(try group.stop() == [0, 0, 0])
    }

    private func attempt(_ group: Group, node: Int) throws -> Attempt {
        let arguments = [
            "contended", "--wait", "\(Int(Self.waitSeconds))s", "--", "sh",
            group.directory.file("inside.sh"), group.directory.file("history"),
        ]
        return Attempt(running: try group.begin("lock", arguments, at: node))
    }

    /// Whether it still goes on.
    private func check(_ attempt: Attempt, endings: inout [Int32: Int]) throws -> Bool {
        let limit = Self.waitSeconds + Self.ttlSeconds + 10
        guard !attempt.running.isRunning else {
            let waited = Date().timeIntervalSince(attempt.began)
            try #require(waited < limit, "one has waited for \(waited) s")
            return true
        }
        endings[try attempt.running.end().status, default: 0] += 1
        return false
    }

    /// Each holder leaves before the next one enters, but for those that were told they lost it.
    private func checkHistory(_ history: String, lost: Int) throws {
        var last: UInt64 = 0
        var inside: UInt64?
        var neverLeft = 0
        for line in history.split(separator: "\n") {
            let words = line.split(separator: " ")
            let token = try #require(words.last.flatMap { UInt64($0) }, "\(line)")
            if words[0] == "enter" {
                #expect(token > last, "token \(token) after \(last)")
                if inside != nil { neverLeft += 1 }
                last = token
                inside = token
            } else {
                #expect(inside == token, "\(token) leaves while \(inside ?? 0) is inside")
                inside = nil
            }
        }
        #expect(neverLeft <= lost, "\(neverLeft) were overtaken, \(lost) know that they lost it")
    }
}

/// Kills a daemon every now and then, sometimes all, and starts it again a little later.
private struct KillSchedule {
    private var random = SystemRandomNumberGenerator()
    private var nextKill = Date(timeIntervalSinceNow: 2)
    private var restarts: [(node: Int, at: Date)] = []
    private let end: Date

    init(seconds: Double) {
        end = Date(timeIntervalSinceNow: seconds)
    }

    mutating func step(_ group: Group) throws {
        let now = Date()
        for restart in restarts where restart.at <= now { try group.start(restart.node) }
        restarts.removeAll { $0.at <= now }
        guard now >= nextKill, now < end, restarts.isEmpty else { return }
        let victims =
            Int.random(in: 0..<10, using: &random) == 0 ? [1, 2, 3] : [Int.random(in: 1...3)]
        for node in victims {
            group.kill(node)
            let pause = Double.random(in: 0.1...1, using: &random)
            restarts.append((node, now.addingTimeInterval(pause)))
        }
        nextKill = now.addingTimeInterval(Double.random(in: 2...5, using: &random))
    }

    mutating func heal(_ group: Group) throws {
        for restart in restarts { try group.start(restart.node) }
        restarts = []
        try group.waitUntilServing()
    }
}
