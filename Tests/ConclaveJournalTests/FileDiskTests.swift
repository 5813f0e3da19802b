import ConclaveBase
import ConclaveJournal
import ConclaveReactor
import Foundation
import Glibc
import Testing

@Suite struct `Files of a data directory` {
    private let scratch = Scratch()

    @Test func `what was written and synced is read back`() throws {
        let site = try Site(scratch)
        #expect(try site.perform(.create("a", byteCount: 10)) == .completed)
        #expect(try site.perform(.write("a", at: 3, bytes: [1, 2, 3])) == .completed)
        #expect(try site.perform(.sync("a")) == .completed)
        #expect(try site.disk.read("a", at: 0, count: 10) == [0, 0, 0, 1, 2, 3, 0, 0, 0, 0])
        #expect(try site.disk.read("a", at: 4, count: 2) == [2, 3])
        #expect(try site.disk.byteCount(of: "a") == 10)
    }

    @Test func `reading ends at the end of the file`() throws {
        let site = try Site(scratch)
        _ = try site.perform(.create("a", byteCount: 4))
        #expect(try site.disk.read("a", at: 2, count: .max) == [0, 0])
        #expect(try site.disk.read("a", at: 4, count: 1).isEmpty)
        #expect(try site.disk.read("a", at: 100, count: 1).isEmpty)
        #expect(try site.disk.read("a", at: 0, count: 0).isEmpty)
    }

    @Test(arguments: [0, 1, 4_096, (1 << 20) - 1, (3 << 20) + 5])
    func `a created file is full of zeros that have their place on the disk`(
        byteCount: Int
    ) throws {
        let site = try Site(scratch)
        #expect(try site.perform(.create("a", byteCount: byteCount)) == .completed)
        let bytes = try site.disk.read("a", at: 0, count: byteCount + 1)
        #expect(bytes == [UInt8](repeating: 0, count: byteCount))
        let state = try scratch.state(of: "a")
        #expect(state.st_mode & 0o7777 == 0o600)
        #expect(Int(state.st_blocks) * 512 >= byteCount)
    }

    @Test func `creating takes the place of a file of that name`() throws {
        let site = try Site(scratch)
        _ = try site.perform(.create("a", byteCount: 8))
        _ = try site.perform(.write("a", at: 0, bytes: [1, 1, 1, 1, 1, 1, 1, 1]))
        #expect(try site.perform(.create("a", byteCount: 3)) == .completed)
        #expect(try site.disk.read("a", at: 0, count: 8) == [0, 0, 0])
        _ = try site.perform(.write("a", at: 0, bytes: [2]))
        #expect(try site.disk.read("a", at: 0, count: 8) == [2, 0, 0])
        #expect(try site.disk.list() == ["a"])
    }

    @Test func `nothing is written through a link`() throws {
        let site = try Site(scratch)
        _ = try site.perform(.create("a", byteCount: 4))
        for link in ["b", ".unfinished-c"] {
            try #require(symlink(scratch.path + "/a", scratch.path + "/" + link) == 0)
        }
        // In two lanes, since one that has failed does nothing more.
        let write = try site.perform(.write("b", at: 0, bytes: [1]), .views)
        #expect(write == .failed(.failed("b", number: ELOOP)))
        let create = try site.perform(.create("c", byteCount: 2))
        #expect(create == .failed(.failed(".unfinished-c", number: ELOOP)))
        #expect(try site.disk.read("a", at: 0, count: 8) == [0, 0, 0, 0])
        unlink(scratch.path + "/.unfinished-c")
    }

    @Test func `writes may make a file longer`() throws {
        let site = try Site(scratch)
        _ = try site.perform(.create("a", byteCount: 1))
        #expect(try site.perform(.write("a", at: 3, bytes: [9])) == .completed)
        #expect(try site.disk.read("a", at: 0, count: 10) == [0, 0, 0, 9])
    }

