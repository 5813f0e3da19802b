import Foundation
import TestSupport
import Testing

/// The configuration as a shell sees it, over three daemons.
@Suite(.serialized) struct `The configuration` {
    private let group: Group

    init() throws {
        group = try Group.serving()
    }

    @discardableResult
    private func put(_ arguments: String..., at node: Int = 1) throws -> String {
        let ending = try group.run("put", arguments, at: node)
        #expect(ending.status == 0, "\(ending)")
        return ending.output.trimmingCharacters(in: .newlines)
    }

    private func get(_ arguments: String..., at node: Int = 1) throws -> Running.Ending {
        try group.run("get", arguments, at: node)
    }

    @Test func `what one host puts the others get, at once`() throws {
        for round in 1...5 {
            try put("db/primary", "10.0.0.\(round)", at: 1 + round % 3)
            for node in 1...3 {
                #expect(try get("db/primary", at: node).output == "10.0.0.\(round)\n")
            }
        }
    }

    @Test func `a key is compared, read as it was, listed and deleted`() throws {
        let first = try put("a/x", "1")
        try put("a/x", "2", "--if-version", first, at: 2)
        #expect(try group.run("put", ["a/x", "3", "--if-version", first]).status == 1)
        #expect(try group.run("put", ["a/x", "3", "--if-absent"]).status == 1)
        #expect(try get("a/x", "--at", first).output == "1\n")
        #expect(try get("a/x", "--at", "1970-01-01T00:00Z").status == 1)
        #expect(try get("a/x", "--local").output == "2\n")
        let script =
            "printf 'a\\377' | '\(Programs.conclave)' put bytes --socket '\(group.socket(1))'"
        let putting = try Running("/bin/sh", ["-c", script], in: group.directory).end()
        #expect(putting.status == 0, "\(putting)")
        #expect(try get("bytes", "--json").output.contains(#""valueBase64":"Yf8=""#))
        let transaction = try group.run(
            "transaction", ["--if-present", "a/x", "--put", "a/y=3", "--put", "b=4"], at: 3)
        #expect(transaction.status == 0)
        let keys = try group.run("list", ["a/", "--json"], at: 2).output
        #expect(keys.split(separator: "\n").count == 2)
        #expect(try group.run("list", ["a/", "--names-only"]).output == "a/x\na/y\n")
        #expect(keys.contains(#""key":"a/y","value":"3""#))
        #expect(try get("a/x", "--raw").output == "2")
        let late = try group.run("put", ["a/x", "9", "--if-version", "1"])
        #expect(late.status == 1)
        #expect(late.errors.contains("was to be at version 1"))
        #expect(try group.run("delete", ["a/x"]).status == 0)
        #expect(try get("a/x").status == 1)
        let large = String(repeating: "v", count: 60_000)
        let refused = try group.run("put", ["a/large", large])
        #expect(refused.status == 64)
        #expect(refused.errors.contains("slots.size"))
    }

    @Test func `an ephemeral key goes with its process`() throws {
        let holder = try group.begin("put", ["worker/1", "up", "--ephemeral"], at: 2)
        try wait(for: "the key: \(holder.errors)") { try get("worker/1").status == 0 }
        holder.kill()
        try wait(for: "the end of the key") { try get("worker/1").status == 1 }
    }

    @Test func `a watch goes on over the death of its daemon, without a gap`() throws {
        try put("w/0", "0")
        let watch = try group.begin("watch", ["w/", "--prefix", "--json"], at: 1)
        try wait(for: "the state: \(watch.errors)") {
            watch.output.contains("\"event\":\"state\"")
        }
        try put("w/1", "1")
        try wait(for: "the first change") { watch.output.contains(#""key":"w/1""#) }
        group.kill(1)
        try wait(for: "the doubt") { watch.output.contains("\"event\":\"doubtful\"") }
        for number in 2...6 { try put("w/\(number)", "\(number)", at: 2) }
        try group.start(1)
        try wait(for: "the rest: \(watch.output) \(watch.errors)", seconds: 60) {
            watch.output.contains(#""key":"w/6""#)
        }
        let puts = watch.output.split(separator: "\n").filter { $0.contains("\"event\":\"put\"") }
        let keys = puts.compactMap { $0.firstMatch(of: /"key":"([^"]*)"/)?.1 }
        #expect(keys == (1...6).map { "w/\($0)" })
        #expect(watch.output.contains("\"event\":\"assured\""))
        watch.kill()
    }

    @Test func `outside the majority only the own copy is read`() throws {
        try put("a", "1")
        try wait(for: "the copy") { try get("a", "--local", at: 1).output == "1\n" }
        group.kill(2)
        group.kill(3)
        try wait(for: "the end of service") {
            !(try group.isServing(1, members: 3))
        }
        let local = try get("a", "--local", "--json")
        #expect(local.output.contains(#""value":"1""#))
        #expect(local.output.contains(#""ageMilliseconds":"#))
        for command in ["locks", "sessions", "list"] {
            let copy = try group.run(command, ["--local"])
            #expect(copy.status == 0)
            #expect(copy.errors.contains("from node 1's own copy, of version "), "\(copy.errors)")
            #expect(copy.errors.contains("or later, at most "))
        }
        #expect(try get("a").status == 69)
        for (command, arguments) in [("put", ["b", "1"]), ("lock", ["b", "--", "true"])] {
            let waiting = try group.begin(command, arguments, at: 1)
            try wait(for: "the reason") {
                waiting.errors.contains("still waiting: node 1 is not serving: ")
            }
            waiting.kill()
        }
    }
}
