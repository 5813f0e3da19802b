import Conclave
import PacketSockets

/// One node of the chain. Everything that happens to it comes through `handle`, one thing after the
/// other.
///
/// Who was next to whom and is not any more never will be again: ranks close up, and who joins comes
/// last. So a link names the predecessor alone, and is either the right one, or too early, since this
/// node has not been told the view yet, or that of a node which is out.
struct ChainNode {
    private let validity: Validity
    private let events: AsyncStream<NodeEvent>.Continuation

    private var view: ChainView?
    /// `nil`: it has joined a chain, and has not been told all of the chain's state yet.
    private var state: ChainState?
    private var incoming = IncomingState()

    private var predecessor: Connection?
    /// By the predecessor that they name: links that came before the view in which they are right.
    private var early: [UInt64: Connection] = [:]
    private var successor: Successor?
    /// At the head: the clients that wait for an update to be acknowledged.
    private var waiting: [UInt64: [Connection]] = [:]

    private struct Successor {
        let connection: Connection
        /// What it has said of itself: the last update that it has, or that it has no state.
        var possession: ChainMessage.Possession?
        /// Everything that this node has is there, or on its way.
        var isFed = false
    }

    /// - Parameters:
    ///   - validity: Of its membership.
    ///   - events: Whoever reads them gives them to `handle`.
    init(validity: Validity, events: AsyncStream<NodeEvent>.Continuation) {
        self.validity = validity
        self.events = events
    }

    mutating func handle(_ event: NodeEvent) throws {
        switch event {
        case .view(let view): try install(view)
        case .message(let message, let connection): receive(message, from: connection)
        case .closed(let connection): forget(connection)
        }
    }

    // MARK: - The chain

    private mutating func install(_ new: ChainView) throws {
        let old = view
        view = new
        say(new.description)
        if old == nil, new.isHead { state = ChainState() }
        guard state != nil || !new.isHead else {
            throw Failure("the last node that had the chain's state is gone: start a new chain")
        }
        if old?.predecessor != new.predecessor {
            predecessor?.close()
            predecessor = nil
        }
        acceptLinks()
        if old == nil || old?.successor != new.successor {
            successor?.connection.close()
            successor = new.successor.flatMap(link)
        }
        // What a tail has, every node has.
        if new.isTail, let state { acknowledge(upTo: state.applied) }
    }

    /// - Returns: `nil` if it is gone: a view will say so.
    private func link(to neighbour: ChainView.Neighbour) -> Successor? {
        guard let view, let socket = try? PacketSocket.connected(to: neighbour.socket) else {
            return nil
        }
        let connection = Connection(socket, events: events)
        connection.send(.link(token: view.own.token))
        return Successor(connection: connection)
    }

    /// Takes the predecessor's link, if it has come, and closes those of nodes that are out.
    private mutating func acceptLinks() {
        guard let view else { return }
        for (token, connection) in early {
            if token == view.predecessor?.token {
                early[token] = nil
                predecessor = connection
                incoming = IncomingState()
                connection.send(.linked(state.map { .updates(upTo: $0.applied) } ?? .nothing))
                if let state { connection.send(.acknowledge(state.acknowledged)) }
            } else if !view.members.contains(where: { $0.token == token }) {
                early[token] = nil
                connection.close()
            }
        }
    }

    private mutating func forget(_ connection: Connection) {
        early = early.filter { $0.value != connection }
        if predecessor == connection { predecessor = nil }
        if successor?.connection == connection { successor = nil }
    }

    // MARK: - What neighbours and clients say

    private mutating func receive(_ message: ChainMessage, from connection: Connection) {
        switch message {
        case .link(let token):
            early[token] = connection
            acceptLinks()
        case .put(let request):
            put(request, from: connection)
        case .get(let key):
            connection.send(answer(to: key))
        case .entry, .client, .stateComplete, .update:
            guard connection == predecessor else { return connection.close() }
            receiveFromPredecessor(message)
        case .linked(let possession):
            guard connection == successor?.connection else { return connection.close() }
            successor?.possession = possession
            feedSuccessor()
        case .acknowledge(let number):
            guard connection == successor?.connection else { return connection.close() }
            acknowledge(upTo: number)
        case .done, .value, .absent, .elsewhere, .invalid:
            connection.close()
        }
    }

    private mutating func receiveFromPredecessor(_ message: ChainMessage) {
        switch message {
        case .update(let update):
            guard let applied = state?.applied, update.number <= applied + 1 else {
                predecessor?.close()
                return say("update \(update.number) came too early")
            }
            // What came over the link before this one may come again.
            if update.number == applied + 1 { take(update) }
        default:
            guard state == nil, let complete = incoming.add(message) else { return }
            state = complete
            say("has the state, with \(complete.applied) updates")
            feedSuccessor()
            if view?.isTail ?? false { acknowledge(upTo: complete.applied) }
        }
    }

    /// Sends a new successor what it does not have, once both sides are ready for that.
    private mutating func feedSuccessor() {
        guard let state, let next = successor, let possession = next.possession, !next.isFed else {
            return
        }
        switch possession {
        case .nothing:
            for message in state.messages { next.connection.send(message) }
        case .updates(let last):
            for update in state.open where update.number > last {
                next.connection.send(.update(update))
            }
        }
        successor?.isFed = true
    }

    // MARK: - Updates and reads

    private mutating func put(_ request: PutRequest, from client: Connection) {
        if let fault = request.fault { return client.send(.invalid(reason: fault)) }
        guard let state, let view, view.isHead, validity.isValid else {
            return client.send(.elsewhere)
        }
        let known = state.update(of: request)
        let number = known ?? state.applied + 1
        guard number > state.acknowledged else { return client.send(.done) }
        waiting[number, default: []].append(client)
        if known == nil { take(Update(number: number, request: request)) }
    }

    /// Applies an update and sends it on; at the tail it is acknowledged.
    private mutating func take(_ update: Update) {
        state?.apply(update)
        if view?.isTail ?? false {
            acknowledge(upTo: update.number)
        } else if let successor, successor.isFed {
            successor.connection.send(.update(update))
        }
    }

    private mutating func acknowledge(upTo number: UInt64) {
        state?.acknowledge(upTo: number)
        guard let acknowledged = state?.acknowledged else { return }
        predecessor?.send(.acknowledge(acknowledged))
        for (number, clients) in waiting where number <= acknowledged {
            for client in clients { client.send(.done) }
            waiting[number] = nil
        }
    }

    /// Only the tail answers: what it has is acknowledged. One that is out of the chain without having
    /// been told yet finds its membership not valid any more. (Unless somebody evicts it: that takes
    /// effect at once. Stop a node rather than evict it.)
    private func answer(to key: String) -> ChainMessage {
        guard let state, let view, view.isTail, validity.isValid else { return .elsewhere }
        return state.values[key].map { .value($0) } ?? .absent
    }
}
