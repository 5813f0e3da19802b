import ConclaveBase
import ConclaveClientCore
import ConclaveWire
import Synchronization

/// A lock, a term or a membership in this process's hands, until it is given up, once.
final class Holding: Sendable {
    /// What it is by now: a lock may change its mode, and has a new token then.
    struct State {
        var token: FencingToken
        var mode: LockMode
        var previousEnd: ConclaveWire.PreviousEnd
        /// What releases it.
        var giveUp: Operation
    }

    /// Keeps the session open as long as something of it is held.
    private let conclave: Conclave
    private let state: Mutex<State>
    /// Who waits for what is held to be given up.
    let taskPath: TaskPath
    private let isGivenUp = Atomic<Bool>(false)
    /// Guards that hold it.
    private let shareCount = Atomic<Int>(1)
    /// It is to be given back also if a hand-over that is on its way is refused.
    private let isWantedBack = Atomic<Bool>(false)
    /// Who follows how it stands.
    private let followers = Mutex<[UInt64: AsyncStream<SessionState>.Continuation]>([:])

    init(_ conclave: Conclave, _ grant: LockGrant, taskPath: TaskPath) {
        self.conclave = conclave
        self.taskPath = taskPath
        state = Mutex(State(grant))
    }

    /// Several locks, by name.
    init(_ conclave: Conclave, _ grants: [LockGrant], taskPath: TaskPath) {
        self.conclave = conclave
        self.taskPath = taskPath
        let ends = grants.map(\.previousEnd)
        let end = ends.first { [.died, .expired, .forced].contains($0) } ?? ends[0]
        state = Mutex(
            State(
                token: grants[0].token, mode: .exclusive, previousEnd: end,
                giveUp: .releaseAll(names: grants.map(\.name), token: grants[0].token)))
    }

    init(_ conclave: Conclave, _ term: ConclaveWire.Term, taskPath: TaskPath) {
        self.conclave = conclave
        self.taskPath = taskPath
        state = Mutex(
            State(
                token: term.token, mode: .exclusive, previousEnd: term.previousEnd,
                giveUp: .resign(slot: term.slot, token: term.token)))
    }

    init(_ conclave: Conclave, _ joined: GroupJoined) {
        self.conclave = conclave
        taskPath = conclave.path(of: TaskPath.tag(forBody: true, in: conclave.session.id))
        state = Mutex(
            State(
                token: joined.token, mode: .shared, previousEnd: .none,
                giveUp: .leaveGroup(name: joined.name, member: joined.token)))
    }

    var session: ClientSession { conclave.session }

    var present: State { state.withLock { $0 } }

    var deadline: Instant {
        isReleased ? .distantPast : session.page.deadline ?? .distantPast
    }

    /// Its holder has given it up.
    var isReleased: Bool { isGivenUp.load(ordering: .acquiring) }

    var isValid: Bool { BootClock.now < deadline }

    /// How it stands with it, the present state first; ends when it is given up, or after `lost`.
    func states() -> AsyncStream<SessionState> {
        let (stream, follower) = AsyncStream<SessionState>.makeStream()
        let number = session.reader.nextNumber()
        let states = session.states()
        let task = Task {
            for await state in states { follower.yield(state) }
            follower.finish()
        }
        follower.onTermination = { [weak self] _ in
            task.cancel()
            self?.followers.withLock { $0[number] = nil }
        }
        followers.withLock { $0[number] = follower }
        if isReleased { endStates() }
        return stream
    }

    /// Nobody is told anything more.
    private func endStates() {
        let all = followers.withLock { followers in
            defer { followers.removeAll() }
            return followers
        }
        for follower in all.values { follower.finish() }
    }

    func addShare() {
        shareCount.add(1, ordering: .acquiringAndReleasing)
    }

    /// Whether it was the last.
    func removeShare() -> Bool {
        shareCount.subtract(1, ordering: .acquiringAndReleasing).newValue == 0
    }

    /// It is what was granted instead of what was held before.
    func becomes(_ grant: LockGrant) {
        state.withLock { $0 = State(grant) }
    }

    /// It counts as shared from now on.
    func becomesShared() {
        state.withLock { $0.mode = .shared }
    }

    /// Gives it up and waits until the group has taken it back. It counts as given up from the
    /// moment of the call.
    ///
    /// - Throws: `lost` if it was not held any more.
    func release() async throws {
        let wasValid = isValid
        isWantedBack.store(true, ordering: .sequentiallyConsistent)
        guard !isGivenUp.exchange(true, ordering: .sequentiallyConsistent) else { return }
        endStates()
        let answer = await session.answerRegardless(to: present.giveUp)
        if case .reply(.done) = answer { return }
        guard wasValid, !isRefusal(answer) else {
            throw ConclaveError(.lost, reason(answer))
        }
    }

    /// Gives a term to a standby. It counts as given up from the moment of the call, unless it is
    /// refused.
    func handOver(slot: ObjectName, to standby: SessionID) async throws {
        guard !isGivenUp.exchange(true, ordering: .acquiringAndReleasing) else {
            throw ConclaveError(.lost, "the term was given up before")
        }
        let operation = Operation.handOver(slot: slot, token: present.token, to: standby)
        let answer = await session.answerRegardless(to: operation)
        if case .reply(.done) = answer { return endStates() }
        if case .failed(.refused(let refusal)) = answer,
            refusal.code != .notHeld, refusal.code != .sessionEnded
        {
            isGivenUp.store(false, ordering: .sequentiallyConsistent)
            if isWantedBack.load(ordering: .sequentiallyConsistent) { releaseLater() }
        }
        throw ConclaveError.unexpected(answer)
    }

    /// As `release`, without waiting.
    func releaseLater() {
        isWantedBack.store(true, ordering: .sequentiallyConsistent)
        guard !isGivenUp.exchange(true, ordering: .sequentiallyConsistent) else { return }
        endStates()
        session.send(present.giveUp)
    }

    private func isRefusal(_ answer: ClientCore.Answer) -> Bool {
        if case .failed(.refused) = answer { true } else { false }
    }

    private func reason(_ answer: ClientCore.Answer) -> String {
        guard let error = ConclaveError.failure(of: answer) as? ConclaveError else {
            return "its deadline has passed"
        }
        return error.message
    }
}

extension Holding.State {
    fileprivate init(_ grant: LockGrant) {
        token = grant.token
        mode = grant.mode
        previousEnd = grant.previousEnd
        giveUp = .release(name: grant.name, token: grant.token)
    }
}
