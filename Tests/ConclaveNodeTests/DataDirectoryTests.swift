import ConclaveBase
import ConclaveReplication
import Glibc
import TestSupport
import Testing

@testable import ConclaveNode

@Suite struct `The directory of a daemon` {
    private let scratch: TemporaryDirectory

    init() throws { scratch = try TemporaryDirectory() }

    private var directory: DataDirectory {
        DataDirectory(path: scratch.path, node: NodeID(1), durability: .disk)
    }

    @Test(arguments: [0o700, 0o750, 0o755] as [mode_t])
    func `may be read by others`(mode: mode_t) throws {
        chmod(scratch.path, mode)
        try directory.make()
    }

    @Test(arguments: [0o770, 0o702, 0o777, 0o1777] as [mode_t])
    func `must not be writable for others, and how to mend that is told`(mode: mode_t) throws {
        chmod(scratch.path, mode)
        let fault = #expect(throws: StartFault.self) { try directory.make() }
        #expect(fault?.status == .data)
        #expect(fault?.description.contains("chmod go-w \(scratch.path)") == true)
    }

    @Test func `is marked through no link`() throws {
        let elsewhere = scratch.path + "/elsewhere"
        try FileBytes.write([1, 2, 3], to: elsewhere)
        try #require(symlink(elsewhere, scratch.path + "/identity.new") == 0)
        let fault = #expect(throws: StartFault.self) { try directory.claim(disk: 7) }
        #expect(fault?.status == .disk)
        #expect(try FileBytes.read(elsewhere, maximum: 10) == [1, 2, 3])
    }
}
