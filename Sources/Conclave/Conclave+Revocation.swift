public import ConclaveBase
import ConclaveClientCore
import ConclaveWire

/// What only root and the user that the daemon runs as may do to other processes' sessions.
extension Conclave {
    /// What this session is asked to let go of. Nothing that came before the call is told, and what
    /// is not taken is kept up to the newest 64.
    public var notices: AsyncStream<Notice> { session.notices() }

    /// Asks a holder to let go of a lock or a term. Its process is told so, if it is connected now,
    /// and decides by itself.
    ///
    /// - Parameters:
    ///   - kind: `lock` or `leaderSlot`.
    ///   - holder: Of the object's holders, as `why` tells them.
    ///   - within: How long the caller means to wait, as the holder is told.
    ///   - heir: A standby that the leader is asked to hand over to.
    /// - Throws: `notHeld` if it is not held under that token any more, `denied`, and so on.
    public func ask(
        _ holder: Claim, toLetGoOf name: String, _ kind: ObjectStatus.Kind,
        within: Duration, heir: SessionID? = nil, wait: Duration? = .seconds(40)
    ) async throws {
        try await revoke(
            holder.session, try Self.target(kind, name, holder),
            .notice(within: Interval(within), heir: heir), wait)
    }

    /// Takes a lock or a term from its holder: the holder's session ends, with all that it has. It
    /// ends when its process can no longer believe in it: at once if its daemon is there, else when
    /// its time has passed. That is when others are granted what it had.
    ///
    /// - Throws: `notHeld` if it is not held under that token any more, `denied`, and so on.
    public func forceRelease(
        of name: String, _ kind: ObjectStatus.Kind, by holder: Claim,
        wait: Duration? = .seconds(40)
    ) async throws {
        try await revoke(holder.session, try Self.target(kind, name, holder), .force, wait)
    }

    /// Ends a session by force, as `forceRelease`.
    ///
    /// - Throws: `refused` if it is over, `denied`, and so on.
    public func endSession(_ id: SessionID, wait: Duration? = .seconds(40)) async throws {
        try await revoke(id, .session, .force, wait)
    }

    private static func target(
        _ kind: ObjectStatus.Kind, _ name: String, _ holder: Claim
    ) throws -> Revocation.Target {
        guard let token = holder.token else {
            throw ConclaveError(.invalid, "session \(holder.session) waits for \(name)")
        }
        let wire: ObjectKind
        switch kind {
        case .lock: wire = .lock
        case .leaderSlot: wire = .leaderSlot
        default: throw ConclaveError(.invalid, "nobody holds a \(kind)")
        }
        return .holding(wire, try Self.name(name), token)
    }

    private func revoke(
        _ id: SessionID, _ target: Revocation.Target, _ manner: Revocation.Manner,
        _ wait: Duration?
    ) async throws {
        let answer = await session.answer(
            to: .revoke(Revocation(id, target, manner)), deadline: Self.deadline(after: wait))
        guard case .reply(.done) = answer else { throw ConclaveError.unexpected(answer) }
    }
}
