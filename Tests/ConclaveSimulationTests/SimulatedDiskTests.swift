import ConclaveBase
import ConclaveSimulation
import Testing

/// A disk with a process that does nothing but wait for completions.
private final class DiskBench {
    let timeline = Timeline()
    let inbox: Inbox
    let disk: SimulatedDisk
    /// Lanes that wait for room.
    private(set) var full: [DiskLane] = []
    private var tag: UInt64 = 0

    init(seed: UInt64 = 1) {
        inbox = Inbox(process: 0, timeline: timeline, random: SeededRandom(seed: seed))
        disk = SimulatedDisk(
            host: 0, profile: .fast, timeline: timeline, inbox: inbox,
            random: SeededRandom(seed: seed &+ 1))
        inbox.open()
    }

    @discardableResult
    func submit(_ operation: DiskOperation, lane: DiskLane = .segments) -> UInt64 {
        tag += 1
        disk.submit(operation, lane: lane, tag: tag)
        return tag
    }

    /// Lets everything happen that is due within `interval`; tags that failed are negative.
    @discardableResult
    func run(for interval: Interval = .seconds(60)) -> [Int64] {
        let limit = timeline.now.advanced(by: interval)
        var completions: [Int64] = []
        var inputs: [Inbox.Input] = []
        while let event = timeline.next(until: limit) {
            switch event {
            case .disk(_, let lane, let run):
                disk.complete(lane: lane, run: run)
            case .turn(_, let stamp):
                guard inbox.beginTurn(stamp: stamp) else { continue }
                inbox.take(into: &inputs)
                completions += inputs.compactMap(tag(of:))
                for case .disk(let input) in inputs { note(input) }
            default:
                continue
            }
        }
        return completions
    }

    private func note(_ input: DiskInput) {
        switch input {
        case .full(let lane, _): full.append(lane)
        case .hasRoom(let lane): full.removeAll { $0 == lane }
        case .completed, .failed: break
        }
    }

    private func tag(of input: Inbox.Input) -> Int64? {
        switch input {
        case .disk(.completed(let tag)): Int64(tag)
        case .disk(.failed(let tag, _)): -Int64(tag)
        default: nil
        }
    }

    /// A file with synced contents and a synced name.
    func settle(_ name: String, _ bytes: [UInt8]) {
        submit(.create(name, byteCount: bytes.count))
        submit(.write(name, at: 0, bytes: bytes))
        submit(.sync(name))
        submit(.syncDirectory)
        run()
    }

    func contents(of name: String) throws(DiskError) -> [UInt8] {
        try disk.read(name, at: 0, count: 1 << 20)
    }
}

private func sector(_ byte: UInt8) -> [UInt8] {
    Array(repeating: byte, count: SimulatedFile.sectorByteCount)
}

@Suite struct `Simulated disk` {
    @Test func `operations of a lane complete in order`() {
        let bench = DiskBench()
        let tags = [
            bench.submit(.create("a", byteCount: 8)),
            bench.submit(.write("a", at: 0, bytes: [1])), bench.submit(.sync("a")),
            bench.submit(.rename("a", to: "b")), bench.submit(.syncDirectory),
        ]

        #expect(bench.run() == tags.map(Int64.init))
        #expect(throws: DiskError.notFound("a")) { try bench.contents(of: "a") }
        #expect((try? bench.contents(of: "b")) == [1, 0, 0, 0, 0, 0, 0, 0])
    }

    @Test func `a lane does not wait for another`() {
        let bench = DiskBench()
        bench.settle("a", [0])
        bench.settle("b", [0])
        var slow = DiskProfile.fast
        slow.write = Delays(exactly: .seconds(5))
        bench.disk.profile = slow
        let late = bench.submit(.write("a", at: 0, bytes: [1]), lane: .segments)
        bench.disk.profile = .fast
        let early = bench.submit(.write("b", at: 0, bytes: [1]), lane: .views)

        #expect(bench.run() == [Int64(early), Int64(late)])
    }

    @Test func `a lane may stand still alone`() {
        let bench = DiskBench()
        bench.settle("a", [0])
        bench.settle("b", [0])
        bench.disk.stall(.segments, for: .seconds(5))
        let late = bench.submit(.write("a", at: 0, bytes: [1]), lane: .segments)
        let early = bench.submit(.write("b", at: 0, bytes: [1]), lane: .views)

        #expect(bench.run(for: .seconds(4)) == [Int64(early)])
        #expect(bench.run() == [Int64(late)])
    }

