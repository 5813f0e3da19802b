import ConclaveBase
import ConclaveJournal
import ConclaveReactor
import Glibc
import Testing

@Suite struct `Lanes of a disk` {
    private let scratch = Scratch()
    /// F_SETSIG and F_SETLEASE of fcntl, which Glibc does not give to Swift.
    private let setSignal: Int32 = 10
    private let setLease: Int32 = 1_024

    @Test func `operations of one lane complete in order`() throws {
        let site = try Site(scratch)
        var tags = [site.submit(.create("a", byteCount: 1_000))]
        for number in 0..<300 {
            tags.append(site.submit(.write("a", at: number, bytes: [UInt8(number % 256)])))
            if number % 100 == 0 { tags.append(site.submit(.sync("a"))) }
        }
        #expect(try site.turn { site.recorder.order.count == tags.count })
        #expect(site.recorder.order == tags)
        let expected = (0..<300).map { UInt8($0 % 256) }
        #expect(try site.disk.read("a", at: 0, count: 300) == expected)
    }

    @Test func `no lane waits for another`() throws {
        let site = try Site(scratch)
        _ = try site.perform(.create("a", byteCount: 1))
        // Opening a file on which somebody holds a lease waits until the lease is given up.
        let slow = Descriptor(owning: open(scratch.path + "/slow", O_RDONLY | O_CREAT, 0o600))
        try #require(fcntl(slow.number, setSignal, SIGURG) == 0)
        try #require(fcntl(slow.number, setLease, Int32(F_RDLCK)) == 0)
        let waiting = site.submit(.write("slow", at: 0, bytes: [1]), .snapshots)
        for lane in [DiskLane.views, .segments] {
            #expect(try site.perform(.write("a", at: 0, bytes: [2]), lane) == .completed)
            #expect(try site.perform(.sync("a"), lane) == .completed)
        }
        #expect(!site.recorder.order.contains(waiting))
        try #require(fcntl(slow.number, setLease, Int32(F_UNLCK)) == 0)
        #expect(try site.result(of: waiting) == .completed)
    }

    @Test func `closing finishes what was submitted`() throws {
        let disk = try FileDisk(path: scratch.path)
        disk.submit(.create("a", byteCount: 1), lane: .segments, tag: 0)
        for number in 1...200 {
            disk.submit(
                .write("a", at: number, bytes: [UInt8(number)]), lane: .segments,
                tag: UInt64(number))
        }
        disk.close()
        let tags = disk.drain().map { input in
            if case .completed(let tag) = input { tag } else { UInt64.max }
        }
        #expect(tags == Array(1...200))
        let again = try FileDisk(path: scratch.path)
        #expect(try again.read("a", at: 0, count: 201) == (0...200).map { UInt8($0) })
    }

    @Test func `completions before the start are told after it`() throws {
        let disk = try FileDisk(path: scratch.path)
        disk.submit(.syncDirectory, lane: .views, tag: 5)
        final class Sink: DiskSink {
            var tags: [UInt64] = []
            func receive(_ input: DiskInput) {
                if case .completed(let tag) = input { tags.append(tag) }
            }
        }
        let sink = Sink()
        let reactor = try Reactor()
        try disk.start(on: reactor, sink)
        while sink.tags.isEmpty { try reactor.turn(until: .distantFuture) }
        #expect(sink.tags == [5])
        disk.close()
    }
}
