import ConclaveBase
import ConclaveReactor
import Testing

/// Reads what a socket has to say whenever it is ready, and remembers how often it was called.
final class Reader: ReactorHandler {
    let socket: Descriptor
    var bytes: [UInt8] = []
    var descriptors: [Descriptor] = []
    var isAtEnd = false
    var callCount = 0
    var whenReady: () -> Void = {}

    init(_ socket: Descriptor) {
        self.socket = socket
    }

    func ready(_ readiness: Readiness) {
        callCount += 1
        whenReady()
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 1)
        defer { room.deallocate() }
        switch try? socket.receive(into: room, descriptors: &descriptors) {
        case .bytes(let count): bytes.append(contentsOf: room[..<count])
        case .nothing, nil: break
        case .end: isAtEnd = true
        }
    }
}

final class Alarm: ReactorAlarm {
    var deadline: Instant
    var calls: [Instant] = []

    init(_ deadline: Instant) {
        self.deadline = deadline
    }

    func expired(now: Instant) {
        calls.append(now)
        deadline = .distantFuture
    }
}

extension Reactor {
    /// Turns until `condition` holds; false after `limit`.
    func turn(
        upTo limit: Interval = .seconds(10), until condition: () -> Bool
    ) throws -> Bool {
        let end = now().advanced(by: limit)
        while !condition() {
            guard now() < end else { return false }
            try turn(until: end)
        }
        return true
    }
}

/// Two TCP sockets on loopback that are connected to each other.
func connectedPair() throws -> (Descriptor, Descriptor) {
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    let address = try TCPSocket.localAddress(of: listener)
    let first = try TCPSocket.connect(to: address)
    // On loopback a connection waits at the listener as soon as it was asked for.
    let accepted = try #require(try TCPSocket.accept(from: listener))
    return (first, accepted.socket)
}

extension Descriptor {
    func send(_ bytes: [UInt8]) throws -> Int? {
        try bytes.withUnsafeBytes { try send($0) }
    }
}
