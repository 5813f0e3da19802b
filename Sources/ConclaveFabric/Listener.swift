import ConclaveBase
import ConclaveReactor

/// The socket on which a fabric listens. It rests for a while when the system has no descriptors
/// left: the connections that wait would otherwise keep the reactor awake.
final class Listener: ReactorHandler {
    /// Taken in one turn; others wait for the next.
    private static let batchCount = 16

    let address: SocketAddress
    /// When to go on after a rest.
    private(set) var resumption = Instant.distantFuture
    /// Closed with the fabric, so that another can listen in its place.
    private var socket: Descriptor?
    private var registration: Reactor.Registration?
    private weak var fabric: TCPFabric?

    init(_ address: SocketAddress) throws(SystemError) {
        let socket = try TCPSocket.listen(on: address)
        self.address = try TCPSocket.localAddress(of: socket)
        self.socket = socket
    }

    func start(_ fabric: TCPFabric) throws(SystemError) {
        guard let socket else { return }
        self.fabric = fabric
        registration = try fabric.reactor.register(socket, interest: .readable, handler: self)
    }

    func close(on reactor: Reactor) {
        if let registration { reactor.remove(registration) }
        registration = nil
        socket = nil
        resumption = .distantFuture
    }

    func resume(on reactor: Reactor, now: Instant) {
        guard resumption <= now, let registration else { return }
        resumption = .distantFuture
        try? reactor.modify(registration, interest: .readable)
    }

    func ready(_ readiness: Readiness) {
        guard let fabric, let socket else { return }
        do {
            for _ in 0..<Self.batchCount {
                guard let (accepted, peer) = try TCPSocket.accept(from: socket) else { return }
                try fabric.didAccept(accepted, from: peer)
            }
        } catch {
            rest(error, fabric)
        }
    }

    private func rest(_ error: SystemError, _ fabric: TCPFabric) {
        guard let registration else { return }
        try? fabric.reactor.modify(registration, interest: [])
        resumption = fabric.reactor.now().advanced(by: fabric.settings.acceptPause)
        fabric.schedule(resumption)
        fabric.report(node: nil, address: address, .acceptFailed(error))
    }
}
