import ConclaveBase
import ConclaveSimulation
import Testing

/// Hosts whose processes write down what their fabric tells them.
private final class NetworkBench {
    let timeline = Timeline()
    let inboxes: [Inbox]
    let network: SimulatedNetwork
    var fabrics: [SimulatedFabric] = []
    /// By host: what its processes were told, in words.
    var told: [[String]]
    private let nodes: [NodeID]
    private var incarnation: UInt64 = 0

    init(hostCount: Int = 2, seed: UInt64 = 1) {
        var random = SeededRandom(seed: seed)
        inboxes = (0..<hostCount).map { [timeline] host in
            Inbox(process: UInt16(host), timeline: timeline, random: random.split())
        }
        nodes = (1...hostCount).map { NodeID(UInt32($0)) }
        network = SimulatedNetwork(inboxes: inboxes, timeline: timeline, random: random.split())
        told = Array(repeating: [], count: hostCount)
        for host in 0..<hostCount { fabrics.append(fabric(of: host)) }
    }

    private func fabric(of host: Int) -> SimulatedFabric {
        SimulatedFabric(network: network, host: host, nodes: nodes)
    }

    func start(_ host: Int) {
        incarnation += 1
        fabrics[host] = fabric(of: host)
        inboxes[host].open()
        network.processStarted(
            on: host, as: Member(node: nodes[host], incarnation: Incarnation(incarnation)))
    }

    func kill(_ host: Int) {
        inboxes[host].close()
        network.processEnded(on: host)
    }

    func losePower(_ host: Int) {
        inboxes[host].close()
        network.powerLost(on: host)
    }

    /// Starts two processes and lets them connect.
    func connect() {
        start(0)
        start(1)
        run(for: .seconds(1))
        told = told.map { _ in [] }
    }

    func send(_ text: UInt8, from host: Int, to peer: Int, flushing: Bool = true) {
        fabrics[host].send([text], to: nodes[peer])
        if flushing { fabrics[host].flush() }
    }

    func write(_ byte: UInt8, from host: Int, to peer: Int) {
        unsafe [byte].withUnsafeBytes {
            unsafe fabrics[host].write(row: $0, at: 7, epoch: Epoch(3), to: nodes[peer])
        }
        fabrics[host].flush()
    }

    func run(for interval: Interval) {
        let limit = timeline.now.advanced(by: interval)
        while let event = timeline.next(until: limit) {
            guard case .turn(let process, let stamp) = event else {
                network.step(event)
                continue
            }
            turn(of: Int(process), stamp: stamp)
        }
    }

    private func turn(of host: Int, stamp: UInt32) {
        guard inboxes[host].beginTurn(stamp: stamp) else { return }
        var inputs: [Inbox.Input] = []
        inboxes[host].take(into: &inputs)
        for case .fabric(let delivery) in inputs {
            guard let input = fabrics[host].admit(delivery) else { continue }
            told[host].append(words(of: input))
        }
    }

    private func words(of input: FabricInput) -> String {
        switch input {
        case .connected(let member): "connected \(member.node) \(member.incarnation)"
        case .disconnected(let node, let byPeer): "disconnected \(node)\(byPeer ? " by peer" : "")"
        case .control(let node, let bytes): "control \(node) \(bytes[0])"
        case .row(let node, let epoch, let offset, let bytes):
            "row \(node) \(epoch) \(offset) \(bytes[0])"
        case .givenUp(let node): "given up by \(node)"
        }
    }
}

@Suite struct `Simulated network` {
    @Test func `two processes that start are told of each other`() {
        let bench = NetworkBench()
        bench.start(0)
        bench.run(for: .seconds(1))
        #expect(bench.told == [[], []])
        bench.start(1)
        bench.run(for: .seconds(1))

        #expect(bench.told == [["connected 2 2"], ["connected 1 1"]])
    }

    @Test func `frames of a kind keep their order, and kinds keep none`() {
        var orders: Set<Bool> = []
        for seed in 1...40 as ClosedRange<UInt64> {
            let bench = NetworkBench(seed: seed)
            bench.connect()
            for number in 1...9 as ClosedRange<UInt8> {
                bench.send(number, from: 0, to: 1)
                bench.write(number, from: 0, to: 1)
            }
            bench.run(for: .seconds(1))
            let (control, rows) = (
                bench.told[1].filter { $0.hasPrefix("control") },
                bench.told[1].filter { $0.hasPrefix("row") }
            )
            #expect(control == (1...9).map { "control 1 \($0)" })
            #expect(rows == (1...9).map { "row 1 3 7 \($0)" })
            orders.insert(bench.told[1].first!.hasPrefix("row"))
        }

        #expect(orders == [true, false])
    }

    @Test func `what was not flushed does not leave`() {
        let bench = NetworkBench()
        bench.connect()
        bench.send(1, from: 0, to: 1, flushing: false)
        bench.run(for: .seconds(1))
        #expect(bench.told[1].isEmpty)
        bench.fabrics[0].flush()
        bench.run(for: .seconds(1))

        #expect(bench.told[1] == ["control 1 1"])
    }

    @Test func `a killed process is noticed by its peer at once`() {
        let bench = NetworkBench()
        bench.connect()
        bench.kill(1)
        bench.run(for: .milliseconds(20))

        #expect(bench.told[0] == ["disconnected 2 by peer"])
    }

