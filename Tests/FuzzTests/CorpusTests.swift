import Foundation
import FuzzTargets
import Testing

/// What fuzzing has found, and what led it there, goes through the targets again.
@Suite struct `Corpora` {
    private static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Corpora")

    @Test(arguments: FuzzTarget.allCases)
    func `every file goes through its target without a trap`(target: FuzzTarget) throws {
        let folder = Self.root.appending(path: target.rawValue)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(!names.isEmpty)
        for name in names {
            // A trap says no name: this line does.
            print("\(target.rawValue)/\(name)")
            target.run(Array(try Data(contentsOf: folder.appending(path: name))))
        }
    }

    @Test(arguments: FuzzTarget.allCases)
    func `short and long inputs of all kinds go through`(target: FuzzTarget) {
        target.run([])
        for byte in UInt8.min...UInt8.max { target.run(Array(repeating: byte, count: 40)) }
    }
}
