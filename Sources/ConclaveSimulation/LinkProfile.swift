package import ConclaveBase

/// How one direction between two hosts behaves while it is not cut.
package struct LinkProfile: Equatable, Sendable {
    package var delays: Delays
    /// Until what was lost on the way is sent again; doubles up to `retryCeiling`.
    package var retry: Interval
    package var retryCeiling: Interval
    /// For how long an end lets its bytes go unacknowledged before it gives the connection up.
    package var patience: ClosedRange<Interval>

    package init(
        delays: Delays, retry: Interval = .milliseconds(200),
        retryCeiling: Interval = .seconds(2),
        patience: ClosedRange<Interval> = .seconds(2) ... .seconds(30)
    ) {
        self.delays = delays
        self.retry = retry
        self.retryCeiling = retryCeiling
        self.patience = patience
    }

    /// Two hosts in one rack.
    package static let near = LinkProfile(
        delays: Delays(
            .microseconds(15) ... .microseconds(80), rarePerMille: 5,
            rare: .microseconds(200) ... .milliseconds(4)))
}
