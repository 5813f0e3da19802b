import ConclaveReactor
import ConclaveService

/// Tells when a client's process is dead. It goes on after the socket was closed.
final class ProcessWatch: ReactorHandler {
    private let id: ConnectionID
    let process: Descriptor
    private let reactor: Reactor
    private unowned let clients: Clients
    private var registration: Reactor.Registration?

    init(_ id: ConnectionID, _ process: Descriptor, clients: Clients, reactor: Reactor)
        throws(SystemError)
    {
        self.id = id
        self.process = process
        self.clients = clients
        self.reactor = reactor
        registration = try reactor.register(process, interest: .readable, handler: self)
    }

    func ready(_ readiness: Readiness) {
        stop()
        clients.take(.processDied(id))
    }

    func stop() {
        if let registration { reactor.remove(registration) }
        registration = nil
    }
}
