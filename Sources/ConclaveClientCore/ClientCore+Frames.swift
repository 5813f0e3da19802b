import ConclaveBase
import ConclaveWire

/// Frames coming in.
extension ClientCore {
    mutating func received(_ frame: FrameBuffer.Frame, now: Instant, effects: inout [Effect]) {
        switch phase {
        case .apart, .connecting: return
        case .greeting, .greeted, .open: break
        }
        do {
            try take(frame, now: now, effects: &effects)
        } catch {
            hangUp(
                "the daemon sent a frame that does not decode: \(error)", now: now,
                effects: &effects)
        }
    }

    private mutating func take(
        _ frame: FrameBuffer.Frame, now: Instant, effects: inout [Effect]
    ) throws(WireError) {
        let header = frame.header
        if header.flags.contains(.error) {
            var reader = ByteReader(frame.body)
            let refusal = try Refusal(from: &reader)
            return refused(refusal, header, now: now, effects: &effects)
        }
        let type = ClientFrameType(rawValue: header.type)
        if header.flags.contains(.event) {
            return try event(type, frame, effects: &effects)
        }
        var reader = ByteReader(frame.body)
        switch type {
        case .hello: greeted(try DaemonHello(from: &reader), effects: &effects)
        case .open, .resume: opened(try SessionOpened(from: &reader), effects: &effects)
        case .goodbye:
            if header.number == goodbyeNumber { end(.ended(.goodbye), effects: &effects) }
        default: try reply(frame, now: now, effects: &effects)
        }
    }

    private mutating func event(
        _ type: ClientFrameType?, _ frame: FrameBuffer.Frame, effects: inout [Effect]
    ) throws(WireError) {
        var reader = ByteReader(frame.body)
        switch type {
        case .serving:
            serving = try ServingState(from: &reader)
            tellFollowers(effects: &effects)
        case .letGo: effects.append(.asked(try LetGoNotice(from: &reader)))
        case .sessionEnded: end(.ended(try reader.choice("session end")), effects: &effects)
        default: try subscriptionEvent(frame, effects: &effects)
        }
    }

    private mutating func subscriptionEvent(
        _ frame: FrameBuffer.Frame, effects: inout [Effect]
    ) throws(WireError) {
        guard let id = calls.call(numbered: frame.header.number), let call = calls[id],
            case .query(let query) = call.content, call.isAnswered || call.isPieced
        else { return }
        tellNews(try query.decode(event: frame.body), id, effects: &effects)
    }

    private mutating func reply(
        _ frame: FrameBuffer.Frame, now: Instant, effects: inout [Effect]
    ) throws(WireError) {
        let number = frame.header.number
        guard let id = calls.call(numbered: number), let call = calls[id] else { return }
        switch call.content {
        case .query(let query):
            report(try query.decode(reply: frame.body), to: query, id, effects: &effects)
        case .operation:
            var reader = ByteReader(frame.body)
            let reply = try Reply(from: &reader)
            calls.remove(id)
            noteEnd(of: call)
            guards.answered(reply, to: number)
            tell(answer(reply, to: call), to: call, id, effects: &effects)
            noteReply(to: number, now: now, effects: &effects)
            sendWaiting(effects: &effects)
        }
    }

    private func answer(_ reply: Reply, to call: Call) -> Answer {
        switch reply {
        case .cancelled: .failed(call.givenUp == .timedOut ? .timedOut : .cancelled)
        // The session ended, and with it what was known of the answers it got.
        case .refused(let refusal) where refusal.code == .sessionEnded && call.outlivesSession:
            .failed(.outcomeUnknown)
        case .refused(let refusal): .failed(.refused(refusal))
        default: .reply(reply)
        }
    }

    /// The last word to a call.
    func tell(_ answer: Answer, to call: Call, _ id: CallID, effects: inout [Effect]) {
        if call.isAnswered {
            effects.append(.event(id, answer))
        } else if !call.isInternal {
            effects.append(.answered(id, answer))
        }
    }

