import Foundation

/// The release programs under test: `CONCLAVE_PROGRAMS`, else where a release build puts them.
enum Programs {
    static let folder: URL = {
        if let named = ProcessInfo.processInfo.environment["CONCLAVE_PROGRAMS"] {
            return URL(filePath: named)
        }
        return URL(filePath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: ".build/release")
    }()

    static var conclave: String { folder.appending(path: "conclave").path }
    static var conclaved: String { folder.appending(path: "conclaved").path }

    /// The forms of tests that take minutes.
    static let areLongFormsWanted =
        ProcessInfo.processInfo.environment["CONCLAVE_LONG"] == "1"
}

/// A directory that is removed with its last reference.
final class TemporaryDirectory {
    let path: String

    init() throws {
        let unique = "conclave-test-\(UUID().uuidString.prefix(8))"
        path = FileManager.default.temporaryDirectory.appending(path: unique).path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    func write(_ text: String, to name: String) throws -> String {
        try text.write(toFile: file(name), atomically: true, encoding: .utf8)
        return file(name)
    }

    /// Empty for a file that is not there.
    func read(_ name: String) -> String {
        let bytes = FileManager.default.contents(atPath: file(name)) ?? Data()
        return String(decoding: bytes, as: UTF8.self)
    }
}

struct TimedOut: Error, CustomStringConvertible {
    var description: String
}

/// Asks every few milliseconds until `condition` holds; fails by name.
func wait(
    for what: String, seconds: Double = 20, until condition: () throws -> Bool
) throws {
    let end = Date(timeIntervalSinceNow: seconds)
    while !(try condition()) {
        guard Date() < end else { throw TimedOut(description: "waited in vain for \(what)") }
        Thread.sleep(forTimeInterval: 0.01)
    }
}
