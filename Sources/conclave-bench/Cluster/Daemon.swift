import CConclaveLinux
import Glibc

/// One daemon of a group that was started here.
final class Daemon {
    private let node: Int
    private let directory: String
    private let program: String
    private let ports: [UInt16]
    private let isDurable: Bool
    private(set) var pid: Int32?
    private var descriptor: Int32 = -1

    init(node: Int, directory: String, program: String, ports: [UInt16], isDurable: Bool) {
        self.node = node
        self.directory = directory
        self.program = program
        self.ports = ports
        self.isDurable = isDurable
    }

    /// `$CONCLAVED`, or the one beside this program.
    static func findProgram() throws -> String {
        if let path = unsafe getenv("CONCLAVED") { return unsafe String(cString: path) }
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = unsafe bytes.withUnsafeMutableBufferPointer { bytes in
            unsafe bytes.withMemoryRebound(to: CChar.self) { bytes in
                unsafe readlink("/proc/self/exe", bytes.baseAddress!, bytes.count)
            }
        }
        let own = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
        let path = own.split(separator: "/").dropLast().map { "/\($0)" }.joined() + "/conclaved"
        guard unsafe access(path, X_OK) == 0 else {
            throw BenchFailure("there is no \(path); set $CONCLAVED", code: 69)
        }
        return path
    }

    private var log: String { "\(directory)/\(node).log" }

    /// The end of its log, on one line.
    var lastWord: String {
        TextFile.read(log).split(separator: "\n").last.map(String.init) ?? "it said nothing"
    }

    var logLength: Int { TextFile.length(log) }

    func log(from offset: Int) -> String { TextFile.read(log, from: offset) }

    /// Removes its data; it must not run.
    func erase() {
        Files.removeDirectory("\(directory)/\(node)")
    }

    func start() throws {
        let configuration = "\(directory)/\(node).yaml"
        try Files.write(text, to: configuration)
        let started = Spawn.start([
            "sh", "-c", #"exec "$0" --config "$1" >>"$2" 2>&1 </dev/null"#, program, configuration,
            log,
        ])
        guard started > 0 else { throw BenchFailure("cannot start \(program)") }
        pid = started
        descriptor = conclave_linux_pidfd_open(started)
    }

    private var text: String {
        let members = ports.enumerated().map { index, port in
            "  - { id: \(index + 1), address: \"127.0.0.1:\(port)\" }\n"
        }
        return """
            node: \(node)
            data: \(directory)/\(node)
            socket: \(directory)/\(node).sock
            durability: \(isDurable ? "disk" : "memory")
            members:
            \(members.joined())
            """
    }

    func checkAlive() throws {
        guard let pid else { return }
        var status: Int32 = 0
        guard unsafe waitpid(pid, &status, WNOHANG) == pid else { return }
        forget()
        throw BenchFailure("daemon \(node) ended: \(lastWord)")
    }

    func kill() -> UInt64 {
        let time = Machine.now
        guard let pid else { return time }
        _ = Glibc.kill(pid, SIGKILL)
        reap()
        return time
    }

    /// To stop in good order.
    func ask() {
        if let pid { _ = Glibc.kill(pid, SIGTERM) }
    }

    /// Waits for that, but not for ever.
    func stop() {
        guard let pid else { return }
        var polled = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
        if unsafe poll(&polled, 1, 7_000) != 1 { _ = Glibc.kill(pid, SIGKILL) }
        reap()
    }

    private func reap() {
        if let pid { _ = waitpid(pid, nil, 0) }
        forget()
    }

    private func forget() {
        pid = nil
        close(descriptor)
    }
}

enum Spawn {
    /// Starts a program that ends with the calling thread; its process id, or a negated errno.
    static func start(_ arguments: [String]) -> Int32 {
        var pointers = unsafe arguments.map { unsafe strdup($0) }
        unsafe pointers.append(nil)
        defer { unsafe pointers.forEach { unsafe free($0) } }
        return unsafe conclave_linux_spawn(&pointers)
    }
}
