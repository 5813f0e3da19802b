package import ConclaveBase
import ConclaveWire

/// Connecting, the hello, opening and resuming.
extension ClientCore {
    mutating func connected(now: Instant, effects: inout [Effect]) {
        phase = .greeting
        hello = nil
        hasAskedForSession = false
        let greeting = ClientHello(
            version: ClientLimits.protocolVersion, features: 0, name: settings.clientName)
        send(.hello, number: 0, effects: &effects) { greeting.encode(into: &$0) }
        if wantsSession { askForSession(effects: &effects) }
    }

    /// The connection is gone: what is unanswered waits for the next one.
    mutating func apart(_ reason: String, now: Instant, effects: inout [Effect]) {
        if case .apart = phase { return }
        phase = .apart(retryAt: now.advanced(by: backoff.next()))
        apartReason = reason
        apartSince = now
        serving = nil
        goodbyeNumber = nil
        interruptFollowers()
        tellFollowers(effects: &effects)
    }

    /// Gives the connection up from this side.
    mutating func hangUp(_ reason: String, now: Instant, effects: inout [Effect]) {
        effects.append(.disconnect)
        apart(reason, now: now, effects: &effects)
    }

    mutating func askForSession(effects: inout [Effect]) {
        guard !hasAskedForSession else { return }
        hasAskedForSession = true
        if let session {
            let resume = ResumeRequest(
                session: session.session, secret: session.secret, confirmed: confirmed,
                guards: guards)
            send(.resume, number: 0, effects: &effects) { resume.encode(into: &$0) }
            unconfirmedCount = 0
            confirmAt = .distantFuture
        } else {
            let open = OpenRequest(id: id, ttl: settings.ttl, label: settings.label)
            send(.open, number: 0, effects: &effects) { open.encode(into: &$0) }
        }
    }

    mutating func greeted(_ hello: DaemonHello, effects: inout [Effect]) {
        guard phase == .greeting else { return }
        phase = .greeted
        self.hello = hello
        serving = hello.serving
        if !wantsSession { backoff.reset() }
        sendQueries(effects: &effects)
        tellFollowers(effects: &effects)
    }

    mutating func opened(_ session: SessionOpened, effects: inout [Effect]) {
        guard phase == .greeted, let hello else { return }
        phase = .open
        self.session = session
        validityIsOld = true
        backoff.reset()
        effects.append(.opened(session, hello: hello))
        sendAll(except: Set(session.waiting), effects: &effects)
        if isEnding { sendGoodbye(effects: &effects) }
    }

    /// Ends the session. Calls that wait are answered `sessionLost`; `.closed` follows once the
    /// group has ended it, or at once if there is none.
    package mutating func goodbye(now: Instant, effects: inout [Effect]) {
        guard !isOver, !isEnding else { return }
        lastNow = now
        isEnding = true
        guards = LossGuards()
        guard session != nil else { return end(.ended(.goodbye), effects: &effects) }
        if phase == .open { sendGoodbye(effects: &effects) }
    }

    private mutating func sendGoodbye(effects: inout [Effect]) {
        let number = calls.drawNumber()
        goodbyeNumber = number
        send(.goodbye, number: number, effects: &effects) { _ in }
    }

    /// The end of everything, once: what waits is answered, in the order of the calls.
    mutating func end(_ reason: LossReason, effects: inout [Effect]) {
        let isGoodbye = isEnding && reason == .ended(.goodbye)
        for id in calls.inOrder {
            guard let call = calls[id] else { continue }
            tell(.failed(failure(of: call, after: reason)), to: call, id, effects: &effects)
        }
        calls.removeAll()
        state = .lost(reason)
        if !isGoodbye { effects.append(.state(.lost(reason))) }
        switch phase {
        case .apart: break
        case .connecting, .greeting, .greeted, .open: effects.append(.disconnect)
        }
        if isEnding { effects.append(.closed) }
        isOver = true
    }

    private func failure(of call: Call, after reason: LossReason) -> ClientFailure {
        if call.outlivesSession, call.wasSent { return .outcomeUnknown }
        return switch reason {
        case .daemonGone(let why):
            call.isOperation && call.wasSent ? .outcomeUnknown : .unavailable(why)
        case .refused, .ended, .deadlinePassed: failure(after: reason)
        }
    }

    /// Of what was not sent, or ended with the session: a refusal says something of it only if
    /// there never was one.
    package func failure(after reason: LossReason) -> ClientFailure {
        if case .refused(let refusal) = reason, session == nil { return .refused(refusal) }
        return .sessionLost(reason)
    }

    func send(
        _ type: ClientFrameType, number: UInt64, effects: inout [Effect],
        body: (inout ByteWriter) -> Void
    ) {
        var writer = ByteWriter()
        body(&writer)
        effects.append(
            .send(FrameHeader.frame(type: type.rawValue, number: number, body: writer.bytes)))
    }
}
