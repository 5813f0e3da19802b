import CConclaveLinux
import Conclave
import Glibc
import Synchronization

/// What every measure needs: whom to ask, how long, and where the figures go.
struct Bench {
    var group: Group
    var options: MeasureCommand
    var report: Report
    var interrupts: Interrupts

    /// Connections, spread over the daemons.
    func connect(_ count: Int) async throws -> [Conclave] {
        var connections: [Conclave] = []
        for index in 0..<count {
            let socket = group.sockets[index % group.sockets.count]
            connections.append(
                try await Conclave.connect(socket: socket, ttl: .seconds(10), label: "bench"))
        }
        return connections
    }

    /// Of a timed phase.
    var length: Duration { .nanoseconds(Int64(options.secs * 1e9)) }

    /// Runs `body` on other threads, and the main thread waits for it.
    func wait<Result: Sendable>(
        for body: @escaping @Sendable () async throws -> Result
    ) throws -> Result {
        try interrupts.wait(for: body)
    }

    /// `target`, `workers` and so on: how it was measured.
    func how(workers: Int, conns: Int) -> [Field] {
        let target = conns == 1 || group.sockets.count == 1 ? "one" : "all"
        return [
            Field("workers", .count(workers)), Field("conns", .count(conns)),
            Field("target", .text(target)),
        ]
    }
}

/// Signals that end the program in good order: the main thread sees them while it waits.
struct Interrupts {
    private static let handled = [SIGINT, SIGTERM, SIGHUP]

    let descriptor: Int32

    /// Before the first thread is started, since threads inherit what is blocked.
    init() {
        let mask = Self.handled.reduce(UInt64(0)) { $0 | 1 << UInt64($1 - 1) }
        conclave_linux_signals_block(mask)
        descriptor = conclave_linux_signal_create(mask)
    }

    func wait<Result: Sendable>(
        for body: @escaping @Sendable () async throws -> Result
    ) throws -> Result {
        let outcome = Mutex<Swift.Result<Result, any Error>?>(nil)
        let finished = conclave_linux_event_create(0)
        defer { close(finished) }
        return try withExtendedLifetime(Box(outcome)) { box in
            Task {
                let result: Swift.Result<Result, any Error>
                do { result = .success(try await body()) } catch { result = .failure(error) }
                box.value.withLock { $0 = result }
                conclave_linux_event_signal(finished)
            }
            while true {
                if let result = box.value.withLock({ $0 }) { return try result.get() }
                try sleep(until: [finished])
            }
        }
    }

    /// Until one of `descriptors` can be read, or for so long.
    func sleep(until descriptors: [Int32], milliseconds: Int32 = -1) throws {
        var polled = (descriptors + [descriptor]).map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        _ = unsafe poll(&polled, nfds_t(polled.count), milliseconds)
        if polled[descriptors.count].revents != 0 { throw BenchFailure.interrupted }
    }
}

/// Shares a value that cannot be copied with a task.
final class Box<Value: ~Copyable & Sendable>: Sendable {
    let value: Value

    init(_ value: consuming Value) {
        self.value = value
    }
}
