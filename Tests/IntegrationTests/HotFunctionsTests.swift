import Foundation
import TestSupport
import Testing

/// `Tests/hot` in short: what the hot functions of the daemon allocate, retain and copy.
@Suite struct `Hot functions` {
    @Test func `allocate, retain and copy no more than they may`() throws {
        let directory = try TemporaryDirectory()
        let programs = URL(filePath: Programs.conclaved).deletingLastPathComponent().path
        let ending = try Running(
            Programs.script("Tests/hot"), [], environment: ["CONCLAVE_PROGRAMS": programs],
            in: directory
        ).end(seconds: 120)
        #expect(ending.status == 0, "\(ending.output)\(ending.errors)")
    }
}
