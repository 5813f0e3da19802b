public import ConclaveBase
import ConclaveClientCore
import ConclaveWire

/// Several locks that are held as one, until they are given up together.
public struct Locks: ~Copyable, Sendable {
    /// In their order.
    public let names: [String]
    /// Of all of them. Larger than every earlier token of any of these names, for ever.
    public let token: FencingToken
    /// How each was lost by the holder before this one.
    public let previousEnds: [String: PreviousEnd]

    private let holding: Holding
    private let isReleasedAtEnd: Bool

    init(_ grants: [LockGrant], _ holding: Holding, isReleasedAtEnd: Bool) {
        names = grants.map(\.name.text)
        token = holding.present.token
        var ends: [String: PreviousEnd] = [:]
        for grant in grants { ends[grant.name.text] = PreviousEnd(grant.previousEnd) }
        previousEnds = ends
        self.holding = holding
        self.isReleasedAtEnd = isReleasedAtEnd
    }

    deinit {
        if isReleasedAtEnd { holding.releaseLater() }
    }

    /// Of the locks' ends one after which work may be half done, if there is such a one; else that of
    /// the first of them.
    public var previousEnd: PreviousEnd { PreviousEnd(holding.present.previousEnd) }

    /// Whether they are still held, by this host's clock: a memory read.
    public var isValid: Bool { holding.isValid }

    /// The same question in a form that can be kept and passed on.
    public var validity: Validity { Validity(holding) }

    /// Who waits for what is done under them.
    public var taskPath: TaskPath { holding.taskPath }

    /// Gives all of them up at one version, and waits until the group has taken them back. From the
    /// moment of the call they count as given up.
    ///
    /// - Throws: `lost` if they were not held any more.
    public consuming func release() async throws {
        try await holding.release()
    }
}

extension Lock {
    /// One of several locks that are asked for as one.
    public struct Wish: Hashable, Sendable {
        public var name: String
        public var mode: Mode

        public init(_ name: String, _ mode: Mode = .exclusive) {
            self.name = name
            self.mode = mode
        }
    }
}

extension Conclave {
    /// Takes all of the locks or none, runs `body` while they are held, and releases them.
    ///
    /// They are granted together, at one version and under one token, when all of them can be had. The
    /// request comes to them by their names, as if it took one after the other in that order, with
    /// the turn at each of when it was made; those that it could have are kept for it meanwhile. So
    /// two requests for several locks never wait for each other, and neither do they and whoever
    /// takes single ones of the locks inside others in the order of the names.
    ///
    /// - Parameters:
    ///   - wishes: 1 to 64 locks, each named once.
    ///   - priority, wait, lockDelay, onLoss: As of `withLock`, for each of the locks.
    /// - Throws: As `withLock`. `busy`: with a wait of zero, if any of them is not free. `deadlock` may
    ///   also come late: when it comes to a lock whose holder waits for one that is kept for it.
    public func withLocks<Result: Sendable>(
        _ wishes: [Lock.Wish], priority: Int32 = 0, wait: Duration? = nil,
        lockDelay: Duration = .zero, onLoss: OnLoss = .notify,
        body: @Sendable (borrowing Locks) async throws -> Result
    ) async throws -> Result {
        let (grants, holding) = try await acquireAll(
            wishes, priority, wait, lockDelay, onLoss, forBody: true)
        return try await withoutActuallyEscaping(body) { body in
            try await run(while: holding) {
                let locks = Locks(grants, holding, isReleasedAtEnd: false)
                return try await body(locks)
            }
        }
    }

    /// As the other one, with all of them in one mode.
    public func withLocks<Result: Sendable>(
        _ names: [String], mode: Lock.Mode = .exclusive, priority: Int32 = 0,
        wait: Duration? = nil, lockDelay: Duration = .zero, onLoss: OnLoss = .notify,
        body: @Sendable (borrowing Locks) async throws -> Result
    ) async throws -> Result {
        try await withLocks(
            names.map { Lock.Wish($0, mode) }, priority: priority, wait: wait,
            lockDelay: lockDelay, onLoss: onLoss, body: body)
    }

    /// Takes all of the locks or none, and returns a guard that holds them; prefer `withLocks`, which
    /// also stops the work when they are lost.
    public func locks(
        _ wishes: [Lock.Wish], priority: Int32 = 0, wait: Duration? = nil,
        lockDelay: Duration = .zero, onLoss: OnLoss = .notify
    ) async throws -> Locks {
        let (grants, holding) = try await acquireAll(
            wishes, priority, wait, lockDelay, onLoss, forBody: false)
        return Locks(grants, holding, isReleasedAtEnd: true)
    }

    private func acquireAll(
        _ wishes: [Lock.Wish], _ priority: Int32, _ wait: Duration?, _ lockDelay: Duration,
        _ onLoss: OnLoss, forBody: Bool
    ) async throws -> ([LockGrant], Holding) {
        let parts = try Self.parts(of: wishes)
        let patience = try Self.patience(wait, lockDelay)
        let tag = TaskPath.tag(forBody: forBody, in: session.id)
        let set = LockSet(
            parts, isTry: patience.isTry, priority: priority, lockDelay: Interval(lockDelay),
            task: tag)
        let answer = await session.answer(
            to: .acquireAll(set), onLoss: onLoss, deadline: patience.deadline)
        guard case .reply(.grantedAll(let grants)) = answer, grants.map(\.name) == set.names else {
            throw ConclaveError.unexpected(answer)
        }
        let holding = Holding(self, grants, taskPath: path(of: tag))
        try await giveUpIfCancelled(holding)
        return (grants, holding)
    }

    private static func parts(of wishes: [Lock.Wish]) throws -> [LockSet.Part] {
        guard (1...ClientLimits.lockSet).contains(wishes.count) else {
            throw ConclaveError(
                .invalid,
                "\(wishes.count) locks are asked for as one, 1 to \(ClientLimits.lockSet) can be")
        }
        var names: Set<ObjectName> = []
        return try wishes.map { wish in
            try wish.mode.check()
            let name = try name(wish.name)
            guard names.insert(name).inserted else {
                throw ConclaveError(.invalid, "lock \(wish.name) is named twice")
            }
            return LockSet.Part(name, wish.mode.wire)
        }
    }
}
