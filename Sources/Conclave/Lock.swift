public import ConclaveBase
import ConclaveClientCore
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
    /// As it is held now.
    public var mode: Mode { Mode(holding.present.mode) }
    /// Larger than every earlier token of this name, for ever. Who is granted a shared lock, or
    /// permits, at the same time has the same one. An upgrade gives another one.
    public var token: FencingToken { holding.present.token }
    /// How the holder before this one lost it.
    public var previousEnd: PreviousEnd { PreviousEnd(holding.present.previousEnd) }

    private let share: Share
    private let isReleasedAtEnd: Bool

    /// A guard that is not released at its end belongs to somebody who does it.
    init(_ name: String, _ share: Share, isReleasedAtEnd: Bool) {
        self.name = name
        self.share = share
        self.isReleasedAtEnd = isReleasedAtEnd
    }

    deinit {
        if isReleasedAtEnd { share.releaseLater() }
    }

    private var holding: Holding { share.holding }

    /// Whether it is still held, by this host's clock: a memory read.
    public var isValid: Bool { validity.isValid }

    /// The same question in a form that can be kept and passed on.
    public var validity: Validity { Validity(holding, share) }

    /// Holds the lock once more: explicit nesting, for code that is called under the lock and is to have
    /// a guard of its own. Nothing is asked of the group; to take the lock by its name again is refused,
    /// `alreadyHeld`, so that nobody shares by mistake what he meant to have alone.
    ///
    /// The lock is given up with the last of its guards, and is lost for all of them at once. Its token and
    /// mode are those of all: `downgrade` and `upgrade` change them for the others, too. A guard that goes
    /// out of scope is given up in the background.
    public func nested() -> Lock {
        Lock(name, share.another(), isReleasedAtEnd: true)
    }

    /// Who waits for what is done under it.
    public var taskPath: TaskPath { holding.taskPath }

    /// Shares the lock that was held alone: whoever waits to share it has it, too. From the moment of
    /// the call it counts as shared. The token stays.
    ///
    /// - Throws: `refused` if it is not held alone, `notHeld`, and so on.
    public func downgrade() async throws {
        let present = holding.present
        guard case .release(let name, let token) = present.giveUp, present.mode == .exclusive else {
            throw ConclaveError(.refused, "lock \(name) is not held alone")
        }
        holding.becomesShared()
        let answer = await holding.session.answerRegardless(
            to: .downgrade(name: name, token: token))
        guard case .reply(.done) = answer else { throw ConclaveError.unexpected(answer) }
    }

    /// Waits until all others have let go, and has the lock alone then, with a new token. Meanwhile
    /// it is shared, and nobody else comes to share it.
    ///
    /// - Parameter wait: How long to wait at most for the group's answer and for the others; `nil`:
    ///   for ever.
    /// - Throws: `deadlock` if another holder waits for the same: one of the two must let go;
    ///   `refused` if it is not shared; `timedOut` and so on. It is held as before then, unless it
    ///   is lost.
    public func upgrade(wait: Duration? = nil) async throws {
        let present = holding.present
        guard case .release(let name, let token) = present.giveUp, present.mode == .shared else {
            throw ConclaveError(.refused, "lock \(name) is not shared")
        }
        let answer = await holding.session.answer(
            to: .upgrade(name: name, token: token), deadline: Conclave.deadline(after: wait))
        guard case .reply(.granted(let grant)) = answer else {
            throw ConclaveError.unexpected(answer)
        }
        holding.becomes(grant)
    }

    /// Gives the lock up and waits until the group has taken it back, if no other guard of `nested`
    /// holds it. From the moment of the call this guard counts as given up.
    ///
    /// - Throws: `lost` if it was not held any more.
    public consuming func release() async throws {
        try await share.release()
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
