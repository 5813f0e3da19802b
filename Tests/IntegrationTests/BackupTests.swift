import Foundation
import TestSupport
import Testing

/// Keys that are saved in a file and come back, over three daemons.
@Suite(.serialized) struct `A backup` {
    private let group: Group

    init() throws {
        group = try Group.serving()
    }

    private var file: String { group.directory.file("conclave.keys") }

    private func put(_ key: String, _ value: String) throws {
        #expect(try group.run("put", [key, value]).status == 0)
    }

    @Test func `shows what it would change, and changes no more than it is asked to`() throws {
        for number in 1...40 { try put("db/\(number)", "value \(number)") }
        try put("other", "1")
        let made = try group.run("backup", [file, "--prefix", "db/"], at: 2)
        #expect(made.output.hasPrefix("keys: 40, as of version "), "\(made)")
        let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions]
        #expect(mode as? Int == 0o600)

        for key in ["db/1", "db/2"] { #expect(try group.run("delete", [key]).status == 0) }
        #expect(try group.run("restore", [file, "--dry-run"], at: 3).output == "+ db/1\n+ db/2\n")
        let told = try group.run("restore", [file, "--dry-run", "--json"]).output
        #expect(told.hasPrefix("{\"change\":\"+\",\"key\":\"db/1\"}\n"))
        try put("db/3", "changed")
        try put("db/new", "1")
        let refused = try group.run("restore", [file])
        #expect(refused.status == 1)
        #expect(refused.errors.contains("db/3") && refused.errors.contains("--overwrite"))
        let dry = try group.run("restore", [file, "--dry-run", "--json"])
        #expect(dry.status == 1, "as it would end")
        #expect(dry.errors.hasPrefix(#"{"error":"conflict","message":"keys with"#), "\(dry)")
        #expect(try group.run("get", ["db/1"]).status == 1)

        let restored = try group.run("restore", [file, "--overwrite", "--delete-others"], at: 3)
        #expect(restored.status == 0, "\(restored)")
        #expect(restored.output == "keys changed: 4, the same as in the backup: 37\n")
        #expect(try group.run("get", ["db/3"]).output == "value 3\n")
        #expect(try group.run("get", ["db/new"]).status == 1)
        #expect(try group.run("get", ["other"]).output == "1\n")
        let again = try group.run("restore", [file])
        #expect(again.output == "keys changed: 0, the same as in the backup: 40\n")
    }

    @Test func `takes the place of a file, also behind a link, and of nothing else`() throws {
        try put("a", "1")
        let directory = (file as NSString).deletingLastPathComponent
        let (pipe, link, nowhere) = (file + ".pipe", file + ".link", file + ".nowhere")
        #expect(mkfifo(pipe, 0o600) == 0)
        try FileManager.default.createSymbolicLink(
            atPath: nowhere, withDestinationPath: file + ".absent")
        for target in [pipe, nowhere, directory] {
            let refused = try group.run("backup", [target, "--json"])
            #expect(refused.status == 74, "\(refused)")
            #expect(refused.errors.hasPrefix(#"{"error":"file","#), "\(refused)")
        }
        try Data().write(to: URL(fileURLWithPath: file))
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: file)
        #expect(try group.run("backup", [link]).status == 0)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == file)
        #expect(try Data(contentsOf: URL(fileURLWithPath: file)).count > 0)
        #expect(try group.run("backup", ["-", "--json"]).status == 64)
    }

    @Test func `brings the keys back when every disk is lost`() throws {
        try put("a", "1")
        try put("b", "2")
        #expect(try group.run("backup", [file]).status == 0)
        for node in 1...3 { group.kill(node) }
        for node in 1...3 { try FileManager.default.removeItem(atPath: group.data(node)) }
        // What begins anew on empty disks begins above the versions of the seconds before.
        Thread.sleep(forTimeInterval: 1.1)
        for node in 1...3 { try group.start(node) }
        try group.waitUntilServing()
        let restored = try group.run("restore", [file, "--json"])
        #expect(restored.output == "{\"changed\":2,\"same\":0}\n", "\(restored)")
        #expect(try group.run("get", ["b"], at: 2).output == "2\n")
    }

    @Test func `that is damaged, or cannot be written, says so`() throws {
        try put("a", "1")
        #expect(try group.run("backup", [file]).status == 0)
        var bytes = try Data(contentsOf: URL(filePath: file))
        bytes[20] ^= 1
        try bytes.write(to: URL(filePath: file))
        let damaged = try group.run("restore", [file])
        #expect(damaged.status == 64)
        #expect(damaged.errors.contains("checksum"), "\(damaged.errors)")
        let lost = try group.run("backup", [group.directory.file("nowhere/keys")])
        #expect(lost.status == 74)
        #expect(lost.errors.contains("No such file"), "\(lost.errors)")
        #expect(try group.run("restore", [group.directory.file("nothing")]).status == 74)
    }
}
