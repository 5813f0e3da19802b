import ConclaveBase
import Synchronization

/// One guard of a lock that several guards of this process may hold: see `Lock.nested`. The lock is given
/// up with the last of them.
final class Share: Sendable {
    let holding: Holding
    private let isGivenUp = Atomic<Bool>(false)

    /// The first of what was just granted.
    init(_ holding: Holding) {
        self.holding = holding
    }

    private init(anotherOf holding: Holding) {
        self.holding = holding
        holding.addShare()
    }

    /// - Precondition: this one was not given up.
    func another() -> Share {
        precondition(!isReleased, "a guard that was given up holds nothing more")
        return Share(anotherOf: holding)
    }

    var isReleased: Bool { isGivenUp.load(ordering: .acquiring) }

    /// Gives it up, and what is held if it was the last one, and waits for that.
    ///
    /// - Throws: `lost` if it was not held any more.
    func release() async throws {
        guard !isGivenUp.exchange(true, ordering: .acquiringAndReleasing) else { return }
        if holding.removeShare() {
            try await holding.release()
        } else if !holding.isValid {
            throw ConclaveError(.lost, "its deadline has passed")
        }
    }

    /// As `release`, without waiting.
    func releaseLater() {
        guard !isGivenUp.exchange(true, ordering: .acquiringAndReleasing) else { return }
        if holding.removeShare() { holding.releaseLater() }
    }
}
