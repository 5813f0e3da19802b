import ConclaveBase
import ConclaveFabric
import ConclaveReactor
import ConclaveWire
import Glibc
import Testing

@Suite struct `A path between two members` {
    @Test func `control frames arrive in order, both ways, whatever their size`() throws {
        let pair = try Pair()
        let largest = Int(FrameHeader.maximumLength) - 12
        let frames = [0, 1, 15, 16, 17, 300_000, largest, 5].map { count in
            (0..<count).map { UInt8(truncatingIfNeeded: $0 &+ count) }
        }
        for frame in frames {
            pair.lower.fabric.send(frame, to: second.node)
            pair.upper.fabric.send(frame, to: first.node)
        }
        pair.lower.fabric.flush()
        pair.upper.fabric.flush()
        #expect(
            try pair.turn {
                pair.lower.recorder.controls.count == frames.count
                    && pair.upper.recorder.controls.count == frames.count
            })
        #expect(pair.lower.recorder.controls == frames)
        #expect(pair.upper.recorder.controls == frames)
    }

    @Test func `nothing leaves before the flush`() throws {
        let pair = try Pair()
        pair.lower.fabric.send([1], to: second.node)
        for _ in 0..<20 {
            try pair.lower.look()
            try pair.upper.look()
        }
        #expect(pair.upper.recorder.controls.isEmpty)
        pair.lower.fabric.flush()
        #expect(try pair.turn { pair.upper.recorder.controls == [[1]] })
    }

    @Test func `one that is cut stays, and carries what waited when that is over`() throws {
        let pair = try Pair()
        pair.lower.fabric.cut(
            second.node, until: pair.lower.reactor.now().advanced(by: .seconds(60)))
        pair.upper.fabric.send([2], to: first.node)
        pair.upper.fabric.flush()
        pair.lower.fabric.send([1], to: second.node)
        pair.lower.fabric.flush()
        for _ in 0..<20 {
            try pair.lower.reactor.turn(
                until: pair.lower.reactor.now().advanced(by: .milliseconds(2)))
            try pair.upper.look()
        }
        #expect(pair.lower.recorder.controls.isEmpty && pair.upper.recorder.controls.isEmpty)
        pair.lower.fabric.cut(second.node, until: pair.lower.reactor.now())
        let isCarried = try pair.turn {
            pair.lower.recorder.controls == [[2]] && pair.upper.recorder.controls == [[1]]
        }
        #expect(isCarried)
        #expect(pair.lower.recorder.connectedCount == 1)
    }

    @Test func `one that breaks while it is cut is missed, and made again, when that is over`()
        throws
    {
        let pair = try Pair()
        let fabric = pair.upper.fabric
        fabric.cut(first.node, until: pair.upper.reactor.now().advanced(by: .seconds(60)))
        pair.lower.fabric.disconnect(second.node)
        for _ in 0..<100 {
            try pair.upper.reactor.turn(
                until: pair.upper.reactor.now().advanced(by: .milliseconds(2)))
            try pair.lower.look()
        }
        #expect(pair.upper.recorder.connectedCount == 1)
        fabric.endCuts()
        #expect(try pair.turn { pair.upper.recorder.connectedCount == 2 })
    }

    /// The kernel reads out what came before the reset, though the path is held.
    @Test func `one that is cut and reset ends, though a hello waited on it`() throws {
        let site = try Site(first, peers: [second.node: .loopback(port: 1)])
        var peer: Stranger? = try Stranger(dialling: site.address)
        try peer?.send(Stranger.hello(second, to: first.node))
        #expect(try turn(site) { site.recorder.connectedCount == 1 })
        site.fabric.cut(second.node, until: site.reactor.now().advanced(by: .seconds(60)))
        try peer?.send(Stranger.hello(second, to: first.node))
        var lingers = linger(l_onoff: 1, l_linger: 0)
        let number = try #require(peer).socket.number
        let size = socklen_t(MemoryLayout<linger>.size)
        #expect(unsafe setsockopt(number, SOL_SOCKET, SO_LINGER, &lingers, size) == 0)
        peer = nil
        let isMissed = try turn(site) {
            site.recorder.told.contains(.disconnected(second.node, byPeer: true))
        }
        #expect(isMissed)
    }

    @Test func `an idle path lets both ends sleep`() throws {
        let pair = try Pair()
        for site in [pair.lower, pair.upper] {
            // What is left from the beginning, such as the timer of the hello.
            try site.reactor.turn(until: site.reactor.now().advanced(by: .milliseconds(5)))
            let deadline = site.reactor.now().advanced(by: .milliseconds(50))
            try site.reactor.turn(until: deadline)
            #expect(site.reactor.now() >= deadline)
        }
    }

    @Test func `row writes arrive in order with epoch, offset and bytes`() throws {
        let pair = try Pair()
        var expected: [Told] = [.connected(first)]
        for number in 0..<500 {
            let bytes = (0..<(number * 7 % 400)).map { UInt8(truncatingIfNeeded: $0 &* number) }
            pair.lower.fabric.write(
                bytes, at: number * 1_000, epoch: UInt64(number / 100), to: second.node)
            expected.append(
                .row(
                    from: first.node, Epoch(UInt64(number / 100)), offset: number * 1_000, bytes))
            if number % 50 == 0 { pair.lower.fabric.flush() }
        }
        pair.lower.fabric.flush()
        #expect(try pair.turn { pair.upper.recorder.told.count == expected.count })
        #expect(pair.upper.recorder.told == expected)
    }

    @Test func `a row write longer than a frame is seen whole`() throws {
        let pair = try Pair()
        let bytes = (0..<(3 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 17 >> 5) }
        pair.lower.fabric.write(bytes, at: 64, epoch: 9, to: second.node)
        pair.lower.fabric.write([1], at: 0, epoch: 9, to: second.node)
        pair.lower.fabric.flush()
        #expect(try pair.turn { pair.upper.recorder.told.count == 3 })
        #expect(
            pair.upper.recorder.told == [
                .connected(first), .row(from: first.node, Epoch(9), offset: 64, bytes),
                .row(from: first.node, Epoch(9), offset: 0, [1]),
            ])
    }

    @Test func `a control frame that is too long is dropped and reported`() throws {
        let pair = try Pair()
        let byteCount = Int(FrameHeader.maximumLength) - 11
        pair.lower.fabric.send([UInt8](repeating: 1, count: byteCount), to: second.node)
        pair.lower.fabric.send([2], to: second.node)
        pair.lower.fabric.flush()
        #expect(try pair.turn { pair.upper.recorder.controls == [[2]] })
        #expect(pair.lower.recorder.whats == [.controlTooLong(byteCount: byteCount)])
    }

    @Test func `what goes to nobody is dropped without a word`() throws {
        let site = try Site(first, peers: [second.node: .loopback(port: 0)])
        for node in [first.node, second.node, NodeID(99)] {
            site.fabric.send([1], to: node)
            site.fabric.write([1], at: 0, epoch: 1, to: node)
            site.fabric.disconnect(node)
        }
        site.fabric.flush()
        try site.look()
        #expect(site.recorder.told.isEmpty)
        #expect(site.recorder.events.isEmpty)
    }

    @Test func `a row write that no offset can name breaks the path`() throws {
        let pair = try Pair()
        pair.lower.fabric.write([1, 2], at: Int(UInt32.max) - 1, epoch: 1, to: second.node)
        #expect(pair.lower.recorder.told == [.connected(second)])
        try pair.lower.look()
        #expect(
            pair.lower.recorder.told == [
                .connected(second), .disconnected(second.node, byPeer: false),
            ])
        #expect(pair.lower.recorder.whats == [.broken(.rowTooLong(byteCount: 2))])
    }

    @Test func `a fabric that closes is told as a death, after its last frames`() throws {
        let pair = try Pair()
        pair.upper.fabric.send([1], to: first.node)
        pair.upper.fabric.flush()
        pair.upper.fabric.close()
        #expect(try turn(pair.lower) { pair.lower.recorder.told.count == 3 })
        #expect(
            pair.lower.recorder.told == [
                .connected(second), .control(from: second.node, [1]),
                .disconnected(second.node, byPeer: true),
            ])
        #expect(pair.lower.recorder.whats == [.lost(nil)])
    }

    @Test func `a path that is broken in good order is nobody's death, and is made again`() throws {
        let pair = try Pair()
        pair.lower.fabric.disconnect(second.node)
        #expect(pair.lower.recorder.told == [.connected(second)], "told within the call")
        #expect(
            try pair.turn {
                pair.lower.recorder.told.count == 3 && pair.upper.recorder.told.count == 3
            })
        #expect(
            pair.lower.recorder.told == [
                .connected(second), .disconnected(second.node, byPeer: false), .connected(second),
            ])
        #expect(
            pair.upper.recorder.told == [
                .connected(first), .disconnected(first.node, byPeer: false), .connected(first),
            ])
    }

    @Test func `the dialling end may break it as well`() throws {
        let pair = try Pair()
        pair.upper.fabric.disconnect(first.node)
        #expect(try pair.turn { pair.lower.recorder.connectedCount == 2 })
        #expect(
            pair.lower.recorder.told == [
                .connected(second), .disconnected(second.node, byPeer: false), .connected(second),
            ])
    }

    @Test func `a sink may break the path that it is just told of`() throws {
        let pair = try Pair()
        for number: UInt8 in 0..<10 { pair.upper.fabric.send([number], to: first.node) }
        let fabric = pair.lower.fabric
        pair.lower.recorder.react = { told in
            guard case .control(_, [3]) = told else { return }
            fabric.disconnect(second.node)
        }
        pair.upper.fabric.flush()
        #expect(try pair.turn { pair.lower.recorder.connectedCount == 2 })
        #expect(pair.lower.recorder.controls == [[0], [1], [2], [3]])
    }

    @Test func `a peer that does not read is cut off at the limit`() throws {
        var settings = FabricSettings()
        settings.maximumOutputByteCount = 1 << 20
        let pair = try Pair(settings: settings)
        let bytes = [UInt8](repeating: 1, count: 100_000)
        // The kernel's buffers on both sides take some megabytes first.
        for _ in 0..<2_000 where pair.lower.recorder.events.isEmpty {
            pair.lower.fabric.write(bytes, at: 0, epoch: 1, to: second.node)
            pair.lower.fabric.flush()
            try pair.lower.look()
        }
        #expect(
            pair.lower.recorder.told == [
                .connected(second), .disconnected(second.node, byPeer: false),
            ])
        let event = try #require(pair.lower.recorder.events.first)
        #expect(event.node == second.node)
        guard case .broken(.outputFull(let byteCount)) = event.what else {
            Issue.record("\(event)")
            return
        }
        #expect((1 << 20...(1 << 20) + 200_000).contains(byteCount))
        #expect(try pair.turn { pair.lower.recorder.connectedCount == 2 })
    }

    @Test func `a peer that takes nothing for too long is given up, and met again`() throws {
        var settings = FabricSettings()
        settings.unheardLimit = .milliseconds(400)
        let pair = try Pair(settings: settings)
        let bytes = [UInt8](repeating: 1, count: 100_000)
        // More than the kernel's buffers take.
        for _ in 0..<300 { pair.lower.fabric.write(bytes, at: 0, epoch: 1, to: second.node) }
        pair.lower.fabric.flush()
        #expect(try turn(pair.lower) { !pair.lower.recorder.events.isEmpty })
        let event = try #require(pair.lower.recorder.events.first)
        guard case .lost(let failure?) = event.what else {
            Issue.record("\(event)")
            return
        }
        #expect(failure.number == ETIMEDOUT)
        #expect(
            pair.lower.recorder.told == [
                .connected(second), .disconnected(second.node, byPeer: false),
            ])
        #expect(try pair.turn { pair.lower.recorder.connectedCount == 2 })
    }

    @Test func `more than the limit may be written in one turn if the peer reads`() throws {
        var settings = FabricSettings()
        settings.maximumOutputByteCount = 4_096
        let pair = try Pair(settings: settings)
        for _ in 0..<20 {
            pair.lower.fabric.write(
                [UInt8](repeating: 1, count: 1_000), at: 0, epoch: 1, to: second.node)
        }
        pair.lower.fabric.flush()
        #expect(try pair.turn { pair.upper.recorder.told.count == 21 })
        #expect(pair.lower.recorder.events.isEmpty)
    }
}
