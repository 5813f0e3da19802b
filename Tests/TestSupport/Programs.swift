import Foundation

/// The release programs under test: `CONCLAVE_PROGRAMS`, else where a release build puts them.
public enum Programs {
    private static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    private static let folder: URL = {
        if let named = ProcessInfo.processInfo.environment["CONCLAVE_PROGRAMS"] {
            return URL(filePath: named)
        }
        return root.appending(path: ".build/release")
    }()

    public static var conclave: String { folder.appending(path: "conclave").path }
    public static var conclaved: String { folder.appending(path: "conclaved").path }
    public static var workload: String { folder.appending(path: "conclave-workload").path }
    public static var bench: String { folder.appending(path: "conclave-bench").path }
    public static var simulator: String { folder.appending(path: "conclave-sim").path }
    /// By its path from the root of the repository.
    public static func script(_ path: String) -> String { root.appending(path: path).path }
    /// One of the programs in `examples`.
    public static func example(_ name: String) -> String { folder.appending(path: name).path }

    /// The forms of tests that take minutes.
    public static let areLongFormsWanted =
        ProcessInfo.processInfo.environment["CONCLAVE_LONG"] == "1"
}

/// A directory that is removed with its last reference.
public final class TemporaryDirectory {
    public let path: String

    public init() throws {
        let unique = "conclave-test-\(UUID().uuidString.prefix(8))"
        path = FileManager.default.temporaryDirectory.appending(path: unique).path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    public func file(_ name: String) -> String { "\(path)/\(name)" }

    public func write(_ text: String, to name: String) throws -> String {
        try text.write(toFile: file(name), atomically: true, encoding: .utf8)
        return file(name)
    }

    /// Empty for a file that is not there.
    public func read(_ name: String) -> String {
        let bytes = FileManager.default.contents(atPath: file(name)) ?? Data()
        return String(decoding: bytes, as: UTF8.self)
    }
}

public struct TimedOut: Error, CustomStringConvertible {
    public var description: String
}

/// Asks every few milliseconds until `condition` holds; fails by name.
public func wait(
    for what: String, seconds: Double = 20, until condition: () throws -> Bool
) throws {
    let end = Date(timeIntervalSinceNow: seconds)
    while !(try condition()) {
        guard Date() < end else { throw TimedOut(description: "waited in vain for \(what)") }
        Thread.sleep(forTimeInterval: 0.01)
    }
}
