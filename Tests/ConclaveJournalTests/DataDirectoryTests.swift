import ConclaveBase
import ConclaveJournal
import ConclaveReactor
import Glibc
import Testing

@Suite struct `A data directory` {
    private let scratch = Scratch()

    @Test func `belongs to one at a time`() throws {
        let disk = try FileDisk(path: scratch.path)
        #expect(throws: FileDiskFault.locked(path: scratch.path)) {
            try FileDisk(path: scratch.path)
        }
        disk.close()
        let next = try FileDisk(path: scratch.path)
        #expect(try next.list().isEmpty)
    }

    @Test func `is given back when its disk is gone`() throws {
        do { _ = try FileDisk(path: scratch.path) }
        do { _ = try Site(scratch) }
        #expect(throws: Never.self) { try FileDisk(path: scratch.path) }
    }

    @Test func `is made if only its parent is there, for its owner alone`() throws {
        let path = scratch.path + "/made"
        do { _ = try FileDisk(path: path) }
        let state = try scratch.state(of: "made")
        #expect(state.st_mode & 0o7777 == 0o700)
        unlink(path + "/lock")
        rmdir(path)

        let missing = scratch.path + "/missing/made"
        #expect(
            throws: FileDiskFault.failed(
                path: missing, SystemError(call: "mkdir", number: ENOENT))
        ) { try FileDisk(path: missing) }
    }

    @Test func `has to be a directory`() throws {
        #expect(throws: FileDiskFault.notADirectory(path: "/dev/null")) {
            try FileDisk(path: "/dev/null")
        }
    }

    @Test func `has to be writable`() throws {
        let fault = #expect(throws: FileDiskFault.self) { try FileDisk(path: "/sys") }
        guard case .notWritable(path: "/sys", _)? = fault else {
            Issue.record("\(String(describing: fault))")
            return
        }
    }

    @Test func `shows its files by name and nothing else`() throws {
        let site = try Site(scratch)
        for name in ["b", "c", "a"] { _ = try site.perform(.create(name, byteCount: 1)) }
        try #require(mkdir(scratch.path + "/directory", 0o700) == 0)
        #expect(try site.disk.list() == ["a", "b", "c"])
        rmdir(scratch.path + "/directory")
    }

    @Test func `loses what an unfinished creation left behind`() throws {
        let left = scratch.path + "/.unfinished-a"
        _ = Descriptor(owning: open(left, O_WRONLY | O_CREAT, 0o600))
        do {
            let disk = try FileDisk(path: scratch.path)
            #expect(try disk.list().isEmpty)
        }
        #expect(access(left, F_OK) == -1)
    }

    @Test func `is locked through no link`() throws {
        try #require(symlink("/dev/null", scratch.path + "/lock") == 0)
        let loop = SystemError(call: "open", number: ELOOP)
        #expect(throws: FileDiskFault.notWritable(path: scratch.path, loop)) {
            try FileDisk(path: scratch.path)
        }
    }
}
