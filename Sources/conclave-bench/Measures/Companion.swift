import ArgumentParser
import Glibc

/// A process of this program beside it, which says by single bytes, through a pipe, how far it has come,
/// and is told through another one to end: one that can be killed.
struct Companion {
    /// It has reached its daemon.
    static let ready = UInt8(ascii: "r")

    let pid: Int32
    /// Readable when it has said something.
    let descriptor: Int32
    private let order: Int32

    /// - Parameter arguments: Of its command line; the descriptors of its `Pipes` follow them.
    init(_ arguments: [String]) throws {
        var words: [Int32] = [0, 0]
        var orders: [Int32] = [0, 0]
        guard unsafe pipe(&words) == 0, unsafe pipe(&orders) == 0 else {
            throw BenchFailure("no descriptor is left")
        }
        _ = fcntl(words[0], F_SETFD, FD_CLOEXEC)
        _ = fcntl(orders[1], F_SETFD, FD_CLOEXEC)
        pid = Spawn.start(
            ["/proc/self/exe"] + arguments
                + ["--tell", "\(words[1])", "--hear", "\(orders[0])"])
        close(words[1])
        close(orders[0])
        descriptor = words[0]
        order = orders[1]
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
        close(order)
    }

    /// Its end begins, and is not waited for.
    func signal() { _ = Glibc.kill(pid, SIGKILL) }

    /// It is told to end in good order, and is not waited for.
    func tellToEnd() {
        var word = UInt8(ascii: "e")
        _ = unsafe write(order, &word, 1)
    }

    /// Its ends of the two pipes.
    struct Pipes: ParsableArguments {
        /// To write to.
        @Option var tell: Int32
        /// Readable once it shall end.
        @Option var hear: Int32

        func say(_ word: UInt8) {
            var word = word
            _ = unsafe write(tell, &word, 1)
        }
    }
}
