package import ConclaveBase
package import ConclaveWire

/// What a client library does without sockets, clocks and threads: numbers its requests, sends them
/// anew after a reconnection, resumes its session, cancels what waited too long, and says when the
/// session is lost.
///
/// Others rely on this: every call is answered exactly once, with what the group decided or with
/// why nobody knows; and once the session's deadline has passed on this host's clock, the core says
/// `lost` and never anything else again (K5).
package struct ClientCore {
    /// How far the present connection has come.
    enum Phase: Equatable {
        case apart(retryAt: Instant)
        case connecting
        /// The hello is sent, and the open or resume if a session is wanted.
        case greeting
        /// The daemon has answered the hello: queries may go.
        case greeted
        /// The session is open here: operations may go.
        case open
    }

    let settings: ClientSettings
    /// The client's own name for its session.
    package internal(set) var id: Secret
    var backoff: Backoff
    var phase: Phase
    var calls = CallTable()
    /// What the daemon is to stop this process for: it is told once more with each resume.
    package internal(set) var guards = LossGuards()
    /// What lets go of something goes before what may wait.
    var lettingGo = WaitingLine()
    var waiting = WaitingLine()
    /// No call's deadline is before this.
    var earliestDeadline = Instant.distantFuture
    /// Whether a session is to be opened or resumed on each connection.
    var wantsSession: Bool
    /// Open or resume is sent on this connection.
    var hasAskedForSession = false
    var hello: DaemonHello?
    var serving: ServingState?
    /// As the daemon opened or resumed it last.
    package internal(set) var session: SessionOpened?
    var validity: Instant?
    /// The validity told was read from the page of an earlier connection.
    var validityIsOld = false
    /// Since when there is no connection, and why.
    var apartSince: Instant
    var apartReason = "not connected yet"
    var state: ClientState?
    /// The highest number of an operation that was replied to: what the client confirms (K9). Every
    /// reply that the group gave before it applied that request came before it; lower numbers that
    /// wait still, or were answered late, are not meant.
    var confirmed: UInt64 = 0
    /// Replies that came since the daemon was told, and when to tell it if no request does.
    var unconfirmedCount = 0
    var confirmAt = Instant.distantFuture
    /// The number of the goodbye on this connection.
    var goodbyeNumber: UInt64?
    var isEnding = false
    /// Lost or closed: nothing happens any more.
    var isOver = false
    var lastNow: Instant

    /// `id` is the client's own name for its session, drawn so that nobody guesses it: opening
    /// twice with the same one opens one session. `random` spreads reconnections.
    package init(settings: ClientSettings, id: Secret, random: SeededRandom, now: Instant) {
        self.settings = settings
        self.id = id
        backoff = Backoff(random: random)
        phase = .apart(retryAt: now)
        wantsSession = settings.opensSession
        apartSince = now
        lastNow = now
    }

    /// Takes one input and appends what follows from it to `effects`.
    ///
    /// `validity` is the deadline that the validity page shows now for this session: `nil` before
    /// there is a page, `.distantPast` once the slot no longer names the session.
    ///
    /// - Precondition: `now` is not earlier than in any call before.
    package mutating func step(
        _ input: Input, validity: Instant?, now: Instant, effects: inout [Effect]
    ) {
        guard !isOver else { return }
        lastNow = now
        self.validity = validity
        validityIsOld = false
        // The slot of a session that was ended is withdrawn: the reason says more than the page.
        if !input.isSessionEnd { checkValidity(now: now, effects: &effects) }
        guard !isOver else { return }
        switch input {
        case .connected: connected(now: now, effects: &effects)
        case .frame(let frame): received(frame, now: now, effects: &effects)
        case .disconnected(let reason): apart(reason, now: now, effects: &effects)
        case .tick: break
        }
        turn(now: now, effects: &effects)
    }

    /// When `step(.tick)` is to be called at the latest.
    package var nextTick: Instant {
        guard !isOver else { return .distantFuture }
        var next = min(earliestDeadline, nextValidityCheck)
        if case .apart(let retryAt) = phase { next = min(next, retryAt) }
        if phase == .open { next = min(next, confirmAt) }
        return next
    }

    /// What time alone brings about.
    private mutating func turn(now: Instant, effects: inout [Effect]) {
        guard !isOver else { return }
        expireCalls(now: now, effects: &effects)
        if case .apart(let retryAt) = phase, retryAt <= now {
            phase = .connecting
            effects.append(.connect)
        }
        if phase == .open, confirmAt <= now { sendConfirm(effects: &effects) }
        tellState(now: now, effects: &effects)
    }
}

extension ClientCore.Input {
    fileprivate var isSessionEnd: Bool {
        guard case .frame(let frame) = self else { return false }
        return frame.header.type == ClientFrameType.sessionEnded.rawValue
    }
}
