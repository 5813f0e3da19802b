public import ConclaveBase
import ConclaveClientCore
import ConclaveWire

extension Conclave {
    /// Rights for a time that outlive whoever asked for them: see `Leases`.
    public var leases: Leases { Leases(conclave: self) }
}

/// Rights for a time that belong to no session: a lease outlives the process that asked for it, and
/// its host, and ends by itself when nobody renews it.
///
///     var lease = try await conclave.leases.grant("backup/db", to: "nightly", for: .seconds(60))
///     while !done {
///         try await step(fencing: lease.token)
///         lease = try await conclave.leases.renew(lease)
///     }
///     try await conclave.leases.release(lease)
///
/// Processes of the user that it was granted to, and root's, may renew, release or transfer a lease that
/// they know the token of, from any host. So `Lease.isValid` is true as long as none of them gives the
/// lease away: one that is released or transferred under a token counts as given up for all of them.
/// `Lock` and `Term` are the better choice where one process does the work: those end with it.
public struct Leases: Sendable {
    let conclave: Conclave

    /// Takes the lease, if nobody has it.
    ///
    /// - Parameters:
    ///   - name: UTF-8, 1 to 255 bytes without control characters; leases have names of their own.
    ///   - holder: Who is to have it, as others are told: 1 to 255 bytes without control characters.
    ///   - ttl: Nobody else gets it before that has passed, counted from the call; within the
    ///     bounds of sessions, see `Conclave.status`.
    ///   - wait: How long to wait for the daemon at most; `nil`: for ever.
    /// - Throws: `busy` if somebody has it, and `message` says who; `invalid`, `quotaExceeded`,
    ///   `unavailable` after a loss of state until old holders are over, and so on.
    public func grant(
        _ name: String, to holder: String, for ttl: Duration, wait: Duration? = .seconds(40)
    ) async throws -> Lease {
        try await take(name, .grant(ttl: Interval(ttl), holder: try Self.check(holder)), wait)
    }

    /// The time of a lease begins anew. It is as long as before.
    ///
    /// - Throws: `notHeld` if it has ended, or somebody else has it. After any other failure it is
    ///   valid until its deadline, as before.
    public func renew(_ lease: Lease, wait: Duration? = .seconds(40)) async throws -> Lease {
        try await renew(lease.name, token: lease.token, wait: wait)
    }

    public func renew(
        _ name: String, token: FencingToken, wait: Duration? = .seconds(40)
    ) async throws -> Lease {
        try await take(name, .renew(token: token), wait)
    }

    /// Ends the lease: the next one who asks gets it. It counts as given up when this is called.
    ///
    /// - Throws: `notHeld` if it has ended already, or somebody else has it.
    public func release(_ lease: Lease, wait: Duration? = .seconds(40)) async throws {
        try await release(lease.name, token: lease.token, wait: wait)
    }

    public func release(
        _ name: String, token: FencingToken, wait: Duration? = .seconds(40)
    ) async throws {
        let answer = await ask(try Conclave.name(name), .release(token: token), wait)
        guard case .reply(.done) = answer else { throw ConclaveError.unexpected(answer) }
    }

    /// Gives the lease to somebody else, under a token of their own; nobody can have it in between.
    /// It counts as given up by the old holder when this is called.
    ///
    /// - Parameter ttl: Of the new holder; `nil`: as before.
    /// - Throws: `notHeld` if it has ended, or somebody else has it.
    public func transfer(
        _ lease: Lease, to holder: String, for ttl: Duration? = nil, wait: Duration? = .seconds(40)
    ) async throws -> Lease {
        try await transfer(lease.name, token: lease.token, to: holder, for: ttl, wait: wait)
    }

    public func transfer(
        _ name: String, token: FencingToken, to holder: String, for ttl: Duration? = nil,
        wait: Duration? = .seconds(40)
    ) async throws -> Lease {
        let action = LeaseOperation.Action.transfer(
            token: token, holder: try Self.check(holder), ttl: ttl.map { Interval($0) })
        return try await take(name, action, wait)
    }

    /// Who has the lease; `nil`: nobody. Not older than anything that was acknowledged before the
    /// call.
    ///
    /// - Parameter local: From the daemon's own copy at once, also outside the majority: it may be
    ///   behind.
    public func show(
        _ name: String, local: Bool = false, wait: Duration? = .seconds(10)
    ) async throws -> LeaseStatus? {
        let query = ObjectQuery(.lease(try Conclave.name(name)), isLocal: local)
        return try await page(query, wait).leases.first.map(LeaseStatus.init)
    }

    /// The leases whose names begin with `prefix`, by name: page for page as they were then.
    public func list(
        prefix: String = "", local: Bool = false, wait: Duration? = .seconds(10)
    ) async throws -> [LeaseStatus] {
        try Configuration.check(prefix: prefix)
        var leases: [LeaseStatus] = []
        var after: ObjectName?
        repeat {
            let query = ObjectQuery(.leases(prefix: prefix, after: after), isLocal: local)
            let page = try await page(query, wait)
            leases += page.leases.map(LeaseStatus.init)
            after = page.next
        } while after != nil
        return leases
    }

    private func page(_ query: ObjectQuery, _ wait: Duration?) async throws -> LeasePage {
        let answer = await conclave.session.answer(
            to: .objects(query), deadline: Conclave.deadline(after: wait))
        guard case .report(.leases(let page)) = answer else {
            throw ConclaveError.unexpected(answer)
        }
        return page
    }

    /// Whoever has it may believe so from before it is asked for.
    private func take(
        _ name: String, _ action: LeaseOperation.Action, _ wait: Duration?
    ) async throws -> Lease {
        let name = try Conclave.name(name)
        let asked = BootClock.now
        let answer = await ask(name, action, wait)
        guard case .reply(.leased(let grant)) = answer else {
            throw ConclaveError.unexpected(answer)
        }
        return Lease(grant, askedAt: asked)
    }

    private func ask(
        _ name: ObjectName, _ action: LeaseOperation.Action, _ wait: Duration?
    ) async -> ClientCore.Answer {
        await conclave.session.answer(
            to: .lease(LeaseOperation(name, action)), deadline: Conclave.deadline(after: wait))
    }

    private static func check(_ holder: String) throws(ConclaveError) -> String {
        guard (1...ClientLimits.leaseHolder).contains(holder.utf8.count),
            !holder.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F })
        else {
            throw ConclaveError(
                .invalid,
                "the holder's name must have 1 to \(ClientLimits.leaseHolder) bytes, and no control "
                    + "characters")
        }
        return holder
    }
}
