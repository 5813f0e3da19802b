import Glibc

/// A process of this program beside it, which says by single bytes, through a pipe, how far it has come:
/// one that can be killed.
struct Companion {
    /// It has reached its daemon.
    static let ready = UInt8(ascii: "r")

    let pid: Int32
    /// Readable when it has said something.
    let descriptor: Int32

    /// - Parameter arguments: Of its command line; the descriptor that it writes to follows them.
    init(_ arguments: [String]) throws {
        var ends: [Int32] = [0, 0]
        guard unsafe pipe(&ends) == 0 else { throw BenchFailure("no descriptor is left") }
        _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)
        pid = Spawn.start(["/proc/self/exe"] + arguments + ["--tell", "\(ends[1])"])
        close(ends[1])
        descriptor = ends[0]
        guard pid > 0 else { throw BenchFailure("cannot start a \(arguments[0])") }
    }

    var hasSomething: Bool {
        var polled = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
        return unsafe poll(&polled, 1, 0) == 1
    }

    /// The next word; `nil`: it has ended.
    func wait(_ interrupts: Interrupts) throws -> UInt8? {
        try interrupts.sleep(until: [descriptor], milliseconds: 20_000)
        var byte: UInt8 = 0
        guard hasSomething, unsafe read(descriptor, &byte, 1) == 1 else { return nil }
        return byte
    }

    func kill() {
        signal()
        _ = waitpid(pid, nil, 0)
        close(descriptor)
    }

    /// Its end begins, and is not waited for.
    func signal() { _ = Glibc.kill(pid, SIGKILL) }

    static func say(_ word: UInt8, _ descriptor: Int32) {
        var word = word
        _ = unsafe write(descriptor, &word, 1)
    }
}
