public import ConclaveBase
import ConclaveWire

/// A lock that is held: give it up by `release`; a guard that goes out of scope is released in the
/// background.
///
/// A lock cannot promise more than this: a process may be paused between checking its lock and
/// using it. So pass `token` to the guarded resource, and let that refuse a smaller token than it
/// has seen.
public struct Lock: ~Copyable, Sendable {
    public enum Mode: Hashable, Sendable {
        case exclusive
        /// Held together with other shared holders.
        case shared
        /// So many permits of a semaphore, which gives out `of` at once and no more. The limit is
        /// the semaphore's: who takes it first must name it, who names another one is refused.
        case permits(UInt32, of: UInt32? = nil)
    }

    public let name: String
    public let mode: Mode
    /// Larger than every earlier token of this name, for ever. Who is granted a shared lock, or
    /// permits, at the same time has the same one.
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

    /// Who waits for what is done under it.
    public var taskPath: TaskPath { holding.taskPath }

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
        case .permits(let count, let limit): self = .permits(count, of: limit)
        }
    }

    var wire: LockMode {
        switch self {
        case .exclusive: .exclusive
        case .shared: .shared
        case .permits(let count, let limit): .permits(count, of: limit)
        }
    }

    /// - Throws: `invalid`: what nobody can ever have.
    func check() throws(ConclaveError) {
        guard case .permits(let count, let limit) = self else { return }
        guard count > 0 else { throw ConclaveError(.invalid, "0 permits are asked for") }
        if let limit, count > limit {
            throw ConclaveError(
                .invalid, "\(count) permits are more than the limit of \(limit)")
        }
    }
}
