import Dispatch
import PacketSockets

/// What happens to a node, one after the other.
enum NodeEvent: Sendable {
    case view(ChainView)
    case message(ChainMessage, Connection)
    /// The other side is gone, or has said something that nobody understands.
    case closed(Connection)
}

/// A neighbour or a client at the other end of a socket. Neither reading from it nor writing to it
/// holds the node up: both have threads of their own.
final class Connection: Sendable, Equatable {
    private let socket: PacketSocket
    private let writing = DispatchQueue(label: "writing")
    private let reading = DispatchQueue(label: "reading")

    /// Tells `events` of everything that comes, and of the end.
    init(_ socket: PacketSocket, events: AsyncStream<NodeEvent>.Continuation) {
        self.socket = socket
        reading.async {
            while let message = try? ChainMessage(socket.receive()) {
                events.yield(.message(message, self))
            }
            socket.hangUp()
            events.yield(.closed(self))
        }
    }

    /// In order, and later: if it fails, the other side is gone, and the reading says so.
    func send(_ message: ChainMessage) {
        writing.async { [socket] in try? socket.send(message.packet) }
    }

    func close() {
        socket.hangUp()
    }

    static func == (lhs: Connection, rhs: Connection) -> Bool { lhs === rhs }
}
