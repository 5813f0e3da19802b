public import ConclaveBase
import ConclaveClientCore
import ConclaveWire

/// What only root and the user that the daemon runs as may ask for.
extension Conclave {
    /// Puts a machine on the group's member list. It may join from then on; who is on the list
    /// already, at that address, stays so.
    ///
    /// - Parameter address: Where its daemon listens for members: numeric, with a port.
    /// - Returns: The epoch of the view since which it is so.
    public func addMember(
        _ node: NodeID, address: String, wait: Duration? = .seconds(40)
    ) async throws -> Epoch {
        guard address.utf8.count <= MemberList.maximumAddressByteCount else {
            throw ConclaveError(.invalid, "the address is too long")
        }
        return try await change(.addMember(node, address: address), wait)
    }

    /// Takes a machine off the list. If it is a member, the next view is without it, and its daemon
    /// ends.
    public func removeMember(
        _ node: NodeID, wait: Duration? = .seconds(40)
    ) async throws -> Epoch {
        try await change(.removeMember(node), wait)
    }

    /// Tells the local daemon to go on with what it has, since a majority of the members is lost for
    /// good. What only they had acknowledged is lost, and all sessions end.
    ///
    /// - Parameter eraAtLeast: Versions go on in this era, or a later one.
    /// - Throws: `refused`, and nothing was changed, if the daemon reaches a member that has more,
    ///   or members enough to go on without this.
    public func recoverAcceptingDataLoss(
        eraAtLeast: UInt16 = 0, wait: Duration? = .seconds(120)
    ) async throws -> RecoveryReport {
        let wish = ClientCore.Query.recover(eraAtLeast: eraAtLeast)
        let answer = await session.answer(to: wish, deadline: Self.deadline(after: wait))
        guard case .report(.recovered(let report)) = answer else {
            throw ConclaveError.unexpected(answer)
        }
        return RecoveryReport(report)
    }

    /// Has something go wrong at the local daemon for a while, so that one sees how programs take it.
    ///
    /// - Throws: `denied` if the daemon's configuration does not allow it; `invalid` if it is to be longer
    ///   than ten minutes, a stall than one, a sync than ten seconds, or there is no such member.
    public func disturb(
        _ disturbance: Disturbance, for duration: Duration, wait: Duration? = .seconds(10)
    ) async throws {
        let interval = Interval(duration)
        guard interval > .zero, interval <= disturbance.longest else {
            throw ConclaveError(
                .invalid,
                "it is to last \(interval): that must be more than 0, up to \(disturbance.longest)")
        }
        if case .slowDisk(let pause) = disturbance {
            let longest = ConclaveWire.Disturbance.longestSync
            guard pause > .zero, Interval(pause) <= longest else {
                throw ConclaveError(
                    .invalid,
                    "a sync is to take \(Interval(pause)) longer: that must be more than 0, up to "
                        + "\(longest)")
            }
        }
        try await ask(ConclaveWire.Disturbance(disturbance.kind, for: interval), wait)
    }

    /// Whatever goes wrong at the local daemon by order ends.
    public func endDisturbances(wait: Duration? = .seconds(10)) async throws {
        try await ask(nil, wait)
    }

    private func ask(_ disturbance: ConclaveWire.Disturbance?, _ wait: Duration?) async throws {
        let wish = ClientCore.Query.disturb(disturbance)
        let answer = await session.answer(to: wish, deadline: Self.deadline(after: wait))
        guard case .report(.disturbed) = answer else { throw ConclaveError.unexpected(answer) }
    }

    private func change(_ wish: ClientCore.Query, _ wait: Duration?) async throws -> Epoch {
        let answer = await session.answer(to: wish, deadline: Self.deadline(after: wait))
        guard case .report(.memberChange(let epoch)) = answer else {
            throw ConclaveError.unexpected(answer)
        }
        return epoch
    }
}
