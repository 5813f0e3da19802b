import ConclaveBase

/// Whether something is still held, by this host's clock. It can be kept, copied and asked from
/// anywhere; asking costs a memory read, and works while the daemon hangs.
///
/// A process may be paused between asking and acting: guard the resource itself with the token.
public struct Validity: Sendable {
    private let holding: Holding

    /// Of one of several guards.
    private let share: Share?

    init(_ holding: Holding, _ share: Share? = nil) {
        self.holding = holding
        self.share = share
    }

    /// It is held: not given up by its holder, and its deadline has not passed.
    public var isValid: Bool { !isGivenUp && holding.isValid }

    /// How it stands with what is held: the present state first, then each change, `jeopardy` with until
    /// when it is held at least. The stream ends after `lost`, and when it is given up, by the last of
    /// its guards.
    public var states: AsyncStream<SessionState> { holding.states() }

    private var isGivenUp: Bool { share?.isReleased ?? false }

    /// Until when it is held if the daemon does not extend it; it moves while all is well. In the
    /// past if it is not held any more.
    public var deadline: ContinuousClock.Instant {
        BootClock.continuous(isGivenUp ? .distantPast : holding.deadline)
    }
}
