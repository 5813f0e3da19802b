import ConclaveBase
import ConclaveFabric
import ConclaveReactor
import ConclaveWire
import Testing

@Suite struct `The hello between members` {
    private func lower(
        lineage: Lineage = .none, settings: FabricSettings = FabricSettings()
    ) throws -> Site {
        try Site(
            first, peers: [second.node: .loopback(port: 0)], lineage: lineage, settings: settings)
    }

    @Test func `different configurations refuse each other in words`() throws {
        let lower = try lower()
        let upper = try Site(second, peers: [first.node: lower.address], digest: 8)
        #expect(
            try turn(lower, upper) {
                !lower.recorder.events.isEmpty && !upper.recorder.events.isEmpty
            })
        let refusal = FabricRefusal.configuration
        #expect(lower.recorder.whats == [.refused(refusal)])
        #expect(upper.recorder.whats == [.refusedByPeer("\(refusal)")])
        #expect(upper.recorder.events[0].address == lower.address)
        #expect(upper.recorder.events[0].node == first.node)
        #expect(lower.recorder.told.isEmpty)
        #expect(upper.recorder.told.isEmpty)
    }

    @Test(arguments: [Lineage.none, someLineage])
    func `what only founders must agree on is looked at before there is a group`(
        lineage: Lineage
    ) throws {
        let lower = try lower(lineage: lineage)
        let upper = try Site(second, peers: [first.node: lower.address], foundingDigest: 6)
        let isOver = try turn(lower, upper) {
            !upper.recorder.events.isEmpty || !upper.recorder.told.isEmpty
        }
        #expect(isOver)
        let refusal = FabricRefusal.configuration
        if lineage == .none {
            #expect(upper.recorder.whats == [.refusedByPeer("\(refusal)")])
        } else {
            #expect(upper.recorder.told == [.connected(first)])
        }
    }

    @Test func `different lineages refuse each other in words`() throws {
        let lower = try lower(lineage: someLineage)
        let upper = try Site(second, peers: [first.node: lower.address], lineage: otherLineage)
        #expect(
            try turn(lower, upper) {
                !lower.recorder.events.isEmpty && !upper.recorder.events.isEmpty
            })
        let refusal = FabricRefusal.lineage(theirs: otherLineage, own: someLineage)
        #expect(lower.recorder.whats == [.refused(refusal)])
        #expect(upper.recorder.whats == [.refusedByPeer("\(refusal)")])
    }

    @Test(arguments: [
        (someLineage, Lineage.none), (.none, someLineage), (someLineage, someLineage),
    ])
    func `no lineage fits to any`(lineages: (Lineage, Lineage)) throws {
        let lower = try lower(lineage: lineages.0)
        let upper = try Site(second, peers: [first.node: lower.address], lineage: lineages.1)
        #expect(try turn(lower, upper) { upper.recorder.told == [.connected(first)] })
        #expect(lower.recorder.told == [.connected(second)])
    }

    @Test func `a lineage that both adopt keeps the path, another one breaks it`() throws {
        let pair = try Pair()
        pair.lower.fabric.adopt(lineage: someLineage)
        pair.upper.fabric.adopt(lineage: someLineage)
        pair.lower.fabric.send([1], to: second.node)
        pair.upper.fabric.send([1], to: first.node)
        pair.lower.fabric.flush()
        pair.upper.fabric.flush()
        #expect(
            try pair.turn {
                pair.lower.recorder.controls.count == 1 && pair.upper.recorder.controls.count == 1
            })
        #expect(pair.lower.recorder.events.isEmpty)

        pair.upper.fabric.adopt(lineage: otherLineage)
        #expect(pair.upper.recorder.told.last == .control(from: first.node, [1]))
        #expect(
            try pair.turn {
                pair.lower.recorder.told.last == .disconnected(second.node, byPeer: false)
                    && pair.upper.recorder.told.last == .disconnected(first.node, byPeer: false)
            })
        #expect(
            pair.upper.recorder.whats.first
                == .refused(.lineage(theirs: someLineage, own: otherLineage)))
    }

    @Test func `a lineage adopted while the other end had none is told to it`() throws {
        let pair = try Pair()
        pair.lower.fabric.adopt(lineage: someLineage)
        pair.lower.fabric.send([1], to: second.node)
        pair.lower.fabric.flush()
        #expect(try pair.turn { pair.upper.recorder.controls == [[1]] })
        pair.upper.fabric.adopt(lineage: otherLineage)
        #expect(
            try pair.turn {
                pair.upper.recorder.told.last == .disconnected(first.node, byPeer: false)
            })
        #expect(
            pair.upper.recorder.whats.first
                == .refused(.lineage(theirs: someLineage, own: otherLineage)))
    }

    @Test(arguments: [true, false])
    func `who is left behind in a history that was given up is told`(isLower: Bool) throws {
        let lower = try lower(lineage: isLower ? someLineage : otherLineage)
        let upper = try Site(
            second, peers: [first.node: lower.address],
            lineage: isLower ? otherLineage : someLineage)
        let (behind, ahead) = isLower ? (lower, upper) : (upper, lower)
        ahead.fabric.adopt(lineage: otherLineage, givenUp: [someLineage])
        let node = isLower ? second.node : first.node
        #expect(try turn(lower, upper) { behind.recorder.told == [.givenUp(by: node)] })
        #expect(
            behind.recorder.whats.contains(
                .refused(.lineage(theirs: otherLineage, own: someLineage))))
        #expect(ahead.recorder.told.isEmpty)
    }

    @Test func `a lineage adopted during the hello is told with the next one`() throws {
        let listener = try TCPSocket.listen(on: .loopback(port: 0))
        let upper = try Site(
            second, peers: [first.node: try TCPSocket.localAddress(of: listener)])
        var accepted: Stranger?
        #expect(
            try turn(upper) {
                if accepted == nil, let next = try? TCPSocket.accept(from: listener) {
                    accepted = Stranger(next.socket)
                }
                return (try? accepted?.frames().count) == 1
            })
        let lower = try #require(accepted)
        upper.fabric.adopt(lineage: someLineage)
        try lower.send(Stranger.hello(first, to: second.node))
        #expect(try turn(upper) { (try? lower.frames().count) == 2 })
        let said = try lower.frames().map { FrameHeader.frame(type: $0.header.type, body: $0.body) }
        #expect(
            said == [
                Stranger.hello(second, to: first.node),
                Stranger.hello(second, to: first.node, lineage: someLineage),
            ])
    }

    @Test func `a wrong address is told by both ends`() throws {
        let lower = try lower()
        let third = Member(node: NodeID(3), incarnation: Incarnation(1))
        let upper = try Site(third, peers: [second.node: lower.address])
        #expect(
            try turn(lower, upper) {
                !lower.recorder.events.isEmpty && !upper.recorder.events.isEmpty
            })
        // Node 1 does not know node 3 either, and sees that first.
        #expect(lower.recorder.whats == [.refused(.unknownNode(third.node))])
        #expect(upper.recorder.told.isEmpty)

        let stranger = try Stranger(dialling: lower.address)
        try stranger.send(Stranger.hello(second, to: third.node))
        #expect(try turn(lower) { lower.recorder.events.count == 2 || stranger.isAtEnd })
        #expect(
            lower.recorder.whats.last
                == .refused(.wrongNode(meant: third.node, found: first.node)))
        #expect(lower.recorder.told.isEmpty)
    }

    @Test func `a node that was dialled for another one is refused`() throws {
        let listener = try TCPSocket.listen(on: .loopback(port: 0))
        let upper = try Site(
            Member(node: NodeID(3), incarnation: Incarnation(1)),
            peers: [
                first.node: try TCPSocket.localAddress(of: listener),
                second.node: .loopback(port: 1),
            ])
        var accepted: Descriptor?
        #expect(
            try turn(upper) {
                accepted = (try? TCPSocket.accept(from: listener))?.socket
                return accepted != nil
            })
        let answer = Stranger.hello(second, to: NodeID(3))
        _ = try answer.withUnsafeBytes { try #require(accepted).send($0) }
        let refusal = FabricRefusal.wrongNode(meant: first.node, found: second.node)
        #expect(try turn(upper) { upper.recorder.whats.contains(.refused(refusal)) })
        #expect(upper.recorder.told.isEmpty)
    }

    @Test func `other versions and directions are refused`() throws {
        let lower = try Site(
            second, peers: [first.node: .loopback(port: 1), NodeID(3): .loopback(port: 0)])
        let third = Member(node: NodeID(3), incarnation: Incarnation(1))
        let cases: [([UInt8], FabricRefusal)] = [
            (
                Stranger.hello(third, to: second.node, versions: (11, 12)),
                .version(theirs: 11...12, own: 10...10)
            ),
            (
                Stranger.hello(first, to: second.node),
                .wrongDirection(from: first.node, to: second.node)
            ),
            (
                Stranger.hello(second, to: second.node), .unknownNode(second.node)
            ),
        ]
        for (hello, refusal) in cases {
            let stranger = try Stranger(dialling: lower.address)
            try stranger.send(hello)
            var words: String?
            #expect(
                try turn(lower) {
                    words = try? stranger.refusal()
                    return words != nil
                })
            #expect(words == "\(refusal)")
        }
        #expect(lower.recorder.told.isEmpty)
    }

    @Test func `a second connection of a node takes the place of the first`() throws {
        let lower = try lower()
        let old = try Stranger(dialling: lower.address)
        try old.send(Stranger.hello(second, to: first.node))
        #expect(try turn(lower) { lower.recorder.connectedCount == 1 })

        var restarted = second
        restarted.incarnation = Incarnation(0xC3)
        let new = try Stranger(dialling: lower.address)
        try lower.look()
        // The new hello is ready before the last frame of the old connection.
        try new.send(Stranger.hello(restarted, to: first.node))
        try old.send(FrameHeader.frame(type: 3, body: [1]))
        try new.send(FrameHeader.frame(type: 3, body: [2]))
        #expect(try turn(lower) { lower.recorder.controls.count == 2 })
        #expect(
            lower.recorder.told == [
                .connected(second), .control(from: second.node, [1]),
                .disconnected(second.node, byPeer: true), .connected(restarted),
                .control(from: second.node, [2]),
            ])
        #expect(lower.recorder.whats == [.replaced])
        old.read()
        #expect(old.isAtEnd)
        new.read()
        #expect(!new.isAtEnd)
    }

    @Test func `a peer that starts late is found, and its absence is told once`() throws {
        let probe = try Site(first, peers: [:])
        let address = probe.address
        probe.fabric.close()
        var settings = FabricSettings()
        settings.lastDialPause = .milliseconds(20)
        let upper = try Site(second, peers: [first.node: address], settings: settings)
        let start = upper.reactor.now()
        #expect(try turn(upper) { upper.reactor.now().since(start) > .milliseconds(100) })
        #expect(upper.recorder.events.count == 1)
        guard case .dialFailed? = upper.recorder.whats.first else {
            Issue.record("\(upper.recorder.events)")
            return
        }
        let lower = try Site(first, peers: [second.node: .loopback(port: 0)], port: address.port)
        #expect(try turn(lower, upper) { upper.recorder.told == [.connected(first)] })
    }

    @Test func `a member that comes back is told with its new incarnation`() throws {
        let pair = try Pair()
        let address = pair.lower.address
        pair.lower.fabric.close()
        let restarted = Member(node: first.node, incarnation: Incarnation(0xA2))
        let again = try Site(
            restarted, peers: [second.node: .loopback(port: 0)], port: address.port)
        #expect(try turn(again, pair.upper) { pair.upper.recorder.connectedCount == 2 })
        #expect(
            pair.upper.recorder.told == [
                .connected(first), .disconnected(first.node, byPeer: true), .connected(restarted),
            ])
    }
}
