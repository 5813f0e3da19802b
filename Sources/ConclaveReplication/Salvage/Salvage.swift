package import ConclaveBase

/// A member's way into a history of its own, step by step; after each the process may end. Until
/// the view is recorded the history before stands as it was, and then it does not count any more.
/// A class, so that a turn without one need not know how large a state is.
final class Salvage<Machine: StateMachine> {
    enum Step: Equatable {
        /// Those that are reached are asked what they have.
        case asking
        /// What is being written must be on the disk first.
        case draining
        /// The state with which the new history begins is being written.
        case writing
        /// The view is being recorded.
        case recording(tag: UInt64)
    }

    /// What follows once it is decided.
    struct Plan {
        var order: AppliedOrder<Machine>
        var report: SalvageReport
    }

    let wish: SalvageWish
    let number: UInt64
    let startedAt: Instant
    var survey: Survey
    var step = Step.asking
    var plan: Plan?

    /// This member has left the history that it was in.
    var isDecided: Bool { plan != nil }

    init(wish: SalvageWish, number: UInt64, startedAt: Instant, survey: Survey) {
        self.wish = wish
        self.number = number
        self.startedAt = startedAt
        self.survey = survey
    }
}

/// What an operator wants when a majority is lost for good.
package struct SalvageWish: Equatable, Sendable {
    /// Versions go on in that era at the earliest (V28).
    package var eraAtLeast: UInt16
    /// Who asked, for the log.
    package var by: String

    package init(eraAtLeast: UInt16, by: String) {
        self.eraAtLeast = eraAtLeast
        self.by = by
    }
}

/// What became of a history that was gone on with.
package struct SalvageReport: Equatable, Sendable {
    /// The view with which the new history begins.
    package var epoch: Epoch
    package var lineage: Lineage
    /// With this version.
    package var version: Version
    /// Messages of the last epoch that were not known to be delivered.
    package var appliedCount: Int
    /// Who may be a member from now on, and who was removed since it was not reached.
    package var kept: [NodeID]
    package var removed: [NodeID]
    /// For how long nothing is granted.
    package var quietFor: Interval
    /// Nobody who was reached had a state: the new history begins with an empty one.
    package var stateWasLost: Bool
}

package enum SalvageOutcome: Equatable, Sendable {
    case done(SalvageReport)
    /// Nothing was changed.
    case refused(String)
}
