package import ConclaveBase
import ConclaveWire

/// Whether the session is still to be believed in, by this host's clock.
extension ClientCore {
    /// Until when what the session holds is valid, as far as this core knows.
    package var deadline: Instant? {
        guard let session else { return nil }
        if let validity { return validity }
        switch phase {
        case .apart, .connecting, .greeting, .greeted: return apartSince.advanced(by: session.ttl)
        case .open: return nil
        }
    }

    /// A deadline that has passed is final (K5), whatever a daemon says later.
    mutating func checkValidity(now: Instant, effects: inout [Effect]) {
        guard let deadline, deadline <= now else { return }
        if isEnding { return end(.ended(.goodbye), effects: &effects) }
        end(phase == .open ? .deadlinePassed : .daemonGone(apartReason), effects: &effects)
    }

    /// The page is written without a word, so it is looked at when it would call for one.
    var nextValidityCheck: Instant {
        guard let session else { return .distantFuture }
        if validityIsOld { return lastNow }
        guard let deadline else { return .distantFuture }
        guard phase == .open else { return deadline }
        let doubtful = deadline.advanced(by: session.ttl / -2)
        if state == .healthy, doubtful > lastNow { return doubtful }
        return min(deadline, lastNow.advanced(by: session.ttl / 8))
    }

    mutating func tellState(now: Instant, effects: inout [Effect]) {
        guard !isOver, session != nil, !isEnding else { return }
        let present = presentState(now: now)
        switch (state, present) {
        case (.healthy?, .healthy): return
        case (.jeopardy(_, let old)?, .jeopardy(_, let new)) where old == new: return
        default: break
        }
        state = present
        effects.append(.state(present))
    }

    private func presentState(now: Instant) -> ClientState {
        guard let reason = trouble(now: now) else { return .healthy }
        return .jeopardy(until: deadline ?? .distantFuture, reason: reason)
    }

    private func trouble(now: Instant) -> String? {
        guard phase == .open else { return apartReason }
        if let serving, !serving.isServing { return serving.reason }
        guard !validityIsOld, let session, let validity else { return nil }
        let isShort = validity.since(now) <= session.ttl / 2
        return isShort ? "the daemon has not extended the session for a while" : nil
    }
}
