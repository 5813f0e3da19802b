public import ConclaveBase
import ConclaveWire

/// A lock that is held: give it up by `release`; a guard that goes out of scope is released in the
/// background.
///
/// A lock cannot promise more than this: a process may be paused between checking its lock and
/// using it. So pass `token` to the guarded resource, and let that refuse a smaller token than it
/// has seen.
public struct Lock: ~Copyable, Sendable {
    public enum Mode: Sendable {
        case exclusive
        /// Held together with other shared holders.
        case shared
    }

    public let name: String
    public let mode: Mode
    /// Larger than every earlier token of this name, for ever.
    public let token: FencingToken
    /// How the holder before this one lost it.
    public let previousEnd: PreviousEnd

    private let holding: Holding
    private let isReleasedAtEnd: Bool

    /// A guard that is not released at its end belongs to somebody who does it.
    init(_ grant: LockGrant, _ holding: Holding, isReleasedAtEnd: Bool) {
        name = grant.name.text
        mode = Mode(grant.mode)
        token = grant.token
        previousEnd = PreviousEnd(grant.previousEnd)
        self.holding = holding
        self.isReleasedAtEnd = isReleasedAtEnd
    }

    deinit {
        if isReleasedAtEnd { holding.releaseLater() }
    }

    /// Whether it is still held, by this host's clock: a memory read.
    public var isValid: Bool { holding.isValid }

    /// The same question in a form that can be kept and passed on.
    public var validity: Validity { Validity(holding) }

    /// Gives the lock up and waits until the group has taken it back. From the moment of the call
    /// it counts as given up.
    ///
    /// - Throws: `lost` if it was not held any more.
    public consuming func release() async throws {
        try await holding.release()
    }
}

extension Lock.Mode {
    init(_ mode: LockMode) {
        switch mode {
        case .exclusive: self = .exclusive
        case .shared: self = .shared
        }
    }

    var wire: LockMode {
        switch self {
        case .exclusive: .exclusive
        case .shared: .shared
        }
    }
}
