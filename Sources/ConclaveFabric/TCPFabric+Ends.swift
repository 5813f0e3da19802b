import ConclaveBase
import ConclaveReactor
import Glibc

/// How connections end, and what is said about it.
extension TCPFabric {
    /// The other end closed or reset the connection, or it failed underneath.
    func didEnd(_ connection: Connection, failure: SystemError?) {
        switch connection.phase {
        case .open:
            report(connection, .lost(failure))
            let isDeath = failure.map { $0.isReset } ?? true
            endPath(connection, byPeer: isDeath, saying: nil, tell: .now)
        case .greeting where connection.dialled == nil:
            report(connection, .strangerDropped(failure.map(FabricFault.socket) ?? .ended))
            discard(connection)
        case .greeting:
            report(
                connection, .dialFailed(failure ?? SystemError(call: "hello", number: ECONNRESET)))
            discard(connection)
        case .connecting, .closing, .closed:
            discard(connection)
        }
    }

    /// The other end broke the protocol.
    func didFail(_ connection: Connection, _ fault: FabricFault) {
        giveUp(connection, fault, tell: .now)
    }

    func giveUp(_ connection: Connection, _ fault: FabricFault, tell moment: Moment) {
        let isStranger = connection.member == nil
        report(connection, isStranger ? .strangerDropped(fault) : .broken(fault))
        // Whoever does not speak the protocol gets no words in it.
        end(connection, byPeer: false, saying: isStranger ? nil : "\(fault)", tell: moment)
    }

    /// - Parameter claimed: Who the other end says it is. A node that nobody configured is not
    ///   named in events: a stranger would have as many of them told as there are numbers.
    func refuse(
        _ connection: Connection, _ refusal: FabricRefusal, claimed: NodeID, tell moment: Moment
    ) {
        let node = index(of: claimed) == nil ? connection.node : claimed
        report(node: node, address: connection.address, .refused(refusal))
        end(connection, byPeer: false, saying: "\(refusal)", number: refusal.number, tell: moment)
    }

    func end(
        _ connection: Connection, byPeer: Bool, saying reason: String?, number: UInt64 = 0,
        tell moment: Moment
    ) {
        if connection.phase == .open {
            endPath(connection, byPeer: byPeer, saying: reason, tell: moment)
            return
        }
        discard(connection, saying: reason, number: number)
    }

    /// - Precondition: it is the path of its peer.
    func endPath(
        _ path: Connection, byPeer: Bool, saying reason: String?, tell moment: Moment
    ) {
        guard let node = path.node, let index = index(of: node) else { return }
        precondition(peers[index].path === path)
        peers[index].path = nil
        dialLater(index, now: reactor.now())
        discard(path, saying: reason)
        tell(.disconnected(node, byPeer: byPeer), moment)
    }

    /// Closes a connection that is no path, at once or after its last words.
    func discard(_ connection: Connection, saying reason: String? = nil, number: UInt64 = 0) {
        strangers.removeAll { $0 === connection }
        if let node = connection.dialled, let index = index(of: node),
            peers[index].dial === connection
        {
            peers[index].dial = nil
            dialLater(index, now: reactor.now())
        }
        let deadline = reactor.now().advanced(by: settings.helloTimeout)
        if let reason, connection.beginClosing(reason, number: number, deadline: deadline) {
            add(stranger: connection)
        } else {
            connection.close()
        }
    }

    func add(stranger: Connection) {
        if strangers.count >= settings.maximumStrangers, let oldest = strangers.first {
            if oldest.phase == .greeting { report(oldest, .strangerDropped(.crowdedOut)) }
            strangers.removeFirst()
            oldest.close()
        }
        strangers.append(stranger)
        schedule(stranger.deadline)
    }

    func endOverdue(now: Instant) {
        for stranger in strangers where stranger.deadline <= now {
            if stranger.phase == .greeting {
                report(stranger, .strangerDropped(.silent(settings.helloTimeout)))
            }
            discard(stranger)
        }
        for peer in peers {
            guard let dial = peer.dial, dial.deadline <= now else { continue }
            report(dial, .dialFailed(.timedOut(dial.phase == .connecting ? "connect" : "hello")))
            discard(dial)
        }
    }
}

extension SystemError {
    /// The other end is gone. Everything else, such as a host that cannot be reached, says nothing
    /// about the other end.
    fileprivate var isReset: Bool {
        number == ECONNRESET || number == EPIPE
    }

    fileprivate static func timedOut(_ call: String) -> SystemError {
        SystemError(call: call, number: ETIMEDOUT)
    }
}