    @Test func `frames of a killed process arrive up to some point`() {
        var counts: Set<Int> = []
        for seed in 1...80 as ClosedRange<UInt64> {
            let bench = NetworkBench(seed: seed)
            bench.connect()
            for number in 1...3 as ClosedRange<UInt8> { bench.send(number, from: 1, to: 0) }
            bench.kill(1)
            bench.run(for: .seconds(1))
            let arrived = bench.told[0].filter { $0.hasPrefix("control") }
            #expect(arrived == (1...3).prefix(arrived.count).map { "control 2 \($0)" })
            #expect(bench.told[0].last == "disconnected 2 by peer")
            counts.insert(arrived.count)
        }

        #expect(counts == [0, 1, 2, 3])
    }

    @Test func `a host without power falls silent until it is back`() {
        let bench = NetworkBench()
        bench.connect()
        bench.losePower(1)
        bench.run(for: .seconds(100))
        #expect(bench.told[0].isEmpty)
        bench.start(1)
        bench.run(for: .seconds(3))

        #expect(bench.told[0] == ["disconnected 2 by peer", "connected 2 3"])
        #expect(bench.told[1] == ["connected 1 1"])
    }

    @Test func `an end whose bytes nobody acknowledges gives up in time`() {
        let bench = NetworkBench()
        bench.connect()
        bench.losePower(1)
        bench.send(1, from: 0, to: 1)
        bench.run(for: .seconds(60))

        #expect(bench.told[0] == ["disconnected 2"])
    }

    @Test func `frames held back by a short cut arrive late`() {
        let bench = NetworkBench()
        bench.connect()
        bench.network.cut(from: 0, to: 1)
        bench.send(1, from: 0, to: 1)
        bench.run(for: .seconds(1))
        #expect(bench.told == [[], []])
        bench.network.heal(from: 0, to: 1)
        bench.run(for: .seconds(3))

        #expect(bench.told == [[], ["control 1 1"]])
    }

    @Test func `a long cut one way breaks the connection, and it is made again after it heals`() {
        let bench = NetworkBench()
        bench.connect()
        bench.network.cut(from: 0, to: 1)
        bench.send(1, from: 0, to: 1)
        bench.send(2, from: 1, to: 0)
        bench.run(for: .seconds(60))
        #expect(bench.told[0] == ["control 2 2", "disconnected 2"])
        #expect(bench.told[1] == ["disconnected 1"])
        bench.network.heal(from: 0, to: 1)
        bench.run(for: .seconds(3))

        #expect(bench.told[0].last == "connected 2 2")
        #expect(bench.told[1].last == "connected 1 1")
        #expect(bench.network.isConnected(0, 1))
    }

    @Test func `a reset is blamed on the peer by both ends, and they connect again`() {
        let bench = NetworkBench()
        bench.connect()
        bench.network.reset(0, 1)
        bench.run(for: .seconds(2))

        #expect(bench.told[0] == ["disconnected 2 by peer", "connected 2 2"])
        #expect(bench.told[1] == ["disconnected 1 by peer", "connected 1 1"])
    }

    @Test func `a path that its owner breaks carries nothing more to it`() {
        let bench = NetworkBench()
        bench.connect()
        bench.send(1, from: 1, to: 0)
        bench.fabrics[0].disconnect(NodeID(2))
        bench.send(2, from: 0, to: 1)
        bench.run(for: .seconds(2))

        #expect(bench.told[0] == ["disconnected 2", "connected 2 2"])
        #expect(bench.told[1] == ["disconnected 1 by peer", "connected 1 1"])
    }

    @Test func `members of different lineages do not connect`() {
        let bench = NetworkBench()
        bench.start(0)
        bench.start(1)
        bench.fabrics[0].adopt(lineage: Lineage(high: 1, low: 1))
        bench.fabrics[1].adopt(lineage: Lineage(high: 2, low: 2))
        bench.run(for: .seconds(5))

        #expect(!bench.network.isConnected(0, 1))
    }

    @Test func `another process of a number takes its connections, and it comes back`() {
        let bench = NetworkBench()
        bench.connect()
        let namesake = Member(node: NodeID(2), incarnation: Incarnation(7))
        let life = Interval.seconds(3)
        bench.send(1, from: 0, to: 1)
        bench.network.supplant(1, by: namesake, for: life...life)
        bench.send(2, from: 0, to: 1)
        bench.run(for: .seconds(1))
        bench.send(3, from: 0, to: 1)
        bench.run(for: .seconds(5))

        #expect(
            bench.told == [
                [
                    "disconnected 2 by peer", "connected 2 7", "disconnected 2 by peer",
                    "connected 2 2",
                ], ["disconnected 1 by peer", "connected 1 1", "control 1 3"],
            ])
    }

    @Test func `a paused process gets everything in order when it goes on`() {
        let bench = NetworkBench()
        bench.connect()
        bench.inboxes[1].pause(for: .seconds(10))
        for number in 1...3 as ClosedRange<UInt8> { bench.send(number, from: 0, to: 1) }
        bench.run(for: .seconds(9))
        #expect(bench.told[1].isEmpty)
        bench.run(for: .seconds(2))

        #expect(bench.told[1] == ["control 1 1", "control 1 2", "control 1 3"])
    }

    @Test func `the same seed gives the same trace, and another one another`() {
        func digest(seed: UInt64) -> UInt64 {
            let bench = NetworkBench(hostCount: 3, seed: seed)
            for host in 0..<3 { bench.start(host) }
            bench.run(for: .seconds(1))
            for number in 1...50 as ClosedRange<UInt8> { bench.send(number, from: 0, to: 2) }
            bench.kill(1)
            bench.run(for: .seconds(5))
            return bench.timeline.digest
        }

        #expect(digest(seed: 5) == digest(seed: 5))
        #expect(digest(seed: 5) != digest(seed: 6))
    }
}