    @Test func `whole sectors and parts of them may be written one after the other`() throws {
        let site = try Site(scratch)
        _ = try site.perform(.create("a", byteCount: 8_192))
        var expected = [UInt8](repeating: 0, count: 8_192)
        let writes = [(512, 1_024), (700, 3), (0, 4_096), (4_095, 2), (1_536, 512), (512, 100)]
        for (number, (offset, count)) in writes.enumerated() {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ number) }
            #expect(try site.perform(.write("a", at: offset, bytes: bytes)) == .completed)
            expected.replaceSubrange(offset..<offset + count, with: bytes)
            #expect(try site.disk.read("a", at: 0, count: 8_192) == expected)
        }
        #expect(try site.perform(.sync("a")) == .completed)
        #expect(try site.disk.read("a", at: 0, count: 8_192) == expected)
    }

    @Test func `whole sectors go past the page cache where the file system has such a way`() throws
    {
        let site = try Site(scratch)
        _ = try site.perform(.create("a", byteCount: 4_096))
        let probe = Descriptor(owning: open(scratch.path + "/a", O_RDWR))
        let hasWay = fcntl(probe.number, F_SETFL, direct) == 0
        _ = try site.perform(.write("a", at: 512, bytes: [UInt8](repeating: 1, count: 512)))
        #expect(try goesPastCache("a", but: probe.number) == hasWay)
        _ = try site.perform(.write("a", at: 512, bytes: [2]))
        #expect(try !goesPastCache("a", but: probe.number))
    }

    /// O_DIRECT, as the kernel tells it.
    private var direct: Int32 { 0o40000 }

    /// Whether a descriptor of this process other than `own` writes that file past the cache.
    private func goesPastCache(_ name: String, but own: Int32) throws -> Bool {
        let number = try #require(descriptors(of: name).first { $0 != own })
        return fcntl(number, F_GETFL) & direct != 0
    }

    /// Of this process.
    private func descriptors(of name: String) -> [Int32] {
        let path = Self.resolved(scratch.path + "/" + name)
        let open = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return open.compactMap { Int32($0) }.filter { Self.resolved("/proc/self/fd/\($0)") == path }
    }

    private static func resolved(_ path: String) -> String? {
        realpath(path, nil).map { path in
            defer { free(path) }
            return String(cString: path)
        }
    }

    @Test func `a rename carries the file and what is written later`() throws {
        let site = try Site(scratch)
        _ = try site.perform(.create("a", byteCount: 2))
        _ = try site.perform(.create("b", byteCount: 5))
        _ = try site.perform(.write("b", at: 0, bytes: [7]))
        _ = try site.perform(.write("a", at: 0, bytes: [1]))
        #expect(try site.perform(.rename("a", to: "b")) == .completed)
        #expect(try site.perform(.syncDirectory) == .completed)
        #expect(try site.perform(.write("b", at: 1, bytes: [2])) == .completed)
        #expect(try site.perform(.sync("b")) == .completed)
        #expect(try site.disk.read("b", at: 0, count: 10) == [1, 2])
        #expect(try site.disk.list() == ["b"])
        #expect(try site.perform(.write("a", at: 0, bytes: [1])) == .failed(.notFound("a")))
    }

    @Test func `a name that was removed means the next file that gets it`() throws {
        let site = try Site(scratch)
        for value: UInt8 in 1...3 {
            _ = try site.perform(.create("a", byteCount: 1), .segments)
            _ = try site.perform(.write("a", at: 0, bytes: [value]), .snapshots)
            #expect(try site.disk.read("a", at: 0, count: 1) == [value])
            #expect(try site.perform(.remove("a"), .views) == .completed)
            #expect(try site.disk.list().isEmpty)
        }
    }

    @Test func `more files are used than are kept open`() throws {
        let site = try Site(scratch)
        let names = (10..<60).map { "file-\($0)" }
        for name in names { site.submit(.create(name, byteCount: 1)) }
        for round: UInt8 in 1...2 {
            for name in names { site.submit(.write(name, at: Int(round) - 1, bytes: [round])) }
        }
        let last = site.submit(.syncDirectory)
        #expect(try site.result(of: last) == .completed)
        #expect(try site.disk.list() == names)
        for name in names { #expect(try site.disk.read(name, at: 0, count: 9) == [1, 2]) }
    }

    @Test func `what is not there is told by name`() throws {
        let site = try Site(scratch)
        let missing = Ended.failed(.notFound("a"))
        #expect(try site.perform(.write("a", at: 0, bytes: [1])) == missing)
        #expect(try site.perform(.sync("a")) == missing)
        #expect(try site.perform(.rename("a", to: "b")) == missing)
        #expect(try site.perform(.remove("a")) == missing)
        #expect(throws: DiskError.notFound("a")) { try site.disk.read("a", at: 0, count: 1) }
        #expect(throws: DiskError.notFound("a")) { try site.disk.byteCount(of: "a") }
    }

    @Test(arguments: [
        "", ".", "..", "a/b", "/a", ".hidden", "lock", "a\u{0}b",
        String(repeating: "x", count: 201),
    ])
    func `names that are no flat names are refused`(name: String) throws {
        let site = try Site(scratch)
        let refused = DiskError.failed(name, number: EINVAL)
        #expect(try site.perform(.create(name, byteCount: 1)) == .failed(refused))
        #expect(try site.perform(.rename("a", to: name)) == .failed(refused))
        #expect(throws: refused) { try site.disk.read(name, at: 0, count: 1) }
        #expect(try site.disk.list().isEmpty)
    }

    @Test func `V31: a file that does not fit is waited for, and leaves nothing behind`() throws {
        let site = try Site(scratch)
        let create = site.submit(.create("a", byteCount: 1 << 60))
        let next = site.submit(.create("b", byteCount: 1))
        #expect(try site.turn { site.recorder.full == ["segments a"] })
        #expect(try site.disk.list().isEmpty)
        // The other lanes go on.
        #expect(try site.perform(.create("c", byteCount: 1), .views) == .completed)
        #expect(site.recorder.order.allSatisfy { $0 != create && $0 != next })
        // Whoever closes the disk does not wait for room.
        site.disk.close()
        #expect(
            site.disk.drain() == [
                .failed(tag: create, .full("a")), .failed(tag: next, .full("a")),
            ])
    }

    @Test func `V31: a write that finds no room is done when there is`() throws {
        let site = try Site(scratch)
        _ = try site.perform(.create("a", byteCount: 1))
        let full = Descriptor(owning: open("/dev/full", O_RDWR))
        let kept = descriptors(of: "a")
        try #require(!kept.isEmpty)
        for kept in kept { try #require(dup2(full.number, kept) == kept) }
        let write = site.submit(.write("a", at: 0, bytes: [1]))
        #expect(try site.turn { site.recorder.full == ["segments a"] })
        #expect(site.recorder.ended[write] == nil)
    }

    @Test func `after a failed write its lane fails for ever, and the others go on (V31)`() throws {
        let site = try Site(scratch)
        _ = try site.perform(.create("a", byteCount: 1))
        try #require(mkdir(scratch.path + "/directory", 0o700) == 0)
        defer { rmdir(scratch.path + "/directory") }
        let failure = DiskError.failed("directory", number: EISDIR)
        #expect(try site.perform(.write("directory", at: 0, bytes: [1])) == .failed(failure))
        #expect(try site.perform(.sync("a")) == .failed(failure))
        #expect(try site.perform(.write("a", at: 0, bytes: [1])) == .failed(failure))
        #expect(try site.perform(.sync("a"), .views) == .completed)
    }
}
