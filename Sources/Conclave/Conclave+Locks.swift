import ConclaveBase
import ConclaveClientCore
import ConclaveWire

extension Conclave {
    /// How long a try waits for the daemon's answer.
    private static let tryPatience = Interval.seconds(5)

    /// Takes the lock, runs `body` while it is held, and releases it.
    ///
    /// `body` runs in a task of its own, which is cancelled when the lock is lost: at its deadline,
    /// by the local clock, also when the daemon hangs. The call waits until `body` has ended, and
    /// then throws `lost`, whatever `body` returned or threw.
    ///
    /// What `body` takes itself is taken to be waited for by this lock: see `TaskPath`.
    ///
    /// A task that is cancelled while it waits gives its place in the queue up, in order.
    ///
    /// - Parameters:
    ///   - priority: Who waits with a higher one comes first; within one, who came first.
    ///   - wait: How long to wait at most; zero: not at all; `nil`: for ever.
    ///   - lockDelay: If this holder dies or its session expires, nobody gets the lock for so long,
    ///     so that what it had begun can come to an end; at most 10 minutes.
    ///   - onLoss: What the daemon does to this process before somebody else may have the lock.
    /// - Throws: `busy`, `timedOut`, `deadlock`, `lost`, `unavailable` and so on,
    ///   `CancellationError`, or what `body` throws.
    public func withLock<Result: Sendable>(
        _ name: String, mode: Lock.Mode = .exclusive, priority: Int32 = 0,
        wait: Duration? = nil, lockDelay: Duration = .zero, onLoss: OnLoss = .notify,
        body: @Sendable (borrowing Lock) async throws -> Result
    ) async throws -> Result {
        let (grant, holding) = try await acquire(
            name, mode, priority, wait, lockDelay, onLoss, forBody: true)
        let share = Share(holding)
        return try await withoutActuallyEscaping(body) { body in
            try await run(while: holding, releasing: share) {
                let lock = Lock(grant.name.text, share, isReleasedAtEnd: false)
                return try await body(lock)
            }
        }
    }

    /// Takes the lock and returns a guard that holds it; prefer `withLock`, which also stops the
    /// work when the lock is lost.
    ///
    /// - Parameters:
    ///   - priority: Who waits with a higher one comes first; within one, who came first.
    ///   - wait: How long to wait at most; zero: not at all; `nil`: for ever.
    ///   - lockDelay, onLoss: As of `withLock`.
    public func lock(
        _ name: String, mode: Lock.Mode = .exclusive, priority: Int32 = 0, wait: Duration? = nil,
        lockDelay: Duration = .zero, onLoss: OnLoss = .notify
    ) async throws -> Lock {
        let (grant, holding) = try await acquire(
            name, mode, priority, wait, lockDelay, onLoss, forBody: false)
        return Lock(grant.name.text, Share(holding), isReleasedAtEnd: true)
    }

    /// Takes the lock if it is free; `nil` if somebody else holds it.
    public func tryLock(
        _ name: String, mode: Lock.Mode = .exclusive, onLoss: OnLoss = .notify
    ) async throws -> Lock? {
        do {
            return try await lock(name, mode: mode, wait: .zero, onLoss: onLoss)
        } catch let error as ConclaveError where error.code == .busy {
            return nil
        }
    }

    /// Sets how many permits a semaphore gives out. What is given out stays so.
    ///
    /// - Throws: `refused` if nobody holds or awaits the semaphore, so that it has no limit, or
    ///   somebody waits for more permits than `limit`.
    public func setLimit(
        ofSemaphore name: String, to limit: UInt32, wait: Duration? = .seconds(40)
    ) async throws {
        guard limit > 0 else { throw ConclaveError(.invalid, "a limit of 0 permits") }
        let operation = Operation.limit(name: try Self.name(name), limit: limit)
        let answer = await session.answer(to: operation, deadline: Self.deadline(after: wait))
        guard case .reply(.done) = answer else { throw ConclaveError.unexpected(answer) }
    }

    private func acquire(
        _ name: String, _ mode: Lock.Mode, _ priority: Int32, _ wait: Duration?,
        _ lockDelay: Duration, _ onLoss: OnLoss, forBody: Bool
    ) async throws -> (LockGrant, Holding) {
        try mode.check()
        let patience = try Self.patience(wait, lockDelay)
        let tag = TaskPath.tag(forBody: forBody, in: session.id)
        let acquire = Operation.acquire(
            name: try Self.name(name), mode: mode.wire, isTry: patience.isTry, priority: priority,
            lockDelay: Interval(lockDelay), task: tag)
        let answer = await session.answer(
            to: acquire, onLoss: onLoss, deadline: patience.deadline)
        guard case .reply(.granted(let grant)) = answer else {
            throw ConclaveError.unexpected(answer)
        }
        let holding = Holding(self, grant, taskPath: path(of: tag))
        try await giveUpIfCancelled(holding)
        return (grant, holding)
    }

    /// Whether a request for locks is a try, and until when its answer is waited for.
    static func patience(
        _ wait: Duration?, _ lockDelay: Duration
    ) throws(ConclaveError) -> (isTry: Bool, deadline: Instant?) {
        let lockDelay = Interval(lockDelay)
        guard lockDelay >= .zero, lockDelay <= ClientLimits.longestLockDelay else {
            throw ConclaveError(
                .invalid, "a lock delay is from 0 to \(ClientLimits.longestLockDelay)")
        }
        let isTry = wait.map { $0 <= .zero } ?? false
        return (isTry, deadline(after: isTry ? Duration(tryPatience) : wait))
    }

    /// The tasks that wait for what `tag` asked for and was granted.
    func path(of tag: TaskTag) -> TaskPath {
        guard let id = session.id else { return TaskPath(tag.within) }
        return TaskPath(tag.within + [TaskReference(session: id, number: tag.number)])
    }

    /// What was granted to a task that had been cancelled is given back.
    func giveUpIfCancelled(_ holding: Holding) async throws {
        guard Task.isCancelled else { return }
        try? await holding.release()
        throw CancellationError()
    }

    /// Runs `body` in a task of its own that ends no later than what is held, and gives that up, or
    /// only `share` of it.
    func run<Result: Sendable>(
        while holding: Holding, releasing share: Share? = nil,
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let task = Task { try await holding.taskPath.perform(body) }
        let observer = session.whenLost { task.cancel() }
        defer { session.forgetLossObserver(observer) }
        let result = await withTaskCancellationHandler {
            await task.result
        } onCancel: {
            task.cancel()
        }
        if let share { try await share.release() } else { try await holding.release() }
        return try result.get()
    }

    static func deadline(after wait: Duration?) -> Instant? {
        wait.map { BootClock.now.advanced(by: max(.zero, Interval($0))) }
    }

    static func name(_ text: String) throws(ConclaveError) -> ObjectName {
        do {
            return try ObjectName(text)
        } catch {
            throw ConclaveError(.invalid, error.sentence)
        }
    }
}

extension ObjectName.Fault {
    fileprivate var sentence: String {
        switch self {
        case .empty: "a name must not be empty"
        case .tooLong(let byteCount):
            "the name has \(byteCount) bytes, at most \(ObjectName.maximumByteCount) are possible"
        case .controlCharacter(let offset): "the name has a control character at byte \(offset)"
        }
    }
}
