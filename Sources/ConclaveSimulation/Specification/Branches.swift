import ConclaveBase

/// What was known in each of several histories, of which one after the other was given up: a member may
/// go on from what it has of any of them.
struct Branches<Known> {
    private var left: [(from: Version, known: Known)] = []
    private var start = Version.zero

    /// Another history begins after `version`, and goes on from `last`: what was known in the one that
    /// `last` is of, to be cut there. `present` is what is known in the one that is left.
    mutating func leave(
        _ present: Known, at version: Version, backTo last: Version
    ) -> Known {
        left.append((start, present))
        start = version
        // The versions of each begin above all that went before it.
        return left.last { $0.from <= last }?.known ?? present
    }
}
