package import ConclaveBase
package import ConclaveService

/// What a client's end of its socket brings.
package enum SocketInput {
    case connected(ConnectionID)
    /// Whole frames; with the first of a session, the validity page.
    case bytes(ConnectionID, [UInt8], page: ValidityPage?)
    case closed(ConnectionID)
    /// Nobody listens there.
    case refused
}

/// The shared memory in which one run of a daemon shows its clients how long their sessions are
/// valid. It stays readable when the daemon is gone.
package final class ValidityPage {
    private struct Slot {
        var session: SessionID
        var deadline: Instant
    }

    private var slots: [UInt32: Slot] = [:]

    package init() {}

    package func show(_ deadline: Instant, of session: SessionID, in slot: UInt32) {
        slots[slot] = Slot(session: session, deadline: deadline)
    }

    /// `.distantPast` if the slot does not name that session.
    package func deadline(of session: SessionID, in slot: UInt32) -> Instant {
        guard let shown = slots[slot], shown.session == session else { return .distantPast }
        return shown.deadline
    }
}
