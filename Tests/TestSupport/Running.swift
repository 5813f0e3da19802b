import Foundation

/// A program that was started, with its output in files. It is killed with its last reference.
///
/// Foundation's own `Process` watches its children by one thread for all of them, which a child
/// that goes on can hold up; this one asks the kernel.
public final class Running {
    /// As a shell would show it: 128 + n for signal n.
    public struct Ending: Equatable {
        public var status: Int32
        public var output: String
        public var errors: String

        public init(status: Int32, output: String, errors: String) {
            self.status = status
            self.output = output
            self.errors = errors
        }
    }

    public struct Failure: Error {
        public var program: String
        public var number: Int32
    }

    public let pid: Int32
    private let arguments: [String]
    private let directory: TemporaryDirectory
    private let name: String
    /// Once it has ended and was reaped: its process id may be another's by then.
    private var status: Int32?

    /// - Parameter standardError: A descriptor in place of the file that `errors` reads.
    public init(
        _ program: String, _ arguments: [String], environment: [String: String] = [:],
        in directory: TemporaryDirectory, standardError: Int32? = nil
    ) throws {
        self.arguments = arguments
        self.directory = directory
        name = "run-\(UUID().uuidString.prefix(8))"
        let all = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        pid = try Self.spawn(
            [program] + arguments, all.map { "\($0.key)=\($0.value)" },
            output: directory.file(name + ".out"), errors: directory.file(name + ".err"),
            standardError: standardError)
    }

    deinit {
        kill()
    }

    public var output: String { directory.read(name + ".out") }
    public var errors: String { directory.read(name + ".err") }

    public var isRunning: Bool {
        if status == nil { reap(WNOHANG) }
        return status == nil
    }

    /// Whether a signal has stopped it, until it gets SIGCONT.
    public var isStopped: Bool {
        guard isRunning, let stat = FileManager.default.contents(atPath: "/proc/\(pid)/stat")
        else { return false }
        // The state is the first word after the name, which stands in parentheses.
        return String(decoding: stat, as: UTF8.self).contains(/\) T [^)]*$/)
    }

    public func send(_ signal: Int32) {
        if isRunning { Foundation.kill(pid, signal) }
    }

    public func kill() {
        send(SIGKILL)
        if status == nil { reap(0) }
    }

    public func end(seconds: Double = 30) throws -> Ending {
        try wait(for: "the end of \(arguments)", seconds: seconds) { !isRunning }
        return Ending(status: status ?? -1, output: output, errors: errors)
    }

    private func reap(_ options: Int32) {
        var raw: Int32 = 0
        guard waitpid(pid, &raw, options) == pid else { return }
        let signal = raw & 0x7F
        status = signal == 0 ? (raw >> 8) & 0xFF : 128 + signal
    }

    private static func spawn(
        _ arguments: [String], _ environment: [String], output: String, errors: String,
        standardError: Int32?
    ) throws -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let writing = O_WRONLY | O_CREAT | O_TRUNC
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, writing, 0o600)
        if let standardError {
            posix_spawn_file_actions_adddup2(&actions, standardError, 2)
        } else {
            posix_spawn_file_actions_addopen(&actions, 2, errors, writing, 0o600)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        let flags = Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF)
        posix_spawnattr_setflags(&attributes, flags)

        let argv = arguments.map { strdup($0) } + [nil]
        let envp = environment.map { strdup($0) } + [nil]
        defer { for text in argv + envp { free(text) } }
        var pid: Int32 = 0
        let number = posix_spawn(&pid, arguments[0], &actions, &attributes, argv, envp)
        guard number == 0 else { throw Failure(program: arguments[0], number: number) }
        return pid
    }
}
