import ConclaveBase
import ConclaveWire

/// A call whose answer is awaited, or a subscription.
struct Call {
    enum Content {
        case operation(Operation)
        case query(ClientCore.Query)
    }

    let content: Content
    let deadline: Instant
    /// What the daemon does to this process before somebody else has what it is granted.
    let onLoss: LossAction
    /// The request's number on the wire, the same on every connection; 0 until it is first sent.
    /// An operation may have been applied from then on.
    var number: UInt64 = 0
    /// Why the ordered cancel was asked for, once it was.
    var givenUp: CancelReason?
    /// An ordered cancel: nobody waits for its own answer.
    var isInternal = false
    /// A subscription that has told its first state.
    var isAnswered = false
    /// A follower that is not told anything now: see `ClientCore.pause`.
    var isPaused = false
    /// The newest view told to a follower of views.
    var newestEpoch = Epoch.none
    /// The version of the newest state told to an observer.
    var newestVersion = Version.zero
    /// Of a watch of keys.
    var watch: WatchProgress?
    /// Of a follower of a task group.
    var group: GroupProgress?
    /// Of what is followed, so that silence means that nothing changes: keys, a leader.
    var assurance: Assurance?

    init(_ content: Content, onLoss: LossAction = .notify, deadline: Instant?) {
        self.content = content
        self.onLoss = onLoss
        self.deadline = deadline ?? .distantFuture
        guard case .query(let query) = content else { return }
        if query.isDoubted { assurance = Assurance() }
        if case .watchKeys(let asked) = query { watch = WatchProgress(from: asked.from) }
        if case .followGroup(let follow) = query { group = GroupProgress(follow) }
    }

    /// What it is told comes in pieces, of which the first may not be worth a word.
    var isPieced: Bool { watch != nil || group != nil }

    var wasSent: Bool { number != 0 }

    var isWish: Bool {
        if case .query(let query) = content { query.isWish } else { false }
    }

    /// The number of the request that this one cancels.
    var cancelledNumber: UInt64? {
        if case .operation(.cancel(let number, _)) = content { number } else { nil }
    }

    var isOperation: Bool {
        if case .operation = content { true } else { false }
    }

    /// What it does is not undone by the end of its session: whether that was done nobody can tell
    /// then.
    var outlivesSession: Bool {
        switch content {
        // An ephemeral key may have taken the place of one that was to stay.
        case .operation(.transact), .operation(.lease), .operation(.limit), .operation(.revoke),
            .operation(.handOver), .operation(.evictMember), .operation(.sendToGroup),
            .operation(.provideState):
            true
        case .operation(.latch(let latch)):
            if case .wait = latch.action { false } else { true }
        case .operation(.acquire), .operation(.acquireAll), .operation(.release),
            .operation(.releaseAll), .operation(.downgrade), .operation(.upgrade),
            .operation(.campaign), .operation(.announce), .operation(.resign),
            .operation(.arrive), .operation(.cancel), .operation(.joinGroup),
            .operation(.leaveGroup), .operation(.adoptState):
            false
        case .query: isWish
        }
    }

    /// Whether it ends a request in flight, or frees what one waits for; it waits for nothing.
    var letsGo: Bool {
        switch content {
        case .operation(.release), .operation(.releaseAll), .operation(.resign),
            .operation(.handOver), .operation(.downgrade), .operation(.cancel),
            .operation(.leaveGroup):
            true
        case .operation(.lease(let lease)):
            if case .release = lease.action { true } else { false }
        case .operation(.latch(let latch)): latch.action == .remove
        case .operation(.acquire), .operation(.acquireAll), .operation(.upgrade),
            .operation(.limit), .operation(.campaign), .operation(.announce),
            .operation(.arrive), .operation(.transact), .operation(.revoke),
            .operation(.joinGroup), .operation(.evictMember), .operation(.sendToGroup),
            .operation(.provideState), .operation(.adoptState), .query:
            false
        }
    }
}
