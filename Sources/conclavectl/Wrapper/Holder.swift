import Conclave

/// What a wrapper holds while its command runs.
struct HoldRequest: Sendable {
    enum Kind: Sendable {
        case lock(Lock.Mode)
        /// All of them or none.
        case locks([String], Lock.Mode)
        case leadership(value: String, places: UInt32?)
        case membership(attributes: [String: String])
        /// Enters with the others, and leaves with those that are still there.
        case doubleBarrier(parties: Int)
    }

    var kind: Kind
    var name: String
    var priority: Int32
    /// Zero: try only.
    var wait: Duration?
    /// `nil`: as the group has it.
    var ttl: Duration?
    /// Of a lock.
    var lockDelay = Duration.zero
    var onLoss: LossAction
    var socket: String?
    var label: String
    /// Whose command this program is, and so waits for it; `nil`: nobody's.
    var taskPath: TaskPath?
}

/// The asynchronous half of a wrapper: it takes the lock, term or place in a group, keeps it until it is
/// told to let go, and says what happens.
final class Holder: Sendable {
    enum Message: Sendable {
        case held(Grant)
        /// An administrator asks for what is held.
        case asked(Notice)
        /// Given back, in order.
        case released
        case failed(ConclaveError)
        /// The waiting was given up, in order.
        case cancelled
    }

    struct Grant: Sendable {
        var token: FencingToken
        /// Of a leader.
        var place: UInt32?
        /// Of a task group.
        var member: FencingToken?
        var previousEnd: PreviousEnd
        var validity: Validity
        var taskPath: TaskPath
        /// Gives a leader's place to a standby.
        var handOver: (@Sendable (SessionID) async throws -> Void)?
    }

    let inbox = Inbox<Message>()
    private let task: Task<Void, Never>
    private let letGo: AsyncStream<SessionID>.Continuation

    init(_ request: HoldRequest) {
        let (stream, continuation) = AsyncStream<SessionID>.makeStream()
        letGo = continuation
        let inbox = inbox
        task = Task { await Self.run(request, inbox, until: stream) }
    }

    /// Gives back what is held, to a standby if it may be one; `released` or `failed` follows.
    func release(to heir: SessionID? = nil) {
        if let heir { letGo.yield(heir) }
        letGo.finish()
    }

    /// Gives the waiting up; `cancelled` follows, or `failed`.
    func cancel() {
        task.cancel()
    }

    private static func run(
        _ request: HoldRequest, _ inbox: Inbox<Message>, until letGo: AsyncStream<SessionID>
    ) async {
        do {
            let conclave = try await Conclave.connect(
                socket: request.socket, ttl: request.ttl, label: request.label)
            // From before it is held, so that none is missed.
            let notices = conclave.notices
            let work: @Sendable () async throws -> Void = {
                try await hold(request, conclave) { grant in
                    inbox.send(.held(grant))
                    await tell(inbox, of: notices, about: grant, until: letGo)
                }
            }
            if let path = request.taskPath {
                try await path.perform(work)
            } else {
                try await work()
            }
            await conclave.close()
            inbox.send(.released)
        } catch let error as ConclaveError {
            inbox.send(.failed(await request.explaining(error)))
        } catch {
            inbox.send(.cancelled)
        }
    }

    /// Returns when what is held is to be given back.
    private static func tell(
        _ inbox: Inbox<Message>, of notices: AsyncStream<Notice>, about grant: Grant,
        until letGo: AsyncStream<SessionID>
    ) async {
        let listening = Task {
            for await notice in notices where notice.token == grant.token {
                inbox.send(.asked(notice))
            }
        }
        defer { listening.cancel() }
        // Who does not stand by any more gets nothing: it goes to whose turn it is.
        for await heir in letGo { try? await grant.handOver?(heir) }
    }

    private static func hold(
        _ request: HoldRequest, _ conclave: Conclave,
        _ body: @escaping @Sendable (Grant) async -> Void
    ) async throws {
        switch request.kind {
        case .lock(let mode):
            try await conclave.withLock(
                request.name, mode: mode, priority: request.priority, wait: request.wait,
                lockDelay: request.lockDelay
            ) { lock in
                await body(
                    Grant(
                        token: lock.token, previousEnd: lock.previousEnd, validity: lock.validity,
                        taskPath: lock.taskPath))
            }
        case .locks(let names, let mode):
            try await conclave.withLocks(
                names, mode: mode, priority: request.priority, wait: request.wait,
                lockDelay: request.lockDelay
            ) { locks in
                await body(
                    Grant(
                        token: locks.token, previousEnd: locks.previousEnd,
                        validity: locks.validity, taskPath: locks.taskPath))
            }
        case .leadership(let value, let places):
            try await conclave.withLeadership(
                of: request.name, value: value, priority: request.priority, places: places,
                wait: request.wait
            ) { term in
                await body(
                    Grant(
                        token: term.token, place: term.place, previousEnd: term.previousEnd,
                        validity: term.validity, taskPath: term.taskPath,
                        handOver: { try await term.handOver(to: $0) }))
            }
        case .membership(let attributes):
            try await conclave.withMembership(
                of: request.name, attributes: attributes, wait: request.wait
            ) { member in
                await body(
                    Grant(
                        token: member.token, member: member.token, previousEnd: .none,
                        validity: member.validity,
                        taskPath: member.taskPath))
            }
        case .doubleBarrier(let parties):
            let barrier = conclave.doubleBarrier(request.name, parties: parties)
            let inside = try await barrier.enter(timeout: request.wait)
            await body(
                Grant(
                    token: inside.token, previousEnd: .none, validity: inside.validity,
                    taskPath: inside.taskPath))
            try await inside.leave(timeout: request.wait)
        }
    }
}
