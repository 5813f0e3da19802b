public import ConclaveBase
import ConclaveClientCore
import ConclaveWire

/// Task groups: programs that do something together, and must agree on who they are.
///
///     let workers = try await conclave.join("workers", attributes: ["gpu": "2"])
///     for try await update in workers {
///         if let view = update.view { share(work, among: view.members) }
///         if let message = update.message { handle(message) }
///     }
extension Conclave {
    /// Makes this session a member of `group`, which begins with its first member.
    ///
    /// - Parameters:
    ///   - attributes: What the others are told of it: at most 32, names of 1 to 255 bytes without
    ///     control characters, values of at most 1 KiB, together at most 4 KiB.
    ///   - sharingState: The programs of the group have a state in common, and this one is to have it,
    ///     too: call `Membership.adopt()` next.
    ///   - wait: How long to wait for the group's answer at most; `nil`: for ever.
    /// - Throws: `alreadyHeld` if the session is a member, `invalid`, `quotaExceeded`, `timedOut`
    ///   and so on.
    public func join(
        _ group: String, attributes: [String: String] = [:], sharingState: Bool = false,
        wait: Duration? = nil
    ) async throws -> Membership {
        let join = GroupJoin(
            name: try Self.name(group), attributes: try Self.wire(attributes),
            wantsState: sharingState)
        let answer = await session.answer(
            to: .joinGroup(join), deadline: Self.deadline(after: wait))
        guard case .reply(.joined(let joined)) = answer else {
            throw ConclaveError.unexpected(answer)
        }
        let holding = Holding(self, joined)
        try await giveUpIfCancelled(holding)
        return Membership(joined, sharesState: sharingState, holding, self)
    }

    /// Joins `group`, runs `body` as a member, and leaves when it has ended.
    ///
    /// `body` runs in a task of its own, which is cancelled when somebody puts this member out or
    /// the session is lost; the call then throws `lost`.
    public func withMembership<Result: Sendable>(
        of group: String, attributes: [String: String] = [:], sharingState: Bool = false,
        wait: Duration? = nil,
        body: @escaping @Sendable (Membership) async throws -> Result
    ) async throws -> Result {
        let membership = try await join(
            group, attributes: attributes, sharingState: sharingState, wait: wait)
        return try await withThrowingTaskGroup(of: Result?.self) { tasks in
            tasks.addTask {
                try await self.run(while: membership.holding) { try await body(membership) }
            }
            tasks.addTask {
                try await membership.ends()
                return nil
            }
            defer { tasks.cancelAll() }
            while let ended = try await tasks.next() {
                if let result = ended { return result }
                // Who leaves by itself, or is cancelled, is told so before the body's end is known here.
                guard membership.holding.isReleased || Task.isCancelled else { break }
            }
            throw ConclaveError(.lost, "no longer a member of group \(group)")
        }
    }

    /// Who belongs to `group`: first the present view, then every change.
    ///
    /// - Parameters:
    ///   - messages: Tells what is said to the group, too.
    ///   - wait: How long to wait for the first view at most; `nil`: for ever.
    public func members(
        of group: String, messages: Bool = false, wait: Duration? = nil
    ) -> GroupUpdates {
        GroupUpdates(
            conclave: self, group: group, withMessages: messages, membership: nil, wait: wait)
    }

    /// Sends `payload`, of at most 64 KiB, to every member of the view in which it is ordered. The
    /// sender need be no member. With its request it must fit a slot of the group (8 KiB unless the
    /// daemons are set otherwise): what does not is refused as `invalid`, and the message names the
    /// limit.
    ///
    /// - Throws: `refused` if nobody belongs to the group, `invalid`, `quotaExceeded`, `timedOut` and
    ///   so on.
    @discardableResult
    public func send(
        _ payload: [UInt8], toGroup group: String, wait: Duration? = nil
    ) async throws -> GroupReceipt {
        guard payload.count <= ClientLimits.groupMessage else {
            throw ConclaveError(
                .invalid,
                "the message has \(payload.count) bytes, at most \(ClientLimits.groupMessage) are "
                    + "possible")
        }
        let send = Operation.sendToGroup(name: try Self.name(group), payload: payload)
        let answer = await session.answer(to: send, deadline: Self.deadline(after: wait))
        guard case .reply(.sent(let sent)) = answer else {
            throw ConclaveError.unexpected(answer)
        }
        return GroupReceipt(
            version: sent.version, viewNumber: sent.number, memberCount: Int(sent.memberCount))
    }

    /// Puts a member out of `group`, at once. Root may, and the member's own user.
    ///
    /// - Throws: `refused` if it is no member, `denied` and so on.
    public func evict(
        _ member: FencingToken, from group: String, wait: Duration? = nil
    ) async throws {
        let evict = Operation.evictMember(name: try Self.name(group), member: member)
        let answer = await session.answer(to: evict, deadline: Self.deadline(after: wait))
        guard case .reply(.done) = answer else { throw ConclaveError.unexpected(answer) }
    }

    private static func wire(_ attributes: [String: String]) throws -> GroupAttributes {
        do {
            return try GroupAttributes(
                attributes.map { GroupAttributes.Entry(name: $0.key, value: $0.value) })
        } catch {
            throw ConclaveError(.invalid, "the attributes cannot be: \(error)")
        }
    }
}