    @Test func `an image holds what was synced, and nothing else`() throws {
        let bench = DiskBench()
        bench.settle("a", sector(1) + sector(1))
        bench.submit(.write("a", at: 0, bytes: sector(2)))
        bench.submit(.sync("a"))
        bench.submit(.write("a", at: 512, bytes: sector(3)))
        bench.submit(.create("b", byteCount: 512))
        bench.run()

        let image = bench.disk.image
        #expect(try image.list() == ["a"])
        #expect(try image.read("a", at: 0, count: 1_024) == sector(2) + sector(1))
        #expect(try bench.contents(of: "a") == sector(2) + sector(3))
        #expect(try image.without("a").list().isEmpty)
    }

    @Test func `what was written survives the process`() {
        let bench = DiskBench()
        bench.settle("a", sector(1))
        bench.submit(.write("a", at: 0, bytes: sector(2)))
        bench.run()
        bench.disk.processEnded()

        #expect((try? bench.contents(of: "a")) == sector(2))
    }

    @Test func `what waited in a lane dies with the process`() {
        for seed in 1...20 as ClosedRange<UInt64> {
            let bench = DiskBench(seed: seed)
            bench.settle("a", sector(1))
            bench.submit(.sync("a"))
            bench.submit(.write("a", at: 0, bytes: sector(2)))
            bench.disk.processEnded()

            #expect(bench.run().isEmpty)
            #expect((try? bench.contents(of: "a")) == sector(1))
        }
    }

    @Test func `a write under way may happen up to any byte`() throws {
        var counts: Set<Int> = []
        for seed in 1...60 as ClosedRange<UInt64> {
            let bench = DiskBench(seed: seed)
            bench.settle("a", [0, 0, 0, 0])
            bench.submit(.write("a", at: 0, bytes: [1, 1, 1, 1]))
            bench.disk.processEnded()
            let contents = try bench.contents(of: "a")
            let count = contents.prefix { $0 == 1 }.count
            #expect(contents.dropFirst(count).allSatisfy { $0 == 0 })
            counts.insert(count)
        }

        #expect(counts == [0, 1, 2, 3, 4])
    }

    @Test func `a power loss leaves any part of what was not synced, by sector`() throws {
        var outcomes: Set<[UInt8]> = []
        for seed in 1...200 as ClosedRange<UInt64> {
            let bench = DiskBench(seed: seed)
            bench.settle("a", sector(1) + sector(1))
            bench.submit(.write("a", at: 0, bytes: sector(2) + sector(2)))
            bench.run()
            bench.disk.losePower()
            let contents = try bench.contents(of: "a")
            let (first, second) = (contents[0], contents[512])
            #expect(contents == sector(first) + sector(second))
            outcomes.insert([first, second])
        }

        #expect(outcomes == [[1, 1], [1, 2], [2, 1], [2, 2]])
    }

    @Test func `what was synced survives a power loss`() {
        for seed in 1...20 as ClosedRange<UInt64> {
            let bench = DiskBench(seed: seed)
            bench.settle("a", sector(1))
            bench.submit(.write("a", at: 3, bytes: [9, 9]))
            bench.submit(.sync("a"))
            bench.run()
            bench.disk.losePower()

            var expected = sector(1)
            expected.replaceSubrange(3..<5, with: [9, 9])
            #expect((try? bench.contents(of: "a")) == expected)
        }
    }

    @Test func `a sync covers only what was written before it started`() throws {
        var outcomes: Set<UInt8> = []
        for seed in 1...60 as ClosedRange<UInt64> {
            let bench = DiskBench(seed: seed)
            bench.settle("a", [1])
            bench.disk.profile.sync = Delays(exactly: .seconds(1))
            bench.submit(.write("a", at: 0, bytes: [2]))
            bench.run()
            bench.submit(.sync("a"), lane: .segments)
            bench.submit(.write("a", at: 0, bytes: [3]), lane: .views)
            bench.run()
            bench.disk.losePower()
            outcomes.insert(try bench.contents(of: "a")[0])
        }

        #expect(outcomes == [2, 3])
    }

    @Test func `a file's growth survives only a sync`() throws {
        var sizes: Set<Int> = []
        for seed in 1...60 as ClosedRange<UInt64> {
            let bench = DiskBench(seed: seed)
            bench.settle("a", [1])
            bench.submit(.write("a", at: 1, bytes: [2]))
            bench.run()
            bench.disk.losePower()
            sizes.insert(try bench.disk.byteCount(of: "a"))
        }

        #expect(sizes == [1, 2])
    }

