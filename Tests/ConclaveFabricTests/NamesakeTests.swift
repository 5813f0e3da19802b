import ConclaveBase
import ConclaveFabric
import ConclaveReactor
import Testing

@Suite struct `Two machines with one number` {
    private static let twin = Member(node: second.node, incarnation: Incarnation(0xD4))

    /// Node 1, and two that say they are node 2.
    private struct Trio {
        let lower: Site
        let old: Site
        let twin: Site

        init(settings: FabricSettings = FabricSettings()) throws {
            lower = try Site(first, peers: [second.node: .loopback(port: 0)], settings: settings)
            let peers = [first.node: lower.address]
            old = try Site(second, peers: peers, settings: settings)
            let (lower, old) = (lower, old)
            try #require(try turn(lower, old) { lower.recorder.connectedCount == 1 })
            twin = try Site(`Two machines with one number`.twin, peers: peers, settings: settings)
        }

        func run(_ interval: Interval) throws {
            let end = lower.reactor.now().advanced(by: interval)
            _ = try turn(lower, old, twin) { lower.reactor.now() >= end }
        }

        var present: Member? {
            for told in lower.recorder.told.reversed() {
                if case .connected(let member) = told { return member }
                if case .disconnected = told { return nil }
            }
            return nil
        }
    }

    @Test func `do not throw each other out for ever, and the first one goes on`() throws {
        let trio = try Trio()
        try trio.run(.seconds(2))
        #expect(trio.present == second)
        #expect(trio.lower.recorder.connectedCount <= 3)
        #expect(trio.twin.recorder.connectedCount == 1)
    }

    @Test func `are named to all three, once in a while, with both addresses`() throws {
        let trio = try Trio()
        try trio.run(.seconds(2))
        let refusals = trio.lower.recorder.whats.compactMap { what -> FabricRefusal? in
            if case .refused(let refusal) = what { refusal } else { nil }
        }
        try #require(refusals.count == 1)
        guard case .numberTaken(second.node, let kept, let other) = refusals[0] else {
            Issue.record("\(refusals)")
            return
        }
        #expect(kept != other)
        for site in [trio.old, trio.twin] {
            let words = site.recorder.whats.compactMap { what -> String? in
                if case .numberTaken(let words) = what { words } else { nil }
            }
            try #require(words.count == 1)
            // The ports are those of the connections that met.
            #expect(words[0].hasPrefix("two processes run as node 2, at 127.0.0.1:"))
        }
    }

    @Test func `are refused less and less often`() throws {
        var settings = FabricSettings()
        settings.eventInterval = .zero
        let trio = try Trio(settings: settings)
        try trio.run(.seconds(4))
        let count = trio.twin.recorder.whats.count {
            if case .numberTaken = $0 { true } else { false }
        }
        // When it had taken the other's place for a moment, at once, and after 0.5 s, 1 s and 2 s.
        #expect((2...5).contains(count), "\(count)")
    }

    @Test func `are one again when the one that was heard has ended`() throws {
        var settings = FabricSettings()
        settings.namesakePause = .milliseconds(500)
        let trio = try Trio(settings: settings)
        try trio.run(.seconds(1))
        try #require(trio.present == second)
        trio.old.fabric.close()
        #expect(try turn(trio.lower, trio.twin) { trio.present == Self.twin })
    }
}
