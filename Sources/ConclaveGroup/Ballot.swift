package import ConclaveBase

/// One attempt to decide the next view. Ballots are totally ordered; two coordinators never share
/// one.
package struct Ballot: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var round: UInt64
    /// The coordinator's rank in the old view.
    package var rank: Rank

    package init(round: UInt64, rank: Rank) {
        self.round = round
        self.rank = rank
    }

    /// No round above this is taken from outside, so that the next one can always be counted.
    package static let lastRound: UInt64 = 1 << 62

    package static let none = Ballot(round: 0, rank: Rank(0))

    package static func < (lhs: Self, rhs: Self) -> Bool {
        (lhs.round, lhs.rank.index) < (rhs.round, rhs.rank.index)
    }

    package var description: String { "\(round).\(rank)" }
}
