import ConclaveBase
import ConclaveFabric
import ConclaveReactor
import ConclaveWire
import Testing

@Suite struct `Strangers and bad frames` {
    /// Node 1, to which this test speaks as node 2.
    private func site(_ settings: FabricSettings = FabricSettings()) throws -> Site {
        try Site(first, peers: [second.node: .loopback(port: 0)], settings: settings)
    }

    @Test(arguments: [
        Array("GET / HTTP/1.1\r\nHost: conclave\r\n\r\n".utf8),
        [UInt8](repeating: 0, count: 64), [UInt8](repeating: 0xFF, count: 64),
        FrameHeader.frame(type: 1, body: [UInt8](repeating: 0x63, count: 60)),
        FrameHeader.frame(type: 1, body: [1, 2, 3]),
        FrameHeader.frame(type: 1, body: [UInt8](repeating: 0, count: 2_000)),
        FrameHeader.frame(type: 3, body: [1]), FrameHeader.frame(type: 4, body: [1]),
        FrameHeader.frame(type: 99, body: []), FrameHeader.frame(type: 2, body: [255, 255]),
    ])
    func `garbage is dropped and harms nobody`(garbage: [UInt8]) throws {
        let pair = try Pair()
        let stranger = try Stranger(dialling: pair.lower.address)
        try stranger.send(garbage)
        #expect(
            try pair.turn {
                stranger.read()
                return stranger.isAtEnd
            })
        #expect(stranger.received.isEmpty)
        #expect(pair.lower.recorder.events.count == 1)
        guard case .strangerDropped? = pair.lower.recorder.whats.first else {
            Issue.record("\(pair.lower.recorder.events)")
            return
        }
        pair.upper.fabric.send([1], to: first.node)
        pair.upper.fabric.flush()
        #expect(try pair.turn { pair.lower.recorder.controls == [[1]] })
    }

    @Test func `who says nothing is dropped in time`() throws {
        var settings = FabricSettings()
        settings.helloTimeout = .milliseconds(10)
        let site = try site(settings)
        let stranger = try Stranger(dialling: site.address)
        try site.reactor.turn(until: .distantFuture)
        #expect(
            try turn(site) {
                stranger.read()
                return stranger.isAtEnd
            })
        #expect(site.recorder.whats == [.strangerDropped(.silent(.milliseconds(10)))])
    }

    @Test func `many strangers cost the oldest their place and no member its own`() throws {
        var settings = FabricSettings()
        settings.maximumStrangers = 4
        let site = try site(settings)
        let strangers = try (0..<20).map { _ in try Stranger(dialling: site.address) }
        #expect(
            try turn(site) {
                for stranger in strangers { stranger.read() }
                return strangers.count { $0.isAtEnd } == 16
            })
        #expect(strangers.suffix(4).allSatisfy { !$0.isAtEnd })
        let member = try Stranger(dialling: site.address)
        try member.send(Stranger.hello(second, to: first.node))
        #expect(try turn(site) { site.recorder.told == [.connected(second)] })
        #expect(site.recorder.events.count == 1, "each stranger is a line in the log")
    }

    @Test func `frames are put together from any pieces`() throws {
        let site = try site()
        let member = try Stranger(dialling: site.address)
        var stream = Stranger.hello(second, to: first.node)
        stream += FrameHeader.frame(type: 3, body: [1, 2, 3])
        stream += FrameHeader.frame(type: 3, body: [])
        stream += FrameHeader.frame(type: 4, flags: .last, number: 5, body: [8, 0, 0, 0, 9, 9])
        for byte in stream {
            try member.send([byte])
            try site.look()
        }
        #expect(try turn(site) { site.recorder.told.count == 4 })
        #expect(
            site.recorder.told == [
                .connected(second), .control(from: second.node, [1, 2, 3]),
                .control(from: second.node, []),
                .row(from: second.node, Epoch(5), offset: 8, [9, 9]),
            ])
    }

    @Test(arguments: [
        // Too long, too short, unknown, without its offset, with a part missing, of two epochs.
        [0xFF, 0xFF, 0xFF, 0x7F] + [UInt8](repeating: 0, count: 12),
        [UInt8](repeating: 0, count: 16),
        FrameHeader.frame(type: 77, body: []),
        FrameHeader.frame(type: 4, flags: .last, number: 1, body: [1, 2, 3]),
        FrameHeader.frame(type: 4, number: 1, body: [0, 0, 0, 0, 1, 1])
            + FrameHeader.frame(type: 4, flags: .last, number: 1, body: [3, 0, 0, 0, 1]),
        FrameHeader.frame(type: 4, number: 1, body: [0, 0, 0, 0, 1, 1])
            + FrameHeader.frame(type: 4, flags: .last, number: 2, body: [2, 0, 0, 0, 1]),
        Stranger.hello(Member(node: second.node, incarnation: Incarnation(5)), to: first.node),
    ])
    func `a member that breaks the protocol is told why and loses its path`(
        frame: [UInt8]
    ) throws {
        let site = try site()
        let member = try Stranger(dialling: site.address)
        try member.send(Stranger.hello(second, to: first.node))
        #expect(try turn(site) { site.recorder.connectedCount == 1 })
        try member.send(FrameHeader.frame(type: 3, body: [1]))
        try member.send(frame)
        try member.send(FrameHeader.frame(type: 3, body: [2]))
        #expect(
            try turn(site) {
                member.read()
                return member.isAtEnd
            })
        #expect(
            site.recorder.told == [
                .connected(second), .control(from: second.node, [1]),
                .disconnected(second.node, byPeer: false),
            ])
        #expect(site.recorder.events.count == 1)
        #expect(site.recorder.events[0].node == second.node)
        let words = try #require(try member.refusal())
        #expect(!words.isEmpty)
    }

    @Test func `a row write grows to its limit and no further`() throws {
        var settings = FabricSettings()
        settings.maximumRowByteCount = 1_000
        let site = try site(settings)
        let member = try Stranger(dialling: site.address)
        try member.send(Stranger.hello(second, to: first.node))
        var offset: UInt32 = 0
        for _ in 0..<3 {
            var body = ByteWriter()
            body.integer(offset)
            body.raw([UInt8](repeating: 1, count: 400))
            try member.send(FrameHeader.frame(type: 4, number: 1, body: body.bytes))
            offset += 400
        }
        #expect(try turn(site) { site.recorder.told.count == 2 })
        #expect(site.recorder.whats == [.broken(.rowTooLong(byteCount: 1_200))])
    }

    @Test func `the words of a refusal cannot break a line of the log`() throws {
        let site = try site()
        let member = try Stranger(dialling: site.address)
        try member.send(Stranger.hello(second, to: first.node))
        var body = ByteWriter()
        body.text("no\nmore\u{1B}[0m")
        try member.send(FrameHeader.frame(type: 2, body: body.bytes))
        #expect(try turn(site) { site.recorder.told.count == 2 })
        #expect(site.recorder.told.last == .disconnected(second.node, byPeer: false))
        #expect(site.recorder.whats == [.refusedByPeer("no more [0m")])
    }

    @Test func `suppressed events are counted in the next one`() throws {
        var settings = FabricSettings()
        settings.eventInterval = .milliseconds(200)
        let site = try site(settings)
        for _ in 0..<5 {
            let stranger = try Stranger(dialling: site.address)
            try stranger.send([UInt8](repeating: 0, count: 16))
            #expect(
                try turn(site) {
                    stranger.read()
                    return stranger.isAtEnd
                })
        }
        let told = site.reactor.now().advanced(by: .milliseconds(200))
        #expect(try turn(site) { site.reactor.now() > told })
        let stranger = try Stranger(dialling: site.address)
        try stranger.send([UInt8](repeating: 0, count: 16))
        #expect(try turn(site) { site.recorder.events.contains { $0.suppressedCount > 0 } })
        let count = site.recorder.events.reduce(0) { $0 + 1 + $1.suppressedCount }
        #expect(count == 6)
    }
}
