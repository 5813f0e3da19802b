import Foundation
import PacketSockets
import TestSupport
import Testing

/// `examples/chain-replication`: nodes come and are killed while clients put one key after the other.
@Suite(.serialized) struct `Example chain-replication` {
    @Test func `no acknowledged update is lost, whichever node of the chain is killed`() throws {
        let group = try Group.serving()
        var chain = try (1...3).map { try node("n\($0)", in: group, at: $0, rank: $0 - 1) }
        let clients = try (2...3).map {
            try group.example("chain-replication", ["fill", "store", "c\($0)"], at: $0)
        }
        try waitForUpdates(of: clients)
        chain.append(try node("n4", in: group, at: 1, rank: 3))
        try waitForUpdates(of: clients)
        // One in the middle, the head, and the tail, which has joined later.
        for position in [1, 0, 1] {
            chain.remove(at: position).kill()
            try waitForUpdates(of: clients)
        }
        #expect(chain.count == 1)
        chain.append(try node("n5", in: group, at: 2, rank: 1))
        try waitForUpdates(of: clients)
        // Whoever is left now never talked to any of the first nodes but one.
        chain.removeFirst().kill()
        try waitForUpdates(of: clients)

        for client in clients { client.kill() }
        let keys = clients.flatMap { $0.output.split(separator: "\n").map(String.init) }
        #expect(keys.count >= 2 * 7 * Self.updateCount)
        let got = try group.example("chain-replication", ["get", "store"] + keys).end(seconds: 60)
        #expect(got.status == 0, "\(got.errors)")
        let expected = keys.map { "\($0)=\($0.split(separator: "/").last ?? "")\n" }
        #expect(got.output == expected.joined())
    }

    @Test func `a tail that was paused with its host is cut out, and answers nobody any more`()
        throws
    {
        let group = try Group.serving()
        let chain = try (1...3).map { try node("n\($0)", in: group, at: $0, rank: $0 - 1) }
        let client = try group.example("chain-replication", ["fill", "store", "c"], at: 1)
        try waitForUpdates(of: [client])
        let reader = try PacketSocket.connected(to: socket("n3", in: group))
        reader.setPatience(seconds: 20)
        #expect(try ask(reader, "get c/1") == "value 1")
        try group.daemon(3).send(SIGSTOP)
        chain[2].send(SIGSTOP)
        try wait(for: "the pause") { chain[2].isStopped }
        // The kernel keeps these; the node reads them when its place is another one's.
        for _ in 1...100 { try reader.send(Array("get c/1".utf8)) }
        try wait(for: "a chain of two: \(chain[1].output)", seconds: 60) {
            chain[1].output.contains(": tail, rank 1 of 2\n")
        }
        try waitForUpdates(of: [client])
        chain[2].send(SIGCONT)
        while let answer = try? reader.receive() {
            #expect(String(decoding: answer, as: UTF8.self) == "elsewhere")
        }
        try group.daemon(3).send(SIGCONT)
        let ending = try chain[2].end(seconds: 60)
        #expect(ending.status == 1)
        #expect(ending.errors.contains("lost"), "\(ending)")
        client.kill()
    }

    @Test func `a request that is sent again is applied once`() throws {
        let group = try Group.serving(of: 1)
        let node = try node("n1", in: group, at: 1, rank: 0)
        let client = try PacketSocket.connected(to: socket("n1", in: group))
        client.setPatience(seconds: 20)
        #expect(try ask(client, "put c 1 k a") == "done")
        #expect(try ask(client, "put c 2 k b c") == "done")
        #expect(try ask(client, "put c 1 k a") == "done")
        #expect(try ask(client, "get k") == "value b c")
        #expect(try ask(client, "get l") == "absent")
        let long = String(repeating: "k", count: 256)
        #expect(try ask(client, "put c 3 \(long) a") == "invalid a key has at most 255 bytes")
        #expect(throws: (any Error).self) { try ask(client, "put c x k a") }
        #expect(node.isRunning)
    }

    @Test func `a newcomer that nobody could give the state does not begin an empty chain`() throws
    {
        let group = try Group.serving(of: 1)
        let first = try node("n1", in: group, at: 1, rank: 0)
        first.send(SIGSTOP)
        let second = try group.example(
            "chain-replication", ["node", "store", "--listen", socket("n2", in: group)])
        try wait(for: "the second: \(second.errors)") {
            second.output.contains("tail, rank 1 of 2")
        }
        first.kill()
        let ending = try second.end()
        #expect(ending.status == 1)
        #expect(ending.errors.contains("the last node that had the chain's state is gone"))
    }

    private static let updateCount = 50

    /// Each client has so many more acknowledged.
    private func waitForUpdates(of clients: [Running]) throws {
        for client in clients {
            let count = client.output.count { $0 == "\n" } + Self.updateCount
            try wait(for: "update \(count): \(client.errors)", seconds: 60) {
                client.output.count { $0 == "\n" } >= count
            }
        }
    }

    private func socket(_ name: String, in group: Group) -> String {
        group.directory.file("\(name).chain")
    }

    /// A node that has its place and the state.
    private func node(_ name: String, in group: Group, at daemon: Int, rank: Int) throws -> Running
    {
        let node = try group.example(
            "chain-replication", ["node", "store", "--listen", socket(name, in: group)], at: daemon)
        let sign = rank == 0 ? "rank 0 of 1" : "has the state"
        try wait(for: "node \(name): \(node.output) \(node.errors)", seconds: 60) {
            node.output.contains(sign) || !node.isRunning
        }
        try #require(node.isRunning, "\(node.errors)")
        #expect(node.output.contains("rank \(rank) of \(rank + 1)\n"), "\(node.output)")
        return node
    }

    private func ask(_ socket: PacketSocket, _ question: String) throws -> String {
        try socket.send(Array(question.utf8))
        return String(decoding: try socket.receive(), as: UTF8.self)
    }
}
