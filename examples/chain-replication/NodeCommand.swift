import ArgumentParser
import Conclave
import Dispatch
import PacketSockets

struct NodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node",
        abstract: "Serves as a node of the chain, until it is killed or put out of the group.")

    @Argument(help: "The chain, and the task group that manages it.")
    var chain: String

    @Option(help: "The socket for clients and for the other nodes.")
    var listen: String

    func run() async throws {
        let (events, continuation) = AsyncStream<NodeEvent>.makeStream()
        try accept(into: continuation)
        let conclave = try await Conclave.connect(label: "chain-replication")
        let attributes = [ChainView.socketAttribute: listen]
        try await conclave.withMembership(of: chain, attributes: attributes) { membership in
            let following = Task { try await follow(membership, into: continuation) }
            defer { following.cancel() }
            var node = ChainNode(validity: membership.validity, events: continuation)
            for await event in events { try node.handle(event) }
            try await following.value
        }
    }

    /// Takes everybody who comes, in a thread of its own.
    private func accept(into events: AsyncStream<NodeEvent>.Continuation) throws {
        let listener = try PacketSocket.listening(at: listen)
        DispatchQueue(label: "accepting").async {
            do {
                while true {
                    if let client = try listener.accept() {
                        _ = Connection(client, events: events)
                    }
                }
            } catch {
                say("\(error)")
                events.finish()
            }
        }
    }

    /// Tells the node each view that it belongs to; then it is out.
    private func follow(
        _ membership: Membership, into events: AsyncStream<NodeEvent>.Continuation
    ) async throws {
        defer { events.finish() }
        for try await update in membership.views {
            guard let view = update.view else { continue }
            guard let own = ChainView(view, of: membership.token) else { break }
            events.yield(.view(own))
        }
    }
}
