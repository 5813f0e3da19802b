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
        case .serving: serving = try ServingState(from: &reader)
        case .sessionEnded: end(.ended(try reader.choice("session end")), effects: &effects)
        default: try subscriptionEvent(frame, effects: &effects)
        }
    }

    private mutating func subscriptionEvent(
        _ frame: FrameBuffer.Frame, effects: inout [Effect]
    ) throws(WireError) {
        let number = frame.header.number
        guard let call = calls[number], case .query(let query) = call.content, call.isAnswered
        else { return }
        tell(try query.decode(event: frame.body), number, effects: &effects)
    }

    private mutating func reply(
        _ frame: FrameBuffer.Frame, now: Instant, effects: inout [Effect]
    ) throws(WireError) {
        let number = frame.header.number
        guard let call = calls[number] else { return }
        switch call.content {
        case .query(let query):
            report(try query.decode(reply: frame.body), to: query, number, effects: &effects)
        case .operation:
            var reader = ByteReader(frame.body)
            let reply = try Reply(from: &reader)
            calls[number] = nil
            if !call.isInternal {
                effects.append(.answered(CallID(number: number), answer(reply, to: call)))
            }
            noteReply(to: number, now: now, effects: &effects)
        }
    }

    private func answer(_ reply: Reply, to call: Call) -> Answer {
        switch reply {
        case .cancelled: .failed(call.givenUp == .timedOut ? .timedOut : .cancelled)
        case .refused(let refusal): .failed(.refused(refusal))
        default: .reply(reply)
        }
    }

    private mutating func report(
        _ report: Report, to query: Query, _ number: UInt64, effects: inout [Effect]
    ) {
        guard query.isSubscription else {
            calls[number] = nil
            effects.append(.answered(CallID(number: number), .report(report)))
            return
        }
        if calls[number]?.isAnswered == true {
            tell(report, number, effects: &effects)
        } else {
            calls[number]?.isAnswered = true
            noteEpoch(report, number)
            effects.append(.answered(CallID(number: number), .report(report)))
        }
    }

    /// Tells a subscriber what is new to it: views found after a reconnection may be known.
    private mutating func tell(_ report: Report, _ number: UInt64, effects: inout [Effect]) {
        let newest = calls[number]?.newestEpoch ?? .none
        switch report {
        case .views(let views):
            for view in views where view.epoch > newest {
                effects.append(.event(CallID(number: number), .report(.view(view))))
            }
        case .view(let view):
            guard view.epoch > newest else { return }
            effects.append(.event(CallID(number: number), .report(report)))
        case .status, .members, .locks, .why, .leader:
            effects.append(.event(CallID(number: number), .report(report)))
        }
        noteEpoch(report, number)
    }

    private mutating func noteEpoch(_ report: Report, _ number: UInt64) {
        let epoch: Epoch
        switch report {
        case .views(let views): epoch = views.map(\.epoch).max() ?? .none
        case .view(let view): epoch = view.epoch
        case .status, .members, .locks, .why, .leader: return
        }
        let known = calls[number]?.newestEpoch ?? .none
        calls[number]?.newestEpoch = max(epoch, known)
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
                resubscribe(header.number, effects: &effects)
            } else {
                callRefused(refusal, header.number, now: now, effects: &effects)
            }
        }
    }

    /// What will not be different next time ends the client; the rest is tried again.
    private mutating func sessionRefused(
        _ refusal: Refusal, now: Instant, effects: inout [Effect]
    ) {
        if refusal.code == .unavailable {
            hangUp(refusal.message, now: now, effects: &effects)
        } else {
            end(.refused(refusal), effects: &effects)
        }
    }

    /// A subscription was cut because it fell behind: it begins anew with the present state.
    private mutating func resubscribe(_ number: UInt64, effects: inout [Effect]) {
        sendQuery(number, effects: &effects)
    }

    private mutating func callRefused(
        _ refusal: Refusal, _ number: UInt64, now: Instant, effects: inout [Effect]
    ) {
        guard let call = calls[number] else {
            // No call of ours: a word about the connection, which is closed after it.
            if refusal.code == .malformed || refusal.code == .quotaExceeded {
                hangUp(refusal.message, now: now, effects: &effects)
            }
            return
        }
        if call.isOperation, refusal.code == .sessionEnded {
            return end(.refused(refusal), effects: &effects)
        }
        calls[number] = nil
        let answer = Answer.failed(.refused(refusal))
        if call.isAnswered {
            effects.append(.event(CallID(number: number), answer))
        } else if !call.isInternal {
            effects.append(.answered(CallID(number: number), answer))
        }
    }
}