    private mutating func report(
        _ report: Report, to query: Query, _ id: CallID, effects: inout [Effect]
    ) {
        if case .keyNews(let news) = report { return take(news, id, effects: &effects) }
        if case .groupNews(let news) = report { return take(news, id, effects: &effects) }
        guard query.isSubscription else {
            calls.remove(id)
            effects.append(.answered(id, .report(report)))
            return
        }
        if calls[id]?.isAnswered == true { return tellNews(report, id, effects: &effects) }
        calls.noteAnswered(id)
        switch report {
        case .views(let views): for view in views { _ = calls.noteEpoch(id, view.epoch) }
        case .leader(let state): _ = calls.noteVersion(id, state.version)
        case .status, .members, .view, .locks, .leases, .latches, .sessions, .history, .why,
            .memberChange, .recovered, .disturbed,
            .keys, .keyNews, .keyUpdate, .groupNews, .groupUpdates, .doubtful, .assured:
            break
        }
        calls.hear(id)
        tellFirst(report, id, effects: &effects)
    }

    /// Tells a subscriber what is new to it: what is found after a reconnection may be known, or
    /// older, since the daemon may have less than the one before had.
    private mutating func tellNews(_ report: Report, _ id: CallID, effects: inout [Effect]) {
        switch report {
        case .views(let views):
            for view in views where calls.noteEpoch(id, view.epoch) {
                effects.append(.event(id, .report(.view(view))))
            }
        case .view(let view):
            guard calls.noteEpoch(id, view.epoch) else { return }
            effects.append(.event(id, .report(report)))
        case .leader(let state):
            guard calls.noteVersion(id, state.version) else { return }
            effects.append(.event(id, .report(report)))
            calls.hear(id)
            assure(id, effects: &effects)
        case .keyNews(let news): take(news, id, effects: &effects)
        case .groupNews(let news): take(news, id, effects: &effects)
        case .status, .members, .locks, .leases, .latches, .sessions, .history, .why,
            .memberChange, .recovered, .disturbed, .keys,
            .keyUpdate, .groupUpdates, .doubtful, .assured:
            effects.append(.event(id, .report(report)))
        }
    }

    private mutating func refused(
        _ refusal: Refusal, _ header: FrameHeader, now: Instant, effects: inout [Effect]
    ) {
        switch ClientFrameType(rawValue: header.type) {
        case .hello, .open, .resume:
            sessionRefused(refusal, now: now, effects: &effects)
        case .goodbye where header.number == goodbyeNumber:
            end(.ended(.goodbye), effects: &effects)
        default:
            if header.flags.contains(.event) {
                // A subscription was cut because it fell behind: it begins anew.
                if let id = calls.call(numbered: header.number) {
                    sendQuery(id, effects: &effects)
                }
            } else {
                callRefused(refusal, header.number, now: now, effects: &effects)
            }
        }
    }

    /// What will not be different next time ends the client; the rest is tried again.
    private mutating func sessionRefused(
        _ refusal: Refusal, now: Instant, effects: inout [Effect]
    ) {
        switch refusal.code {
        case .unavailable:
            hangUp(refusal.message, now: now, effects: &effects)
        case .sessionEnded where session == nil:
            // It was opened, and ended before this client heard of it: nothing is lost but its id.
            id.low &+= 1
            hasAskedForSession = false
            askForSession(effects: &effects)
        default:
            end(.refused(refusal), effects: &effects)
        }
    }

    private mutating func noteEnd(of call: Call) {
        if let number = call.cancelledNumber { calls.noteCancelEnded(of: number) }
    }

    /// A request did not get as far as the group.
    private mutating func callRefused(
        _ refusal: Refusal, _ number: UInt64, now: Instant, effects: inout [Effect]
    ) {
        guard let id = calls.call(numbered: number), let call = calls[id] else {
            // A word about the connection, which is closed after it.
            let isOfConnection = number == 0 && refusal.code == .quotaExceeded
            if refusal.code == .malformed || isOfConnection {
                hangUp(refusal.message, now: now, effects: &effects)
            }
            return
        }
        if call.isOperation, refusal.code == .sessionEnded {
            return end(.refused(refusal), effects: &effects)
        }
        calls.removeRefused(id)
        noteEnd(of: call)
        guards.answered(.refused(refusal), to: number)
        tell(.failed(.refused(refusal)), to: call, id, effects: &effects)
        if phase == .open { sendWaiting(effects: &effects) }
    }
}