    @Test func `names survive a power loss in the order they were made, and all once synced`()
        throws
    {
        var outcomes: Set<[String]> = []
        for seed in 1...100 as ClosedRange<UInt64> {
            let bench = DiskBench(seed: seed)
            bench.settle("a", [1])
            bench.submit(.create("b", byteCount: 1))
            bench.submit(.rename("b", to: "c"))
            bench.submit(.remove("a"))
            bench.run()
            bench.disk.losePower()
            outcomes.insert(try bench.disk.list())
        }

        #expect(outcomes == [["a"], ["a", "b"], ["a", "c"], ["c"]])
    }

    @Test func `a rename over a file replaces it`() throws {
        let bench = DiskBench()
        bench.settle("a", [1])
        bench.settle("b", [2])
        bench.submit(.rename("b", to: "a"))
        bench.submit(.syncDirectory)
        bench.run()
        bench.disk.losePower()

        #expect(try bench.disk.list() == ["a"])
        #expect(try bench.contents(of: "a") == [2])
    }

    @Test func `a failed sync drops what was written since the one before`() throws {
        let bench = DiskBench()
        bench.disk.keepsUnsynced = false
        bench.settle("a", [1])
        bench.disk.failingSyncCount = 1
        bench.submit(.write("a", at: 0, bytes: [2, 2]))
        let sync = bench.submit(.sync("a"))

        #expect(bench.run().last == -Int64(sync))
        #expect(try bench.contents(of: "a") == [1])
    }

    /// Two sectors, of which the second one is written again after the failed sync.
    private func failedSync(seed: UInt64 = 1, writingAgain: Bool) -> DiskBench {
        let bench = DiskBench(seed: seed)
        bench.disk.keepsUnsynced = true
        bench.settle("a", Array(repeating: 1, count: 1_024))
        bench.disk.failingSyncCount = 1
        bench.submit(.write("a", at: 0, bytes: Array(repeating: 2, count: 1_024)))
        bench.submit(.sync("a"))
        bench.run()
        bench.disk.processEnded()
        if writingAgain {
            bench.submit(.write("a", at: 512, bytes: Array(repeating: 2, count: 512)))
        }
        bench.submit(.sync("a"))
        bench.run()
        return bench
    }

    @Test(arguments: [false, true])
    func `or leaves it readable, and no later one takes it to the disk before it is written again`(
        writingAgain: Bool
    ) throws {
        let bench = failedSync(writingAgain: writingAgain)
        #expect(try bench.contents(of: "a") == Array(repeating: 2, count: 1_024))
        let durable = try bench.disk.image.read("a", at: 0, count: 1_024)
        #expect(durable[..<512] == Array(repeating: 1, count: 512)[...])
        #expect(durable[512...].allSatisfy { $0 == (writingAgain ? 2 : 1) })
    }

    @Test func `power that goes after a failed sync may take what it covered, or not`() throws {
        let ends = try (1...40 as ClosedRange<UInt64>).map { seed in
            let bench = failedSync(seed: seed, writingAgain: true)
            bench.disk.losePower()
            return try bench.contents(of: "a")
        }
        #expect(Set(ends.map { $0[0] }) == [1, 2])
        #expect(Set(ends.map { $0[512] }) == [2])
    }

    @Test func `a full disk makes new and growing files wait, and nothing else`() {
        let bench = DiskBench()
        bench.settle("a", [1])
        bench.disk.isFull = true
        let write = bench.submit(.write("a", at: 0, bytes: [2]))
        let sync = bench.submit(.sync("a"))
        let create = bench.submit(.create("b", byteCount: 1))

        let grow = bench.submit(.write("a", at: 1, bytes: [3]), lane: .views)

        #expect(bench.run() == [Int64(write), Int64(sync)])
        #expect(Set(bench.full) == [.segments, .views])
        bench.disk.isFull = false
        #expect(Set(bench.run()) == [Int64(create), Int64(grow)])
        #expect(bench.full.isEmpty)
    }

    @Test func `a stalled disk completes nothing until it goes on`() {
        let bench = DiskBench()
        bench.submit(.create("a", byteCount: 1))
        bench.disk.stall(for: .seconds(5))
        #expect(bench.run(for: .seconds(4)).isEmpty)

        #expect(bench.run(for: .seconds(2)) == [1])
    }

    @Test func `reading stops at the end of the file`() throws {
        let bench = DiskBench()
        bench.settle("a", [1, 2, 3])

        #expect(try bench.disk.read("a", at: 1, count: 9) == [2, 3])
        #expect(try bench.disk.read("a", at: 9, count: 1).isEmpty)
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `a file of a few bytes rots within them`(seed: UInt64) throws {
        let bench = DiskBench(seed: seed)
        let bytes: [UInt8] = [1, 2, 3]
        bench.settle("a", bytes)
        bench.disk.rot("a")
        let rotten = try bench.contents(of: "a")
        #expect(rotten.count == 3)
    }
}
