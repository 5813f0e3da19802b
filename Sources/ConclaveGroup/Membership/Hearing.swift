package import ConclaveBase

/// Who hears whom, measured by round trips outside of any epoch: an answer to a ping shows both
/// ways. The nonce of a ping is the instant at which it was sent.
package struct Hearing: Equatable {
    /// Since the path was last silent or broken.
    private struct Answers: Equatable {
        /// When the first answer came, and the newest ping that was answered had been sent.
        var first: Instant
        var newestPing: Instant
        var at: Instant
    }

    private var answers: [NodeID: Answers] = [:]
    /// A longer pause between two answers is a break.
    private let window: Interval

    package init(window: Interval) {
        self.window = window
    }

    package mutating func heard(_ node: NodeID, nonce: UInt64, now: Instant) {
        let sent = Instant(nanoseconds: nonce)
        guard sent <= now else { return }
        // Nobody may have asked how steady it was since the break.
        let known = answers[node].flatMap { now.since($0.at) <= window ? $0 : nil }
        answers[node] = Answers(
            first: known?.first ?? now, newestPing: max(known?.newestPing ?? sent, sent),
            at: now)
    }

    package mutating func broken(_ node: NodeID) {
        answers[node] = nil
    }

    /// Whether `node` has answered a ping sent at `start` or later, no longer than `window` ago.
    package func hears(
        _ node: NodeID, sentSince start: Instant, window: Interval, now: Instant
    ) -> Bool {
        guard let known = answers[node] else { return false }
        return known.newestPing >= start && now.since(known.at) <= window
    }

    /// For how long `node` has answered without a break: from the first answer to the newest ping that it
    /// has answered. Pings of a break are answered behind it, all at once.
    package func steadyFor(_ node: NodeID, now: Instant) -> Interval? {
        guard let known = answers[node], now.since(known.at) <= window else { return nil }
        return max(.zero, known.newestPing.since(known.first))
    }
}
