import Conclave

/// Many locks that are held by a few sessions, so that the daemons have something to carry.
struct HeldLocks {
    private final class Held: Sendable {
        let lock: Lock

        init(_ lock: consuming Lock) {
            self.lock = lock
        }
    }

    /// Begins the names of all.
    static let prefix = "bench/held/"
    /// Requests on their way at once: of one session below what may be unconfirmed, and of all.
    private static let window = 256
    private static let windowOfAll = 4_096

    /// Requests that each session had on their way.
    let window: Int
    private let connections: [Conclave]
    private let held: [Held]

    /// Takes `count` locks over `conns` sessions, none of them at the daemon `spared`.
    init(_ count: Int, _ bench: Bench, conns: Int, sparing spared: Int? = nil) async throws {
        let sockets = bench.group.sockets.indices.filter { $0 != spared }
        var connections: [Conclave] = []
        for index in 0..<conns {
            let socket = bench.group.sockets[sockets[index % sockets.count]]
            connections.append(
                try await Conclave.connect(socket: socket, ttl: .seconds(10), label: "held"))
        }
        self.connections = connections
        window = max(1, min(Self.window, Self.windowOfAll / conns))
        let window = window
        held = try await withThrowingTaskGroup(of: [Held].self) { group in
            for (index, conclave) in connections.enumerated() {
                for lane in 0..<window {
                    let first = index + lane * conns
                    group.addTask {
                        try await Self.take(
                            stride(from: first, to: count, by: conns * window), conclave)
                    }
                }
            }
            var all: [Held] = []
            for try await part in group { all += part }
            return all
        }
    }

    private static func take(_ numbers: StrideTo<Int>, _ conclave: Conclave) async throws -> [Held]
    {
        var held: [Held] = []
        for number in numbers {
            held.append(Held(try await conclave.lock("\(Self.prefix)\(number)")))
        }
        return held
    }

    /// Names of the first and the last lock of each session.
    var edges: [String] {
        let (conns, count) = (connections.count, held.count)
        let numbers = Array(0..<min(conns, count)) + Array(max(0, count - conns)..<count)
        return numbers.map { "\(Self.prefix)\($0)" }
    }

    /// How many of them are still held.
    var validCount: Int { held.count { $0.lock.isValid } }

    /// Lets go of all with their sessions.
    func close() async {
        for conclave in connections { await conclave.close() }
    }
}
