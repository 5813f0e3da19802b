import Foundation
import TestSupport
import Testing

/// Disks that lose more than a crash explains: what a daemon says of it, and that it comes back by
/// itself.
@Suite(.serialized) struct `Damage on a disk` {
    private func take(_ name: String, in group: Group, at node: Int) throws -> UInt64 {
        let ending = try group.run(
            "lock", [name, "--wait", "20s", "--", "sh", "-c", "echo $CONCLAVE_TOKEN"], at: node)
        try #require(ending.status == 0, "\(ending.errors)")
        return try #require(UInt64(ending.output.trimmingCharacters(in: .whitespacesAndNewlines)))
    }

    private func files(of node: Int, in group: Group, _ prefix: String) throws -> [String] {
        let journal = group.data(node) + "/journal"
        return try FileManager.default.contentsOfDirectory(atPath: journal).sorted()
            .filter { $0.hasPrefix(prefix) }.map { "\(journal)/\($0)" }
    }

    private func change(_ file: String, at offset: UInt64) throws {
        let file = try FileHandle(forUpdating: URL(filePath: file))
        try file.seek(toOffset: offset)
        try file.write(contentsOf: Data([0xA5, 0x5A]))
        try file.close()
    }

    /// Kills daemon 1 of three, damages its disk, and expects it back, with the word in its log.
    private func expectComeback(
        saying word: String, after damage: (Group) throws -> Void
    ) throws {
        let group = try Group.serving(of: 3)
        var last: UInt64 = 0
        for _ in 0..<3 { last = try take("a", in: group, at: 1) }
        group.kill(1)
        try group.waitUntilServing([2, 3], members: 2)
        try damage(group)
        try group.start(1)
        try group.waitUntilServing()
        let log = group.log(1)
        #expect(log.split(separator: "\n").contains { $0.hasPrefix("<3>") && $0.contains(word) })
        for node in 1...3 {
            let next = try take("a", in: group, at: node)
            #expect(next > last)
            last = next
        }
        #expect(try group.stop() == [0, 0, 0])
    }

    @Test func `in a segment: the journal is set aside, and the daemon joins as a new one`() throws
    {
        try expectComeback(saying: "segment-0000000001: batch 1 is bad") { group in
            try change(try files(of: 1, in: group, "segment")[0], at: 600)
        }
    }

    @Test func `that cut a segment`() throws {
        try expectComeback(saying: "is cut to 700 bytes") { group in
            let file = try files(of: 1, in: group, "segment")[0]
            let handle = try FileHandle(forUpdating: URL(filePath: file))
            try handle.truncate(atOffset: 700)
            try handle.close()
        }
    }

    @Test func `that took all segments away`() throws {
        try expectComeback(saying: "segment-0000000001 is gone") { group in
            for file in try files(of: 1, in: group, "segment") {
                try FileManager.default.removeItem(atPath: file)
            }
        }
    }

    @Test func `in both copies of the view journal: what was there is kept for an operator`() throws
    {
        let group = try Group.serving(of: 3)
        let before = try take("a", in: group, at: 1)
        group.kill(1)
        try group.waitUntilServing([2, 3], members: 2)
        for file in try files(of: 1, in: group, "views") { try change(file, at: 0) }
        try group.start(1)
        try group.waitUntilServing()
        #expect(group.log(1).contains("both copies are bad"))
        let aside = try files(of: 1, in: group, "aside").map { URL(filePath: $0).lastPathComponent }
        #expect(
            aside == ["aside-1-segment-0000000001", "aside-1-views.a", "aside-1-views.b"])
        #expect(try take("a", in: group, at: 1) > before)
        // It is a member like the others: they may go.
        group.kill(2)
        try group.waitUntilServing([1, 3], members: 2)
    }

    @Test func `in one copy of the view journal is repaired`() throws {
        try expectComeback(saying: "a copy of the view journal was bad") { group in
            try change(try files(of: 1, in: group, "views")[0], at: 0)
        }
    }

    @Test func `of a group of one: it waits, and names what an operator can do`() throws {
        let group = try Group.serving(of: 1)
        _ = try take("a", in: group, at: 1)
        group.kill(1)
        for file in try files(of: 1, in: group, "segment") {
            try FileManager.default.removeItem(atPath: file)
        }
        for _ in 0..<2 {
            try group.start(1)
            try wait(for: "the reason; \(group.log(1))") {
                let status = try group.run("status", ["--json"]).output
                return status.contains("\"serving\":false")
                    && status.contains("puts a data directory back")
            }
            group.kill(1)
        }
    }
}

/// A data directory on a file system of its own, so small that it can be filled.
@Suite(.serialized) struct `A full disk of a daemon` {
    /// Runs a program of the system; its status, or nil if it is not there.
    private func run(_ arguments: [String], in directory: TemporaryDirectory) throws -> Int32? {
        guard FileManager.default.isExecutableFile(atPath: arguments[0]) else { return nil }
        return try Running(arguments[0], Array(arguments.dropFirst()), in: directory).end().status
    }

    /// Mounts a file system of 16 MiB. Where this process may not, the test is cancelled.
    private func mount(_ path: String, in directory: TemporaryDirectory) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let status = try run(
            ["/bin/mount", "-t", "tmpfs", "-o", "size=16m,mode=0700", "tmpfs", path],
            in: directory)
        guard status == 0 else {
            try Test.cancel("cannot mount a file system of its own (\(status ?? -1))")
        }
    }

    @Test func `stops its acknowledgements, the others go on, and it comes back by itself`() throws
    {
        let group = try Group(of: 3, extra: "timing: { stall: 1s }")
        let data = group.data(3)
        try mount(data, in: group.directory)
        defer {
            for node in 1...3 { group.kill(node) }
            _ = try? run(["/bin/umount", data], in: group.directory)
        }
        // Room for the view journal, and for no segment.
        let filler = data + "/filler"
        try Data(count: 13 << 20).write(to: URL(filePath: filler))
        for node in 1...3 { try group.start(node) }
        try group.waitUntilServing([1, 2], members: 3)
        let first = try group.run("lock", ["a", "--", "true"], at: 1)
        #expect(first.status == 0, "\(first.errors)")
        try group.waitUntilServing([1, 2], members: 2)
        try wait(for: "the word: \(group.log(3))") {
            let status = try group.run("status", ["--json"], at: 3).output
            return status.contains("\"serving\":false") && status.contains("the disk is full")
        }
        #expect(group.log(3).contains("<3>"))
        #expect(group.log(3).contains("segment-0000000001"))
        // A start on a full disk waits as well.
        group.kill(3)
        try group.start(3)
        try wait(for: "the word: \(group.log(3))") {
            try group.run("status", ["--json"], at: 3).output.contains("the disk is full")
        }
        try FileManager.default.removeItem(atPath: filler)
        try group.waitUntilServing()
        #expect(group.log(3).contains("the disk has room again"))
        #expect(try group.run("lock", ["a", "--", "true"], at: 3).status == 0)
        #expect(try group.stop() == [0, 0, 0])
    }

    @Test func `does not hold up an orderly stop`() throws {
        let group = try Group(of: 1)
        let data = group.data(1)
        try mount(data, in: group.directory)
        defer {
            group.kill(1)
            _ = try? run(["/bin/umount", data], in: group.directory)
        }
        try Data(count: 13 << 20).write(to: URL(filePath: data + "/filler"))
        try group.start(1)
        try wait(for: "the word: \(group.log(1))") { group.log(1).contains("the disk is full") }
        #expect(try group.stop() == [0])
    }
}
