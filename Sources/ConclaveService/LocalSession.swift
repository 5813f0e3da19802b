import ConclaveBase
import ConclaveCoordination
import ConclaveWire

/// A session that is attached to this daemon.
struct LocalSession {
    /// A request that the group has not applied yet.
    struct Request {
        let type: ClientFrameType
        let command: [UInt8]
    }

    let id: SessionID
    let secret: Secret
    let ttl: Interval
    let process: ProcessIdentity
    var attachment: Attachment
    /// Its place in the validity page; `nil` if there was none left, and then it ends.
    let slot: UInt32?
    /// Its socket; `nil` while the process lives and is not connected.
    var connection: ConnectionID?
    /// The connection whose pidfd is that of its process; it may be closed.
    var watch: ConnectionID?
    /// As the validity page shows it; `nil` before the first one of this attachment.
    var deadline: Instant?
    /// Until when its process may believe what a run of the daemon before this one has shown: it
    /// maps that page until it has heard from this one.
    var shownBefore = Instant.distantPast
    /// Without a connection: when the end is ordered.
    var endAt = Instant.distantFuture
    /// The end that this daemon orders until it is applied. Nothing takes it back: the deadline has
    /// passed (K5), the process is dead, or the client said goodbye.
    var ending: SessionEnd?
    /// Another process wants the session, and the validity was withdrawn for it (K7).
    var isYielding = false
    /// It is yielded, or ended, when what was shown before is over.
    var mustWait = false
    /// What its process is to be stopped for.
    var guards = LossGuards()
    /// Requests of which that account has the answer, and which may be sent once more.
    private var settled: Set<UInt64> = []
    /// What was done to its process since a later deadline was shown last.
    var done = LossAction.notify
    /// Until when that may take; as long as it was not done yet, for ever.
    var stopsBy = Instant.distantPast
    /// The number of the goodbye that is answered when the end is applied.
    var goodbye: UInt64?
    /// The open or resume that is answered once there is a deadline to show.
    var owed: (type: ClientFrameType, number: UInt64)?
    /// By number; not yet applied.
    var requests: [UInt64: Request] = [:]
    /// The types of the requests that are not answered: a reply carries its request's.
    var types: [UInt64: ClientFrameType] = [:]
    /// Replies up to this number are in the client's hands.
    var confirmed: UInt64 = 0
    /// A confirmation that may have been lost with its epoch.
    var unorderedConfirmation: UInt64?

    init(_ state: SessionState, slot: UInt32?) {
        id = state.id
        secret = state.secret
        ttl = state.ttl
        process = state.process
        attachment = state.attachment
        self.slot = slot
    }

    /// Those on their way, by number.
    var orderedRequests: [(number: UInt64, request: Request)] {
        requests.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// What is to become of a request that was received.
    enum Acceptance {
        /// So many of the session are not applied now.
        case new(onTheirWay: Int)
        case onItsWay
        /// The client itself has said that it is over.
        case confirmed
    }

    /// Notes a request that was received: what it lets go of counts as that from now on.
    mutating func accept(
        _ request: Request, number: UInt64, frame: OperationFrame
    ) -> Acceptance {
        confirmed = max(confirmed, frame.confirmed)
        if unorderedConfirmation ?? .max <= confirmed { unorderedConfirmation = nil }
        guard requests[number] == nil else { return .onItsWay }
        guard types[number] != nil || number > confirmed else { return .confirmed }
        requests[number] = request
        types[number] = request.type
        // What was granted may have been let go of before a repeat of the request comes.
        if !settled.isEmpty { settled = settled.filter { $0 > confirmed } }
        if !settled.contains(number) {
            guards.sent(frame.operation, number: number, onLoss: frame.onLoss)
        }
        return .new(onTheirWay: requests.count)
    }

    /// A process says what it is to be stopped for.
    mutating func adopt(_ guards: LossGuards) {
        self.guards = guards
        settled = []
    }

    /// The group has answered a request.
    mutating func noteAnswer(_ reply: Reply, to number: UInt64) {
        if guards.answered(reply, to: number) { settled.insert(number) }
    }

    /// Of what neither is on its way nor kept by the group the type is said again with a repeat.
    mutating func forgetTypes(except isKept: (UInt64) -> Bool) {
        types = types.filter { requests[$0.key] != nil || isKept($0.key) }
    }

    mutating func takeType(of number: UInt64) -> ClientFrameType? {
        types.removeValue(forKey: number)
    }

    /// Whether anything of it may have been lost with an epoch.
    var mayHaveProposals: Bool {
        isYielding || !requests.isEmpty || unorderedConfirmation != nil || ending != nil
    }

    /// Whether confirmed heartbeats extend the deadline.
    var isExtended: Bool {
        connection != nil && ending == nil && !isYielding && !done.isFinal
    }

    /// Shows a later deadline, if there is reason for one; the slot that shows it.
    mutating func extend(to later: Instant, now: Instant) -> UInt32? {
        guard isExtended, let slot else { return nil }
        guard later > now, later > deadline ?? .distantPast else { return nil }
        deadline = later
        // What was only said is said again when there is reason for it again.
        done = .notify
        return slot
    }

    /// When time alone calls for something.
    var due: Instant {
        if isYielding || ending != nil { return mustWait ? waitsUntil : .distantFuture }
        return min(overAt, stopAt)
    }

    /// When the end is ordered.
    var overAt: Instant { min(endAt, deadline ?? .distantFuture) }

    /// Before then nobody else may have what it holds: its process believes in what it was shown
    /// before, or does not stand still yet.
    var waitsUntil: Instant { max(shownBefore, stopsBy) }

    /// What is to be done to its process, if the deadline is near; `nil`: no more than was done.
    var wanted: LossAction? { guards.strongest > done ? guards.strongest : nil }

    /// When that is to be done.
    var stopAt: Instant {
        guard wanted != nil, let deadline else { return .distantFuture }
        return deadline.advanced(by: .zero - LossAction.margin(of: ttl))
    }
}
