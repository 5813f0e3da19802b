import Foundation

/// A program that was started, with its output in files. It is killed with its last reference.
final class Running {
    /// As a shell would show it: 128 + n for signal n.
    struct Ending: Equatable {
        var status: Int32
        var output: String
        var errors: String
    }

    private let process = Process()
    private let directory: TemporaryDirectory
    private let name: String

    init(
        _ program: String, _ arguments: [String], environment: [String: String] = [:],
        in directory: TemporaryDirectory
    ) throws {
        self.directory = directory
        name = "run-\(UUID().uuidString.prefix(8))"
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try Self.open(directory.file(name + ".out"))
        process.standardError = try Self.open(directory.file(name + ".err"))
        try process.run()
    }

    deinit {
        kill()
    }

    private static func open(_ path: String) throws -> FileHandle {
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        return try FileHandle(forWritingTo: URL(filePath: path))
    }

    var pid: Int32 { process.processIdentifier }
    var isRunning: Bool { process.isRunning }
    var output: String { directory.read(name + ".out") }
    var errors: String { directory.read(name + ".err") }

    func send(_ signal: Int32) {
        if process.isRunning { Foundation.kill(pid, signal) }
    }

    func kill() {
        guard process.isRunning else { return }
        send(SIGKILL)
        process.waitUntilExit()
    }

    func end(seconds: Double = 30) throws -> Ending {
        try wait(for: "the end of \(process.arguments ?? [])", seconds: seconds) {
            !process.isRunning
        }
        process.waitUntilExit()
        let wasKilled = process.terminationReason == .uncaughtSignal
        return Ending(
            status: process.terminationStatus + (wasKilled ? 128 : 0), output: output,
            errors: errors)
    }
}
