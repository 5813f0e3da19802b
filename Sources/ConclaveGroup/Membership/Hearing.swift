package import ConclaveBase

/// Who hears whom, measured by round trips outside of any epoch: an answer to a ping shows both
/// ways. The nonce of a ping is the instant at which it was sent.
package struct Hearing: Equatable {
    private var answeredPing: [NodeID: Instant] = [:]
    private var answeredAt: [NodeID: Instant] = [:]
    /// The first answer since the path was last silent or broken.
    private var since: [NodeID: Instant] = [:]

    package init() {}

    package mutating func heard(_ node: NodeID, nonce: UInt64, now: Instant) {
        let sent = Instant(nanoseconds: nonce)
        guard sent <= now else { return }
        answeredPing[node] = max(answeredPing[node] ?? .distantPast, sent)
        answeredAt[node] = now
        if since[node] == nil { since[node] = now }
    }

    package mutating func broken(_ node: NodeID) {
        answeredPing[node] = nil
        answeredAt[node] = nil
        since[node] = nil
    }

    /// Whether `node` has answered a ping sent at `start` or later, no longer than `window` ago.
    package func hears(
        _ node: NodeID, sentSince start: Instant, window: Interval, now: Instant
    ) -> Bool {
        guard let ping = answeredPing[node], let at = answeredAt[node] else { return false }
        return ping >= start && now.since(at) <= window
    }

    /// For how long `node` has answered without a pause longer than `window`, up to its last answer.
    package mutating func steadyFor(_ node: NodeID, window: Interval, now: Instant) -> Interval {
        guard let at = answeredAt[node], let since = since[node] else { return .zero }
        guard now.since(at) <= window else {
            broken(node)
            return .zero
        }
        return at.since(since)
    }
}
