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
                return status.contains("\"serving\":false") && status.contains("conclave recover")
            }
            group.kill(1)
        }
    }
}
